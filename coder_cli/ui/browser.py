"""Addresses that a person should look at, in the browser of this machine."""

import re

from coder_cli.kit.environ import environ

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*):[\x21-\x7e]+", re.IGNORECASE)
_NEVER = frozenset({"about", "blob", "data", "file", "javascript", "vbscript", "view-source"})
"""Addresses that run what they say, or show what is on this machine."""


def opened(address: str) -> bool:
    """Try to show ``address``; False where there is no screen, or nothing that opens it.

    Addresses of apps are written by templates: what is none, or would run something here, is
    never handed to another program.
    """
    import sys
    import webbrowser

    found = _ADDRESS.fullmatch(address)
    if found is None or found[1].lower() in _NEVER:
        return False
    env = environ()
    # Without a display, text browsers would take over the terminal in which we ask.
    if sys.platform == "linux" and not (env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")):
        return False
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
