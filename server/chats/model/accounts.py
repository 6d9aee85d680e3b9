"""Whose rights a git provider is asked with: the seam to linked accounts."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class GitAccount:
    """An account that a user linked: which kind of provider it is at, and the token to use."""

    provider: str
    """As in the settings of external authentication: ``github``, ``gitlab`` …"""
    token: str = field(repr=False)
    api_url: str = ""
    """Of the provider's API; empty is found from the repository's host."""


class GitAccounts(Protocol):
    """Find the account that a user linked for a repository."""

    async def __call__(self, user_id: UUID, origin: str) -> GitAccount | None:
        """Return the account that serves the remote at ``origin``, or None without one.

        The token was refreshed if that was needed; no transaction of the caller's is open.
        """
        ...
