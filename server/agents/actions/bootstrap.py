"""The scripts that fetch and start an agent where it shall run."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from server.agents.model import PLATFORMS, script_name

AUTH = "token"


@cache
def _body(os: str, arch: str) -> str:
    text = (files("server.agents") / "bootstrap" / script_name(os, arch)).read_text("utf-8")
    return text.replace("${OS}", os).replace("${ARCH}", arch)


def init_script(os: str, arch: str, access_url: str) -> str:
    """Return the script that starts an agent of this deployment.

    Raises:
        UnknownPlatform: no agent runs there.
    """
    url = access_url.rstrip("/") + "/"
    return _body(os, arch).replace("${ACCESS_URL}", url).replace("${AUTH_TYPE}", AUTH)


def init_scripts() -> Mapping[str, str]:
    """Return every script by ``<os>_<arch>``, with ``${ACCESS_URL}`` and ``${AUTH_TYPE}`` left."""
    return {f"{os}_{arch}": _body(os, arch) for os, arch in PLATFORMS}
