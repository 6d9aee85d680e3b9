"""Addresses that a person should look at, in the browser of this machine."""

from coder_cli.kit.environ import environ


def opened(address: str) -> bool:
    """Try to show ``address``; False where there is no screen, or nothing that opens it."""
    import sys
    import webbrowser

    env = environ()
    # Without a display, text browsers would take over the terminal in which we ask.
    if sys.platform == "linux" and not (env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")):
        return False
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
