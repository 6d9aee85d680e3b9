"""The SSH server's own key: made once, kept in the home directory, known to the server."""

import contextlib
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

PLACE = Path(".local", "share", "coder-agent", "ssh_host_ed25519_key")
"""Below the home directory, which outlives restarts and rebuilds of the workspace."""
log = logging.getLogger("agent.ssh")


@dataclass(frozen=True, slots=True)
class HostKey:
    """A private key in OpenSSH's format, and its public line."""

    private: bytes = field(repr=False)
    public: str


def host_key(path: Path) -> HostKey:
    """Return the key kept at ``path``, and make it if there is none or it is unreadable.

    Where it cannot be kept, the key lives as long as the agent: a workspace without a writable
    home gets a new one with each start.
    """
    try:
        return _parse(path.read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        log.warning("the host key in %s is unusable, a new one is made: %s", path, error)
        with contextlib.suppress(OSError):
            path.rename(path.with_suffix(".unusable"))
    made = Ed25519PrivateKey.generate()
    key = _parse(made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    try:
        return _keep(path, key)
    except OSError as error:
        log.warning("the host key cannot be kept in %s: %s", path, error.strerror)
        return key


def _parse(private: bytes) -> HostKey:
    public = load_ssh_private_key(private, None).public_key()
    return HostKey(private, public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def _keep(path: Path, key: HostKey) -> HostKey:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key.private)
    try:
        # Two agents of one home may start at once; a link never replaces what is there.
        os.link(draft, path)
    except FileExistsError:
        return _parse(path.read_bytes())
    finally:
        draft.unlink()
    return key
