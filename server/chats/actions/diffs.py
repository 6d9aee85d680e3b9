"""What a chat changed, as its pull request shows it."""

from dataclasses import dataclass
from uuid import UUID

import httpx

from server.chats.actions import find
from server.chats.actions.github import GitHub, ProviderFailed
from server.chats.actions.gitsync import account_of
from server.chats.errors import DiffUnavailable
from server.chats.model.accounts import GitAccounts
from server.chats.model.diff import pull, repository
from server.chats.model.shown import Diff
from server.chats.store import diff as store
from server.kit.authz import Actor
from server.kit.db import Database


@dataclass(frozen=True, slots=True)
class Diffs:
    """Fetch diffs from the providers, in the names of the chats' owners."""

    database: Database
    accounts: GitAccounts
    client: httpx.AsyncClient

    async def of(self, actor: Actor, chat_id: UUID) -> Diff:
        """Return a chat's diff; without a pull request it is empty, and the branch is told.

        Raises:
            NotFound: the chat is hidden.
            DiffUnavailable: the provider did not give it.
        """
        async with self.database.tx(actor) as tx:
            chat = await find.chat(tx, chat_id)
            status = await store.get(tx, chat_id)
        found = pull(status.url) if status and status.url else None
        if status is None or found is None:
            return Diff(chat_id, status)
        where, number = found
        home = repository(status.git_remote_origin)
        # The page's address came from the provider itself; its host is still compared with the
        # remote's, which is whom the account is for.
        if home is None or where.host != home.host:
            return Diff(chat_id, status)
        account = await account_of(self.accounts, chat.owner_id, where)
        if account is None:
            raise DiffUnavailable("The chat's owner has no linked account for this repository.")
        try:
            text = await GitHub(self.client, account).diff(where, number)
        except ProviderFailed as failure:
            raise DiffUnavailable(str(failure)) from failure
        return Diff(chat_id, status, account.provider, text)
