"""When repositories are looked at, and what is told of them."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent.git import Git, GitWatch, Paths
from agent.git.watch import Message
from agent.kit.child import Children
from agent.network.http import Answer, Request, Table, Upgrade
from coder_cli.kit.clock import SystemClock
from coder_cli.sdk.agentapi import git
from coder_cli.sdk.agentapi.http import ChatContext
from tests.agent.frames import End
from tests.agent.git.conftest import Make
from tests.support.clock import FakeClock, settle


async def nothing() -> AsyncIterator[bytes]:
    for none in ():
        yield none


@dataclass
class Client:
    """Somebody who watches."""

    end: End
    clock: FakeClock

    async def next(self) -> Any:
        """Return the next message."""
        async with asyncio.timeout(20):
            return await self.end.json()

    async def say(self, **words: Any) -> None:
        """Send a message."""
        await self.end.send(json.dumps(words))

    async def after(self, seconds: float) -> None:
        """Let time pass once whoever looks is done looking, and rests."""
        async with asyncio.timeout(20):
            await self.clock.wake_within(seconds)


Watch = Callable[..., Awaitable[Client]]


@dataclass
class Desk:
    """What watchers of this test share."""

    clock: FakeClock
    paths: Paths
    table: Table
    chat: ChatContext


@pytest.fixture
def desk(command: Git) -> Desk:
    """A table with the route."""
    desk = Desk(FakeClock(), Paths(), Table(), ChatContext(uuid4()))
    GitWatch(command, desk.paths, desk.clock).mount(desk.table)
    return desk


async def ask(desk: Desk, chat: str, **headers: str) -> Any:
    request = Request("GET", git.WATCH, {"chat_id": chat}, headers, nothing())
    return await desk.table(request)


@pytest.fixture
async def watch(desk: Desk) -> AsyncIterator[Watch]:
    """Watch a chat; ends with the test."""
    tasks: list[asyncio.Future[None]] = []
    ends: list[End] = []

    async def watch(chat: ChatContext | None = None) -> Client:
        reply = await ask(desk, str((chat or desk.chat).id), **(chat.headers() if chat else {}))
        assert isinstance(reply, Upgrade)
        ours, theirs = End.pair()
        tasks.append(asyncio.ensure_future(reply.serve(theirs)))
        ends.append(ours)
        return Client(ours, desk.clock)

    yield watch
    for end in ends:
        await end.close()
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks)


async def test_what_a_tool_call_touched_is_told_at_once(
    desk: Desk, watch: Watch, make: Make
) -> None:
    """Seed: it polls on a 30s interval, on tool calls, and on explicit refresh."""
    repo = make()
    repo.write("a.txt", "changed\n")
    client = await watch()
    desk.paths.touched(desk.chat, [str(repo.root / "a.txt")])
    await client.after(1)
    told = await client.next()
    assert told["type"] == "changes"
    assert datetime.fromisoformat(told["scanned_at"]).tzinfo
    (only,) = told["repositories"]
    assert (only["repo_root"], only["branch"], only["remote_origin"], only["removed"]) == (
        str(repo.root), "main", "", False,
    )  # fmt: skip
    assert "+changed" in only["unified_diff"]


async def test_it_looks_every_30_seconds_and_tells_only_what_changed(
    desk: Desk, watch: Watch, make: Make
) -> None:
    """Seed: a new message is emitted only when the snapshot changes."""
    repo, other = make(), make("other")
    desk.paths.touched(desk.chat, [str(repo.root), str(other.root)])
    client = await watch()
    assert len((await client.next())["repositories"]) == 2
    await client.after(1)
    await client.after(29)  # Nothing changed, nothing is told.
    repo.write("a.txt", "changed\n")
    await client.after(1)
    await client.after(29)
    (only,) = (await client.next())["repositories"]
    assert only["repo_root"] == str(repo.root)
    assert client.end.inbox.empty()


async def test_a_refresh_is_a_look_but_at_most_one_a_second(
    desk: Desk, watch: Watch, make: Make
) -> None:
    """Seed: scans are rate-limited to at most once per second."""
    repo = make()
    desk.paths.touched(desk.chat, [str(repo.root)])
    client = await watch()
    await client.next()
    for number in range(3):
        repo.write("a.txt", f"{number}\n")
        for _ in range(5):
            await client.say(type="refresh")
        await settle()
        assert client.end.inbox.empty()  # It rests still.
        await client.after(1)
        assert f"+{number}" in (await client.next())["repositories"][0]["unified_diff"]


async def test_a_client_may_say_itself_what_to_watch(watch: Watch, make: Make) -> None:
    repo = make()
    client = await watch()
    await client.say(type="subscribe", paths=["relative", str(repo.root), 7])
    await client.after(1)
    assert (await client.next())["repositories"][0]["repo_root"] == str(repo.root)


@pytest.mark.parametrize("words", ['{"type": "dance"}', "[]", "not JSON", "{}", '{"type": 1}'])
async def test_unknown_messages_are_answered_in_their_words(watch: Watch, words: str) -> None:
    client = await watch()
    await client.end.send(words)
    assert await client.next() == {"type": "error", "message": "unknown message type"}


async def test_a_child_sees_what_its_parent_did(desk: Desk, watch: Watch, make: Make) -> None:
    """Seed: paths are based on tool calls made by the chat and its ancestor chats."""
    repo = make()
    desk.paths.touched(desk.chat, [str(repo.root)])
    client = await watch(ChatContext(uuid4(), (desk.chat.id,)))
    assert (await client.next())["repositories"][0]["repo_root"] == str(repo.root)


async def test_a_repository_that_is_gone_is_told_once_and_may_come_back(
    desk: Desk, watch: Watch, make: Make
) -> None:
    repo = make()
    desk.paths.touched(desk.chat, [str(repo.root / "a.txt")])
    client = await watch()
    await client.next()
    shutil.rmtree(repo.root)
    await client.after(1)
    await client.after(29)
    (only,) = (await client.next())["repositories"]
    assert only == {
        "repo_root": str(repo.root),
        "branch": "",
        "remote_origin": "",
        "unified_diff": "",
        "removed": True,
    }
    await client.after(1)
    make()
    await client.after(29)
    assert (await client.next())["repositories"][0]["removed"] is False


async def test_paths_outside_of_git_are_ignored(desk: Desk, watch: Watch, tmp_path: Path) -> None:
    desk.paths.touched(desk.chat, [str(tmp_path), "/", "/no/such"])
    client = await watch()
    await client.after(1)
    await client.after(29)
    assert client.end.inbox.empty()


async def test_a_query_without_a_chat_is_refused(desk: Desk) -> None:
    reply = await ask(desk, "everything")
    assert isinstance(reply, Answer)
    assert (reply.status, reply.body["message"]) == (
        400,
        "The query names no chat: chat_id must be a UUID.",
    )


async def test_a_workspace_without_git_says_so_once(tmp_path: Path, make: Make) -> None:
    repo = make()
    clock = SystemClock()
    command = Git(lambda: {"PATH": str(tmp_path)}, Children(clock), clock)
    desk = Desk(FakeClock(), Paths(), Table(), ChatContext(uuid4()))
    GitWatch(command, desk.paths, desk.clock).mount(desk.table)
    desk.paths.touched(desk.chat, [str(repo.root)])
    reply = await ask(desk, str(desk.chat.id))
    assert isinstance(reply, Upgrade)
    ours, theirs = End.pair()
    serving = asyncio.ensure_future(reply.serve(theirs))
    client = Client(ours, desk.clock)
    assert "git is not installed" in (await client.next())["message"]
    await client.after(1)
    await client.after(29)
    await client.after(1)
    assert ours.inbox.empty()
    await ours.close()
    await serving


def test_messages_stay_below_what_is_read() -> None:
    big = git.Repository("/a", unified_diff="\x01" * 1_000_000)
    small = git.Repository("/b", unified_diff="x" * 2_500_000)
    message = Message(datetime(2026, 1, 1, tzinfo=UTC))
    assert not message
    assert message.add(big)
    assert message.add(small)
    assert not message.add(small)
    told = json.loads(message.text())
    assert told["scanned_at"] == "2026-01-01T00:00:00Z"
    assert told["repositories"][0]["unified_diff"] == (
        "Total diff too large to show. Size: 977 KiB. Showing branch and remote only."
    )
    assert len(message.text().encode()) < git.LARGEST_MESSAGE
