"""Where a command's configuration comes from: global flags, environment, stored log-in.

``main`` calls `use` once, before any command; everybody else asks `current`, `session` or
`connect`.
"""

from typing import TYPE_CHECKING

from coder_cli.config.options import FLAGS, Flag, Globals, parse
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from coder_cli.config.access import Session
    from coder_cli.sdk.client import Client

__all__ = ["FLAGS", "Flag", "Globals", "connect", "current", "parse", "session", "use", "verbose"]

_used: list[Globals] = []


def use(options: Globals) -> None:
    """Make these global options the ones of this process."""
    _used[:] = [options]


def current() -> Globals:
    """Return the global options of this process."""
    if not _used:
        raise Refused("No command is running yet.")
    return _used[0]


def session() -> "Session":
    """Return the log-in that this command uses."""
    from coder_cli.config.access import Session

    return Session(current())


def connect(url: str = "", token: str | None = None) -> "Client":
    """Return a client of the deployment we are logged in to.

    ``url`` and ``token`` replace what is stored, for log-in itself.

    Raises:
        LoggedOut: there is no stored log-in.
    """
    from coder_cli.config.access import extra_headers
    from coder_cli.config.versions import VersionWatch
    from coder_cli.sdk.client import Client

    options = current()
    if token is None:
        url, token = session().require()
    client = Client(url, token, extra_headers(options))
    if not options.on("no-version-warning"):
        client.hear = VersionWatch(client).hear
    return client


def verbose() -> bool:
    """Say whether the person wants to see everything; safe before `use`."""
    return bool(_used) and _used[0].on("verbose")
