"""The accounts that users linked, as chats look at repositories with them."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from server.chats.model.accounts import GitAccount
from server.identity import Linker
from server.kit.errors import ApiError

log = structlog.get_logger()

_WHOAMI = "/user"


@dataclass(frozen=True, slots=True)
class LinkedAccounts:
    """Ask identity for the token of whoever owns a chat (``model.accounts.GitAccounts``)."""

    linker: Linker

    async def __call__(self, user_id: UUID, origin: str) -> GitAccount | None:
        """Return the account that serves the remote at ``origin``, or None without one."""
        provider = self.linker.serving(origin)
        if provider is None:
            return None
        try:
            linked = await self.linker.token(user_id, provider)
        except ApiError as error:
            log.warning("a linked account cannot be used", provider=provider.id, reason=str(error))
            return None
        if linked is None:
            return None
        # Where a token is checked, the rest of the API is, too: hosts of one's own are set there.
        checked_at = provider.validate_url
        api = checked_at.removesuffix(_WHOAMI) if checked_at.endswith(_WHOAMI) else ""
        return GitAccount(provider.type, linked.access_token, api)
