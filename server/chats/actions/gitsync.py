"""Keep what is known of chats' pull requests fresh: ask the providers, in the owners' names.

Knobs are in ``model.diff``. No transaction is open while a provider is asked.
"""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import structlog

from server.chats.actions.github import GitHub, ProviderFailed
from server.chats.actions.telling import tell
from server.chats.events import Change
from server.chats.model.accounts import GitAccount, GitAccounts
from server.chats.model.diff import (
    FRESH,
    NO_TOKEN,
    TICK,
    TICK_TIMEOUT,
    Claim,
    PullRequest,
    Repository,
    repository,
    unseen_until,
    without_secret,
)
from server.chats.store import chats, diff
from server.kit.authz import as_system
from server.kit.db import Database, Tx

log = structlog.get_logger()

UNAUTHORIZED, NOT_FOUND = 401, 404
AT_ONCE = 8
"""Providers asked at the same time: they hold many requests of one account against it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of a look: a pull request, none, or nobody to ask as."""

    pull: PullRequest | None = None
    unlinked: bool = False


async def mark_stale(
    tx: Tx, workspace_id: UUID, branch: str, origin: str, chat_id: UUID | None = None
) -> None:
    """Remember the branch that was seen in a workspace, and look its pull request up soon.

    With a chat it is that chat's alone, else every active chat's of the workspace. Watchers hear
    of the branch at once. A report without a branch or a remote is none.
    """
    branch, origin = branch.strip(), without_secret(origin)
    if not branch or not origin:
        return
    for marked in await diff.mark(tx, workspace_id, branch, origin, chat_id):
        await _tell(tx, marked)


@dataclass(frozen=True, slots=True)
class Branches:
    """Hear from agents which branches are worked on."""

    database: Database

    async def __call__(
        self, workspace_id: UUID, branch: str, origin: str, chat_id: UUID | None
    ) -> None:
        """Remember the branch on the workspace's chats, or on the one whose command it was."""
        async with self.database.tx(as_system("gitsync")) as tx:
            await mark_stale(tx, workspace_id, branch, origin, chat_id)


@dataclass(slots=True)
class GitSync:
    """The worker: each tick looks up what is due."""

    database: Database
    accounts: GitAccounts
    client: httpx.AsyncClient
    _few: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.database.clock.sleep(TICK.total_seconds())
            await self.tick()

    async def tick(self) -> int:
        """Look up one batch; return how many were due. What is not done in time is due later."""
        async with self.database.tx(as_system("gitsync")) as tx:
            due = await diff.claim(tx)
        try:
            async with asyncio.timeout(TICK_TIMEOUT.total_seconds()), asyncio.TaskGroup() as group:
                for claim in due:
                    group.create_task(self._refresh(claim))
        except TimeoutError:
            log.warning("pull requests were not all looked up in time", due=len(due))
        return len(due)

    async def _refresh(self, claim: Claim) -> None:
        async with self._few:
            try:
                answer = await self._look(claim)
            except ProviderFailed as failure:
                # The claim's own time stays: again in five minutes.
                reason = str(failure)
                log.info("a pull request was not looked up", chat=claim.chat_id, reason=reason)
                return
            async with self.database.tx(as_system("gitsync")) as tx:
                await _apply(tx, claim, answer)

    async def _look(self, claim: Claim) -> _Answer:
        where = repository(claim.git_remote_origin)
        account = await account_of(self.accounts, claim.owner_id, where)
        if where is None or account is None:
            return _Answer(unlinked=True)
        try:
            found = await GitHub(self.client, account).pull_request(where, claim.git_branch)
        except ProviderFailed as failure:
            if failure.status == UNAUTHORIZED:
                return _Answer(unlinked=True)
            if failure.status == NOT_FOUND:
                return _Answer()
            raise
        return _Answer(found)


async def _apply(tx: Tx, claim: Claim, answer: _Answer) -> None:
    if answer.unlinked:
        await diff.put_off(tx, claim, tx.now + NO_TOKEN)
    elif answer.pull is not None:
        if await diff.refresh(tx, claim, answer.pull, tx.now + FRESH):
            await _tell(tx, claim.chat_id)
    elif await diff.clear(tx, claim, unseen_until(claim, tx.now)) and claim.url:
        await _tell(tx, claim.chat_id)


async def account_of(
    accounts: GitAccounts, owner_id: UUID, where: Repository | None
) -> GitAccount | None:
    """Return the GitHub account to look at a repository with, or None.

    It is asked for by the repository's own URL, of which we call the host: no remote, however it
    is spelt, gets a token of another host.
    """
    account = await accounts(owner_id, where.url) if where else None
    return account if account is not None and account.provider == "github" else None


async def _tell(tx: Tx, chat_id: UUID) -> None:
    chat = await chats.by_id(tx, chat_id)
    if chat is not None:
        await tell(tx, chat, Change.DIFF)
