"""Whose address a request comes from, behind proxies that we were told to trust."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """Which headers to believe, and from which peers (``--proxy-trusted-*``)."""

    headers: tuple[str, ...] = ()
    origins: tuple[IPv4Network | IPv6Network, ...] = ()


def client_ip(connection: HTTPConnection) -> str:
    """Return the address of whoever asks, without a port; ``0.0.0.0`` when it is not known."""
    peer = connection.client.host if connection.client else ""
    trusted: TrustedProxies | None = getattr(connection.app.state, "trusted_proxies", None)
    if trusted is None or not _is_trusted(peer, trusted):
        return peer or "0.0.0.0"  # noqa: S104 - an unknown address, nothing is bound
    for header in trusted.headers:
        # The leftmost entry is whatever the client wrote; the last one our own proxy added.
        claimed = connection.headers.get(header, "").split(",")[-1].strip()
        if _is_address(claimed):
            return claimed
    return peer


def _is_trusted(peer: str, trusted: TrustedProxies) -> bool:
    return _is_address(peer) and any(ip_address(peer) in network for network in trusted.origins)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
