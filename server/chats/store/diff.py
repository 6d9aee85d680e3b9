"""The branch and the pull request of each chat, and which of them are due to be looked up."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from server.chats.model.diff import BATCH, CLAIM, Claim, DiffStatus, PullRequest
from server.kit.db import Tx

COLUMNS: LiteralString = """
    d.chat_id, d.url, d.pull_request_state, d.pull_request_title, d.pull_request_draft,
    d.changes_requested, d.additions, d.deletions, d.changed_files, d.author_login,
    d.author_avatar_url, d.base_branch, d.head_branch, d.pr_number, d.commits, d.approved,
    d.reviewer_count, d.git_branch, d.git_remote_origin, d.pushed_at, d.refreshed_at, d.stale_at
"""

OF_CHATS: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_diff_statuses d WHERE d.chat_id = ANY(%(ids)s)
"""

NOTHING_KNOWN: LiteralString = """
    url = NULL, pull_request_state = NULL, pull_request_title = '', pull_request_draft = false,
    changes_requested = false, additions = 0, deletions = 0, changed_files = 0,
    author_login = NULL, author_avatar_url = NULL, base_branch = NULL, head_branch = NULL,
    pr_number = NULL, commits = NULL, approved = NULL, reviewer_count = NULL
"""

OF_WORKSPACE: LiteralString = """
    c.workspace_id = %(workspace)s AND NOT c.archived
    AND (%(chat)s::uuid IS NULL OR c.id = %(chat)s)
"""

# Another branch has another pull request: what was known of the old one goes.
LEAVE: LiteralString = f"""
    UPDATE chat_diff_statuses d
       SET {NOTHING_KNOWN}, refreshed_at = NULL
      FROM chats c
     WHERE c.id = d.chat_id AND {OF_WORKSPACE}
       AND (d.git_branch, d.git_remote_origin) <> (%(branch)s, %(origin)s)
"""

MARK: LiteralString = f"""
    INSERT INTO chat_diff_statuses
           (chat_id, git_branch, git_remote_origin, pushed_at, stale_at, created_at, updated_at)
    SELECT c.id, %(branch)s, %(origin)s, %(now)s, %(now)s, %(now)s, %(now)s
      FROM chats c
     WHERE {OF_WORKSPACE}
    ON CONFLICT (chat_id) DO UPDATE
       SET git_branch = excluded.git_branch, git_remote_origin = excluded.git_remote_origin,
           pushed_at = excluded.pushed_at, stale_at = excluded.stale_at,
           updated_at = excluded.updated_at
    RETURNING chat_id
"""

# The index finds what is due; two replicas take different rows. A claim is a look into the
# future of the row: whoever dies with it leaves it due again.
CLAIM_DUE: LiteralString = """
    WITH due AS (
        SELECT d.chat_id, c.owner_id
          FROM chat_diff_statuses d JOIN chats c ON c.id = d.chat_id
         WHERE d.stale_at <= %(now)s AND NOT c.archived
           AND d.git_branch <> '' AND d.git_remote_origin <> ''
         ORDER BY d.stale_at
         LIMIT %(batch)s
           FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE chat_diff_statuses d
       SET stale_at = %(until)s
      FROM due
     WHERE d.chat_id = due.chat_id
    RETURNING d.chat_id, due.owner_id, d.url, d.git_branch, d.git_remote_origin, d.pushed_at
"""

# A branch that was reported while we looked has a look of its own coming: nothing is written.
REFRESH: LiteralString = """
    UPDATE chat_diff_statuses
       SET url = %(url)s, pull_request_state = %(state)s, pull_request_title = %(title)s,
           pull_request_draft = %(draft)s, changes_requested = %(changes_requested)s,
           additions = %(additions)s, deletions = %(deletions)s, changed_files = %(changed_files)s,
           author_login = %(author_login)s, author_avatar_url = %(author_avatar_url)s,
           base_branch = %(base_branch)s, head_branch = %(head_branch)s, pr_number = %(number)s,
           commits = %(commits)s, approved = %(approved)s, reviewer_count = %(reviewer_count)s,
           refreshed_at = %(now)s, stale_at = %(stale_at)s, updated_at = %(now)s
     WHERE chat_id = %(chat)s AND git_branch = %(branch)s AND git_remote_origin = %(origin)s
"""

CLEAR: LiteralString = f"""
    UPDATE chat_diff_statuses
       SET {NOTHING_KNOWN}, refreshed_at = %(now)s, updated_at = %(now)s,
           stale_at = coalesce(%(stale_at)s, stale_at)
     WHERE chat_id = %(chat)s AND git_branch = %(branch)s AND git_remote_origin = %(origin)s
"""

PUT_OFF: LiteralString = """
    UPDATE chat_diff_statuses
       SET stale_at = %(stale_at)s
     WHERE chat_id = %(chat)s AND git_branch = %(branch)s AND git_remote_origin = %(origin)s
"""


async def of_chats(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, DiffStatus]:
    """Return what is known, by chat."""
    if not ids:
        return {}
    found = await tx.all(DiffStatus, OF_CHATS, {"ids": list(ids)})
    return {status.chat_id: status for status in found}


async def get(tx: Tx, chat_id: UUID) -> DiffStatus | None:
    """Return what is known of one chat."""
    return (await of_chats(tx, [chat_id])).get(chat_id)


async def mark(
    tx: Tx, workspace_id: UUID, branch: str, origin: str, chat_id: UUID | None
) -> list[UUID]:
    """Remember a branch on the workspace's chats (or on one), to be looked up now."""
    args = {
        "workspace": workspace_id,
        "chat": chat_id,
        "branch": branch,
        "origin": origin,
        "now": tx.now,
    }
    await tx.run(LEAVE, args)
    return await tx.values(MARK, args)


async def claim(tx: Tx) -> list[Claim]:
    """Take what is due to be looked up, oldest first; nobody else does for five minutes."""
    args = {"now": tx.now, "until": tx.now + CLAIM, "batch": BATCH}
    return await tx.all(Claim, CLAIM_DUE, args)


async def refresh(tx: Tx, claim: Claim, pull: PullRequest, stale_at: datetime) -> bool:
    """Write what a provider says; False when the branch became another meanwhile."""
    return bool(await tx.run(REFRESH, {**asdict(pull), **_of(tx, claim), "stale_at": stale_at}))


async def clear(tx: Tx, claim: Claim, stale_at: datetime | None) -> bool:
    """Forget a pull request; without ``stale_at`` the claim's own time stays."""
    return bool(await tx.run(CLEAR, {**_of(tx, claim), "stale_at": stale_at}))


async def put_off(tx: Tx, claim: Claim, stale_at: datetime) -> None:
    """Look again at ``stale_at``."""
    await tx.run(PUT_OFF, {**_of(tx, claim), "stale_at": stale_at})


def _of(tx: Tx, claim: Claim) -> dict[str, object]:
    return {
        "chat": claim.chat_id,
        "branch": claim.git_branch,
        "origin": claim.git_remote_origin,
        "now": tx.now,
    }
