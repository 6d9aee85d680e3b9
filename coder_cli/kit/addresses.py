"""IP addresses as they are reported: by themselves, whatever they came with."""

from ipaddress import ip_address

LOOPBACK = "127.0.0.1"


def plain_address(told: str) -> str | None:
    """Return the IP address in ``told`` without a port; None if there is none.

    ``localhost`` is one. Blank stays blank: a peer that has gone already has no address any more.
    """
    word = told.strip()
    if not word:
        return ""
    for text in (word, _without_port(word)):
        host = text.strip("[]").partition("%")[0]
        if host.lower() == "localhost":
            return LOOPBACK
        try:
            return str(ip_address(host))
        except ValueError:
            continue
    return None


def _without_port(word: str) -> str:
    host, colon, port = word.rpartition(":")
    return host if colon and port.isdigit() else word
