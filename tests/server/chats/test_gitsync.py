"""Branches and pull requests: reported, looked up in the owner's name, and told."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.chats.actions.gitsync import mark_stale
from server.chats.events import Change, ChatChanged
from server.chats.model.accounts import GitAccount
from server.chats.model.diff import (
    BATCH,
    Claim,
    DiffStatus,
    Repository,
    pull,
    repository,
    unseen_until,
    without_secret,
)
from server.chats.store import diff
from server.kit.db import Database
from tests.server.chats.bureau import Bureau, opened
from tests.server.chats.rows import SYSTEM
from tests.server.chats.test_list import workspace
from tests.server.chats.test_patch import Listening
from tests.support.clock import FakeClock
from tests.support.github import TOKEN, GitHub, Pull, github

ORIGIN = "git@github.com:acme/site.git"
BRANCH = "fix/tests"
HEAD = f"acme:{BRANCH}"


@pytest.fixture
async def hub() -> AsyncGenerator[GitHub]:
    """A GitHub on this machine."""
    async with github() as hub:
        yield hub


@pytest.fixture
async def bureau(dsn: str, clock: FakeClock) -> AsyncGenerator[Bureau]:
    """People and their chats, with a clock of their own."""
    database = Database(dsn, clock=clock)
    await database.open()
    async with opened(database) as bureau:
        yield bureau
    await database.close()


async def reported(bureau: Bureau, hub: GitHub | None, branch: str = BRANCH) -> tuple[UUID, UUID]:
    """Return a chat and its workspace, in which a branch was seen; Ann linked an account."""
    if hub is not None:
        bureau.accounts.account = GitAccount("github", TOKEN, hub.api)
    home = await workspace(bureau, bureau.ann)
    chat = await bureau.chat(bureau.ann, workspace_id=home)
    async with bureau.database.tx(SYSTEM) as tx:
        await mark_stale(tx, home, branch, ORIGIN)
    return chat, home


async def known(bureau: Bureau, chat: UUID) -> DiffStatus:
    async with bureau.database.tx(SYSTEM) as tx:
        found = await diff.get(tx, chat)
    assert found is not None
    return found


def later(bureau: Bureau, seconds: float) -> datetime:
    return bureau.database.clock.now() + timedelta(seconds=seconds)


async def test_a_pull_request_is_found_and_told(bureau: Bureau, hub: GitHub) -> None:
    reviews = [("bob", "CHANGES_REQUESTED"), ("bob", "APPROVED"), ("eve", "COMMENTED")]
    hub.repo("acme/site", Pull(7, HEAD, title="Fix the tests", reviews=reviews))
    chat, _ = await reported(bureau, hub)
    assert await bureau.gitsync.tick() == 1
    assert bureau.accounts.asked == [(bureau.ann.id, "https://github.com/acme/site")]
    [listed] = await bureau.list(bureau.ann)
    status = listed["diff_status"]
    assert status == {
        "chat_id": str(chat),
        "url": "https://github.com/acme/site/pull/7",
        "pull_request_state": "open",
        "pull_request_title": "Fix the tests",
        "pull_request_draft": False,
        "changes_requested": False,
        "additions": 5,
        "deletions": 2,
        "changed_files": 1,
        "author_login": "ann",
        "author_avatar_url": "https://github.com/ann.png",
        "base_branch": "main",
        "head_branch": BRANCH,
        "pr_number": 7,
        "commits": 3,
        "approved": True,
        "reviewer_count": 2,
        "refreshed_at": status["refreshed_at"],
        "stale_at": status["stale_at"],
    }
    assert (await known(bureau, chat)).stale_at == later(bureau, 120)


async def test_it_is_looked_up_every_two_minutes(
    bureau: Bureau, hub: GitHub, clock: FakeClock
) -> None:
    repo = hub.repo("acme/site", Pull(7, HEAD))
    chat, _ = await reported(bureau, hub)
    assert await bureau.gitsync.tick() == 1
    await clock.advance(119)
    assert await bureau.gitsync.tick() == 0
    repo.pulls[0].state, repo.pulls[0].merged = "closed", True
    await clock.advance(1)
    assert await bureau.gitsync.tick() == 1
    assert (await known(bureau, chat)).pull_request_state == "merged"


async def test_a_branch_without_a_pull_request_is_looked_at_often_at_first(
    bureau: Bureau, hub: GitHub, clock: FakeClock
) -> None:
    hub.repo("acme/site", Pull(1, "acme:another"))
    chat, _ = await reported(bureau, hub)
    looked = 0
    for _ in range(24):
        looked += await bureau.gitsync.tick()
        await clock.advance(15)
    # Each 15 seconds for two minutes, then by the claim of five minutes only.
    assert looked == 9
    status = await known(bureau, chat)
    assert (status.url, status.git_branch) == (None, BRANCH)


async def test_a_pull_request_that_vanished_is_forgotten(
    bureau: Bureau, hub: GitHub, clock: FakeClock
) -> None:
    repo = hub.repo("acme/site", Pull(7, HEAD))
    chat, _ = await reported(bureau, hub)
    await bureau.gitsync.tick()
    repo.pulls.clear()
    await clock.advance(600)
    await bureau.gitsync.tick()
    status = await known(bureau, chat)
    assert (status.url, status.pull_request_state, status.pr_number) == (None, None, None)
    assert status.stale_at == later(bureau, 15)


async def test_an_open_one_wins_over_a_newer_closed_one(bureau: Bureau, hub: GitHub) -> None:
    hub.repo("acme/site", Pull(7, HEAD), Pull(8, HEAD, state="closed"))
    chat, _ = await reported(bureau, hub)
    await bureau.gitsync.tick()
    assert (await known(bureau, chat)).pr_number == 7


async def test_a_fork_is_looked_for_where_it_came_from(bureau: Bureau, hub: GitHub) -> None:
    hub.repo("acme/site", parent="upstream/site")
    hub.repo("upstream/site", Pull(70, HEAD))
    chat, _ = await reported(bureau, hub)
    await bureau.gitsync.tick()
    assert (await known(bureau, chat)).url == "https://github.com/upstream/site/pull/70"


@pytest.mark.parametrize("linked", [False, True])
async def test_without_a_token_that_works_it_waits_ten_minutes(
    bureau: Bureau, hub: GitHub, linked: bool
) -> None:
    chat, _ = await reported(bureau, hub)
    bureau.accounts.account = GitAccount("github", "revoked", hub.api) if linked else None
    await bureau.gitsync.tick()
    assert (await known(bureau, chat)).stale_at == later(bureau, 600)
    assert len(hub.asked) == linked


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_provider_in_trouble_is_asked_again_after_the_claim(
    bureau: Bureau, hub: GitHub, status: int
) -> None:
    hub.repo("acme/site", Pull(7, HEAD))
    chat, _ = await reported(bureau, hub)
    await bureau.gitsync.tick()
    hub.status = status
    await bureau.run("UPDATE chat_diff_statuses SET stale_at = %(t)s", t=later(bureau, 0))
    await bureau.gitsync.tick()
    row = await known(bureau, chat)
    # What was known stays.
    assert (row.pr_number, row.stale_at) == (7, later(bureau, 300))


async def test_nonsense_and_silence_change_nothing(bureau: Bureau, hub: GitHub) -> None:
    hub.repo("acme/site", Pull(7, HEAD))
    chat, _ = await reported(bureau, hub)
    hub.garbage = True
    assert await bureau.gitsync.tick() == 1
    assert (await known(bureau, chat)).stale_at == later(bureau, 300)
    bureau.accounts.account = GitAccount("github", TOKEN, "http://127.0.0.1:1")
    await bureau.run("UPDATE chat_diff_statuses SET stale_at = %(t)s", t=later(bureau, 0))
    assert await bureau.gitsync.tick() == 1
    assert (await known(bureau, chat)).url is None


async def test_archived_chats_and_more_than_a_batch_are_left(bureau: Bureau, hub: GitHub) -> None:
    hub.repo("acme/site")
    bureau.accounts.account = GitAccount("github", TOKEN, hub.api)
    home = await workspace(bureau, bureau.ann)
    for _ in range(BATCH + 2):
        await bureau.chat(bureau.ann, workspace_id=home)
    async with bureau.database.tx(SYSTEM) as tx:
        await mark_stale(tx, home, BRANCH, ORIGIN)
    await bureau.run("UPDATE chats SET archived = true WHERE id IN (SELECT id FROM chats LIMIT 1)")
    assert [await bureau.gitsync.tick() for _ in range(3)] == [BATCH, 1, 0]


async def test_two_replicas_share_what_is_due(bureau: Bureau) -> None:
    home = await workspace(bureau, bureau.ann)
    for _ in range(BATCH + 10):
        await bureau.chat(bureau.ann, workspace_id=home)
    async with bureau.database.tx(SYSTEM) as tx:
        await mark_stale(tx, home, BRANCH, ORIGIN)
    async with bureau.database.tx(SYSTEM) as one, bureau.database.tx(SYSTEM) as other:
        first, second = await diff.claim(one), await diff.claim(other)
    assert (len(first), len(second)) == (BATCH, 10)
    assert not {claim.chat_id for claim in first} & {claim.chat_id for claim in second}


async def test_the_worker_ticks_every_ten_seconds(
    bureau: Bureau, hub: GitHub, clock: FakeClock
) -> None:
    await reported(bureau, hub)
    working = asyncio.ensure_future(bureau.gitsync.run())
    try:
        await clock.wake_within(10)
        await asyncio.wait_for(bureau.accounts.called.wait(), 20)
    finally:
        working.cancel()


# Reports ------------------------------------------------------------------------------------------


async def told(bureau: Bureau, home: UUID, *report: Any) -> list[UUID]:
    """Report a branch; return the chats that watchers heard of."""
    async with bureau.database.tx(SYSTEM) as tx:
        listening = Listening(tx.conn, tx.actor, tx.now)
        await mark_stale(listening, home, *report)
    facts = [fact for fact in listening.told if isinstance(fact, ChatChanged)]
    assert all(fact.changes == (Change.DIFF,) for fact in facts)
    return [fact.chat_id for fact in facts]


async def test_a_report_is_for_every_active_chat_of_the_workspace_or_for_one(
    bureau: Bureau,
) -> None:
    home = await workspace(bureau, bureau.ann)
    one, two = [await bureau.chat(bureau.ann, workspace_id=home) for _ in range(2)]
    await bureau.chat(bureau.ann, workspace_id=home, columns={"archived": True})
    elsewhere = await bureau.chat(bureau.ann)
    assert set(await told(bureau, home, BRANCH, ORIGIN)) == {one, two}
    assert await told(bureau, home, "other", ORIGIN, two) == [two]
    assert await told(bureau, home, "other", ORIGIN, elsewhere) == []
    assert (await known(bureau, one)).git_branch == BRANCH
    assert (await known(bureau, two)).git_branch == "other"


@pytest.mark.parametrize("report", [("", ORIGIN), (" ", ORIGIN), (BRANCH, ""), ("", "")])
async def test_an_empty_report_keeps_what_is_known(bureau: Bureau, report: tuple[str, str]) -> None:
    chat, home = await reported(bureau, None)
    assert await told(bureau, home, *report) == []
    assert (await known(bureau, chat)).git_branch == BRANCH


async def test_the_branch_is_seen_before_its_pull_request(bureau: Bureau) -> None:
    await reported(bureau, None)
    [listed] = await bureau.list(bureau.ann)
    assert listed["diff_status"]["head_branch"] == BRANCH
    assert "url" not in listed["diff_status"]


async def test_another_branch_has_not_the_first_ones_pull_request(
    bureau: Bureau, hub: GitHub
) -> None:
    hub.repo("acme/site", Pull(7, HEAD))
    chat, home = await reported(bureau, hub)
    await bureau.gitsync.tick()
    await told(bureau, home, BRANCH, ORIGIN)
    assert (await known(bureau, chat)).url is not None
    await told(bureau, home, "second", ORIGIN)
    status = await known(bureau, chat)
    assert (status.url, status.pull_request_state, status.head_branch) == (None, None, None)
    [listed] = await bureau.list(bureau.ann)
    assert listed["diff_status"]["head_branch"] == "second"


async def test_secrets_in_a_remote_are_not_stored(bureau: Bureau) -> None:
    home = await workspace(bureau, bureau.ann)
    chat = await bureau.chat(bureau.ann, workspace_id=home)
    await told(bureau, home, BRANCH, "https://ann:hunter2@github.com/acme/site.git")
    status = await known(bureau, chat)
    assert status.git_remote_origin == "https://github.com/acme/site.git"


# Diffs --------------------------------------------------------------------------------------------


async def test_the_diff_of_a_pull_request(bureau: Bureau, hub: GitHub) -> None:
    hub.repo("acme/site", Pull(7, HEAD, diff="diff --git a/a b/a\n+ä\n"))
    chat, _ = await reported(bureau, hub)
    at = f"/chats/{chat}/diff"
    assert (await bureau.ann.api.get(at)).json() == {
        "chat_id": str(chat),
        "remote_origin": ORIGIN,
        "branch": BRANCH,
        "diff": "",
    }
    await bureau.gitsync.tick()
    assert (await bureau.ann.api.get(at)).json() == {
        "chat_id": str(chat),
        "provider": "github",
        "remote_origin": ORIGIN,
        "branch": BRANCH,
        "pull_request_url": "https://github.com/acme/site/pull/7",
        "diff": "diff --git a/a b/a\n+ä\n",
    }
    bob = await bureau.people.add("bob")
    assert (await bob.api.get(at)).status_code == 404


async def test_a_diff_that_the_provider_does_not_give(bureau: Bureau, hub: GitHub) -> None:
    hub.repo("acme/site", Pull(7, HEAD))
    chat, _ = await reported(bureau, hub)
    await bureau.gitsync.tick()
    hub.status = 500
    answer = await bureau.ann.api.get(f"/chats/{chat}/diff")
    assert answer.status_code == 503
    assert answer.json()["message"] == "The diff could not be fetched."
    assert TOKEN not in answer.text
    bureau.accounts.account = None
    assert (await bureau.ann.api.get(f"/chats/{chat}/diff")).status_code == 503


async def test_a_chat_without_a_branch_has_an_empty_diff(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    answer = await bureau.ann.api.get(f"/chats/{chat}/diff")
    assert answer.json() == {"chat_id": str(chat), "diff": ""}


# Pure ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        "git@github.com:acme/site.git",
        "git@github.com:acme/site",
        "https://github.com/acme/site.git",
        "https://github.com/acme/site/",
        "https://ann:secret@GitHub.com/acme/site",
        "ssh://git@github.com:22/acme/site.git",
        "git://github.com/acme/site.git",
    ],
)
def test_a_remote_in_every_spelling(origin: str) -> None:
    assert repository(origin) == Repository("github.com", "acme", "site")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "/srv/git/site.git",
        "file:///srv/site",
        "https://github.com/acme",
        "https://github.com/a/b/c",
        "https://evil.test/?x=github.com/acme/site",
        "https://github.com/acme/../site",
        "https://github.com/../user",
        "git@github.com:acme/...git",
    ],
)
def test_what_is_no_remote_of_a_provider(origin: str) -> None:
    assert repository(origin) is None


@given(st.text())
def test_any_remote_is_read_or_not(origin: str) -> None:
    found = repository(origin)
    assert found is None or "/" not in found.host + found.owner + found.name
    assert "@" not in without_secret(f"https://a:b@host/{origin.replace('@', '')}")


def test_pages_of_pull_requests() -> None:
    where = Repository("git.example.com", "a", "b.c")
    assert pull("https://git.example.com/a/b.c/pull/12") == (where, 12)
    assert pull("https://git.example.com/a/b.c/pulls") is None


def test_when_to_look_again_for_nothing() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    soon, fresh, old = now + timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=2)

    def claim(url: str | None, pushed: datetime | None) -> Claim:
        return Claim(UUID(int=1), UUID(int=2), url, "b", "o", pushed)

    assert unseen_until(claim(None, now - fresh), now) == soon
    assert unseen_until(claim(None, now - old), now) is None
    assert unseen_until(claim(None, None), now) is None
    assert unseen_until(claim("u", now - old), now) == soon
