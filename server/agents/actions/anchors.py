"""Certificates and keys of clouds, from where the deployment keeps them.

Read anew for each proof: they are small, proofs are rare, and whoever renews a file needs no
restart. Only Google's keys change within days; without a file of them they are fetched, from the
one address that Google publishes.
"""

import re
from asyncio import to_thread
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import certifi
import httpx
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, load_pem_x509_certificates

from coder_cli.kit.clock import Clock, SystemClock
from server.agents.model import Anchors, public_keys
from server.kit.errors import Unavailable

log = structlog.get_logger()

GOOGLE_KEYS: Final = "https://www.googleapis.com/oauth2/v3/certs"
LARGEST: Final = 1024 * 1024
FRESH_FOR: Final = 3600.0
_AZURES_ROOTS: Final = re.compile(
    r'# Label: "((?:DigiCert Global Root|Microsoft RSA Root)[^"]*)"\n(?:#.*\n)*'
    r"(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----)"
)
"""Of everybody's roots those that sign for Azure's metadata service; no other is believed."""
Fetch = Callable[[str], Awaitable[bytes]]


async def fetch(url: str) -> bytes:
    """Return what is at ``url``.

    Raises:
        Unavailable: nobody answered as expected.
    """
    try:
        async with httpx.AsyncClient(timeout=10.0) as client:
            answer = await client.get(url)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable("Keys of the cloud cannot be fetched.", detail=str(error)) from error
    return answer.content[:LARGEST]


@dataclass(slots=True)
class AnchorShelf:
    """Where anchors are: ``aws/*.pem``, ``azure/*.pem`` and ``google.json`` in one directory."""

    directory: Path | None
    clock: Clock = field(default_factory=SystemClock)
    fetch: Fetch = fetch
    _google: dict[str, RSAPublicKey] = field(default_factory=dict[str, RSAPublicKey], init=False)
    _fetched_at: float | None = field(default=None, init=False)

    async def aws(self) -> Anchors:
        """Return the certificates of AWS regions."""
        return Anchors(aws=await to_thread(_certificates, self.directory, "aws"))

    async def azure(self) -> Anchors:
        """Return the authorities of Azure: the directory's, and the roots it is known for."""
        own = await to_thread(_certificates, self.directory, "azure")
        known = await to_thread(_known_roots)
        roots = tuple(one for one in own if one.issuer == one.subject)
        between = tuple(one for one in own if one.issuer != one.subject)
        return Anchors(azure=between, roots=(*roots, *known))

    async def google(self) -> Anchors:
        """Return Google's keys.

        Raises:
            Unavailable: there is no file of them, and they cannot be fetched.
        """
        stored = await to_thread(_stored_keys, self.directory)
        if stored is not None:
            return Anchors(google=stored)
        now = self.clock.monotonic()
        if self._fetched_at is None or now - self._fetched_at > FRESH_FOR:
            try:
                self._google = public_keys(await self.fetch(GOOGLE_KEYS))
            except ValueError as error:
                raise Unavailable("Keys of Google cannot be read.", detail=str(error)) from error
            self._fetched_at = now
        return Anchors(google=self._google)


def _certificates(directory: Path | None, cloud: str) -> tuple[Certificate, ...]:
    if directory is None:
        return ()
    found: list[Certificate] = []
    for path in sorted((directory / cloud).glob("*.pem")):
        try:
            found += load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError) as error:
            log.warning("a certificate cannot be read", path=str(path), error=str(error))
    return tuple(found)


def _known_roots() -> tuple[Certificate, ...]:
    text = Path(certifi.where()).read_text(encoding="utf-8")
    found = "\n".join(block for _, block in _AZURES_ROOTS.findall(text))
    return tuple(load_pem_x509_certificates(found.encode()))


def _stored_keys(directory: Path | None) -> dict[str, RSAPublicKey] | None:
    path = directory and directory / "google.json"
    if path is None or not path.is_file():
        return None
    try:
        return public_keys(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Unavailable(f"{path} cannot be read.", detail=str(error)) from error
