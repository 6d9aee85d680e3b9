"""What ``coder server`` does, in order, and what it says meanwhile.

Source: reference, API and CLI, section 5.2.
"""

import asyncio
import ipaddress
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from coder_cli.kit.build import version
from coder_cli.kit.refused import Refused
from server.cli.listeners import Listener, open_listeners, tls_context
from server.cli.plan import Moments, Replica, load_replica, stop_signals
from server.cli.prepare import cluster_of, prepare, started
from server.cli.workers import Workers
from server.kit import logs
from server.kit.postgres import Cluster
from server.settings import Settings, SettingsError

LOGO = r"""
   ___ ___  __| |___ _ _
  / _/ _ \/ _` / -_) '_|
  \__\___/\__,_\___|_|
"""


@dataclass(frozen=True, slots=True)
class Voice:
    """How the server speaks to whoever started it."""

    say: Callable[[str], None]
    """Print a line."""
    warn: Callable[[str], None]
    """Print a warning."""
    ready: Callable[[str], None] | None = None
    """Called in a thread of its own with the access URL, once requests are answered."""


def serve(settings: Settings, voice: Voice) -> int:
    """Run the server until it is told to stop; return the exit code.

    Raises:
        Refused: it cannot start; the message is one sentence.
    """
    voice.say(f"{LOGO.strip(chr(10))}\n\nCoder {version()}")
    try:
        logs.configure(settings)
    except SettingsError as error:
        raise Refused(str(error)) from None
    with ExitStack() as stack:
        settings = stack.enter_context(_directories(settings))
        if settings.tls.enable:
            tls_context(settings)  # refuse bad files before anything is started
        listeners = open_listeners(settings)
        for listener in listeners:
            stack.callback(listener.socket.close)
        loading = threading.Thread(target=load_replica, daemon=True)
        if settings.server.workers == 1:
            loading.start()  # while PostgreSQL starts
        cluster = _database(settings, voice, stack)
        _announce(listeners, voice)
        access_url = settings.networking.access_url or listeners[0].url
        _warn_about(access_url, voice)
        voice.say(f"\nView the Web UI: {access_url}")
        dsn = settings.database.url or (cluster.url if cluster else "")
        has_users = asyncio.run(prepare(dsn, cluster))
        _remember_url(settings, listeners[0].url)
        one = Replica(settings, dsn, access_url, tuple(listeners))
        if settings.server.workers == 1:
            loading.join()
        _run(one, voice, cluster, has_users=has_users)
    voice.say("Stopped.")
    return 0


def _database(settings: Settings, voice: Voice, stack: ExitStack) -> Cluster | None:
    if settings.database.url:
        return None
    cluster = cluster_of(settings)
    voice.say(f"Using built-in PostgreSQL ({cluster.places.root})")
    stack.enter_context(started(cluster))
    stack.callback(voice.say, "Stopping built-in PostgreSQL...")
    return cluster


def _run(one: Replica, voice: Voice, cluster: Cluster | None, *, has_users: bool) -> None:
    settings = one.settings

    def ready() -> None:
        if not has_users and not settings.server.quickstart:
            voice.say(
                "\nGet started by creating the first user (in a new terminal):"
                f"\n  coder login {one.access_url}"
            )
        voice.say("\n==> Logs will stream in below (press ctrl+c to gracefully exit):")
        _notify(settings.notify_socket, "READY=1")
        if voice.ready:
            threading.Thread(target=voice.ready, args=(one.access_url,), daemon=True).start()

    def force() -> None:
        voice.say("Quitting at once.")
        if cluster:
            cluster.stop(at_once=True)
        os._exit(1)

    def stopping() -> None:
        _notify(settings.notify_socket, "STOPPING=1")
        voice.say("\nExiting gracefully; press ctrl+c again to quit at once.")

    moments = Moments(ready, stopping, force)
    if settings.server.workers == 1:
        from server.cli import replica

        replica.run(one, moments, signals=stop_signals())
    else:
        Workers(one, settings.server.workers).run(moments)


@contextmanager
def _directories(settings: Settings) -> Generator[Settings]:
    """Make the directories; an ephemeral server gets one that goes with it."""
    with ExitStack() as stack:
        if settings.database.ephemeral and not settings.database.url:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coder-")))
            folder.chmod(0o755)
            settings = replace(settings, config_dir=folder / "config", state_dir=folder / "state")
        for folder in (settings.config_dir, settings.cache_dir):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            except OSError as error:
                raise Refused(f"The directory {folder} cannot be made: {error.strerror}") from None
        yield settings


def _announce(listeners: list[Listener], voice: Voice) -> None:
    for listener in listeners:
        kind = "TLS/HTTPS" if listener.secure else "HTTP"
        voice.say(f"Started {kind} listener at {listener.url}")


def _warn_about(access_url: str, voice: Voice) -> None:
    host = urlsplit(access_url).hostname or ""
    if _is_loopback(host):
        voice.warn(
            f"The access URL {access_url} can be reached from this machine only: workspaces and "
            "people elsewhere will not find it. Set --access-url to change that."
        )
    elif not _resolves(host):
        voice.warn(
            f"The host name {host} of the access URL {access_url} cannot be resolved: workspaces "
            "may not find this server."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _remember_url(settings: Settings, url: str) -> None:
    """Let clients with this configuration directory find us; no matter if they cannot."""
    with suppress(OSError):
        path = settings.config_dir / "url"
        path.touch(mode=0o600)
        path.write_text(url)


def _notify(path: str, state: str) -> None:
    """Tell systemd, when it asked to be told."""
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, suppress(OSError):
        line.connect(f"\0{path[1:]}" if path.startswith("@") else path)
        line.send(state.encode())
