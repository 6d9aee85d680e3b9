"""The tools of chats over the real relay, from a second replica: a model's work without a model."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from server import identity
from server.agents import Dialer, Options, Switchboard
from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from server.loop import Call
from server.network import Relay
from server.templates import FormDesk
from server.tools import ChatFacts, Means, WorkspaceLink, close_chat, toolbox, workspace_context
from tests.server.tools.scene import ListPort
from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment after `coder server --quickstart`."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start("--quickstart")
        until("the quickstart", lambda: "is ready. In another terminal" in house.said())
        until("the agent", lambda: house.agent("dev").get("status") == "connected")
        yield house
    finally:
        house.close()


@asynccontextmanager
async def replica(house: House, dsn: str) -> AsyncGenerator[Means]:
    """Yield what tools stand on, in a replica that no agent hangs on."""
    database, pubsub = Database(dsn), Pubsub(dsn)
    await database.open()
    relay = Relay(database)
    running = [asyncio.ensure_future(each) for each in (pubsub.run(), relay.run())]
    await pubsub.listening.wait()
    await relay.listening.wait()
    board = Switchboard(database, pubsub, relay, Options(access_url=house.url))
    try:
        yield Means(database, pubsub, Dialer(board), FormDesk(database, None, house.url))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await database.close()


async def facts_of(means: Means, workspace_id: UUID | None = None) -> ChatFacts:
    """Return a chat of the quickstart's user."""
    async with means.database.tx(as_system("test")) as tx:
        [row] = await tx.rows("SELECT id, username FROM users WHERE NOT deleted")
        organization = await identity.default_organization(tx)
        actor = await identity.actor_of(tx, row["id"])
    return ChatFacts(
        uuid4(), organization.id, actor, row["username"], "A chat", workspace_id=workspace_id
    )


class Turn:
    """A turn with its tools."""

    def __init__(self, means: Means, facts: ChatFacts) -> None:
        self.port = ListPort()
        self.link = WorkspaceLink(means, facts, self.port)
        box = toolbox(means, facts, self.port, self.link)
        self.tools = {tool.spec.name: tool for tool in box.tools}

    async def done(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Use a tool that succeeds."""
        result = await self.tools[name](Call("1", args))
        assert not result.is_error, result.value
        return cast("dict[str, Any]", result.value)


@asynccontextmanager
async def begun(
    means: Means, workspace_id: UUID | None = None, *, facts: ChatFacts | None = None
) -> AsyncGenerator[Turn]:
    """Yield a turn of a chat; its connection ends with it."""
    turn = Turn(means, facts or await facts_of(means, workspace_id))
    try:
        yield turn
    finally:
        await turn.link.close()


async def test_a_chat_makes_a_workspace_and_works_in_it(house: House, module_dsn: str) -> None:
    async with replica(house, module_dsn) as means, begun(means) as turn:
        [template] = (await turn.done("list_templates"))["templates"]
        await turn.done("read_template", template_id=template["id"])
        made = await turn.done("create_workspace", template_id=template["id"], name="by-chat")
        assert made["created"] is True
        assert "agent_status" not in made
        assert house.workspace("by-chat")["latest_build"]["status"] == "running"

        looks = turn.link.looks
        home = await turn.link.home()
        path = f"{home}/hello.py"
        await turn.done("write_file", path=path, content="print('hello')\n")
        edit = {"path": path, "edits": [{"old_text": "hello", "new_text": "hello there"}]}
        [edited] = (await turn.done("edit_files", files=[edit]))["files"]
        assert "+print('hello there')" in edited["diff"]
        assert (await turn.done("read_file", path=path))["content"] == "1\tprint('hello there')"
        told = await turn.done(
            "execute", command="cat hello.py; echo $GIT_TERMINAL_PROMPT", workdir=home
        )
        assert told["output"] == "print('hello there')\n0\n"
        assert turn.link.looks == looks, "building looks often, working once"

        await turn.done("write_file", path=f"{home}/.coder/AGENTS.md", content="Be brief.")
        # What was found when the workspace was made is kept for five minutes.
        means.contexts.drop((await turn.link.agent()).id)
        context = await workspace_context(means, turn.link)
        assert context is not None
        assert [each.content for each in context.files] == ["Be brief."]


async def test_processes_outlive_turns_and_end_with_the_chat(house: House, module_dsn: str) -> None:
    workspace = UUID(house.workspace("by-chat")["id"])
    async with replica(house, module_dsn) as means:
        async with begun(means, workspace) as one:
            told = await one.done("execute", command="echo up; exec sleep 1000 &")
            process = told["background_process_id"]
            facts = one.link.facts
        async with begun(means, facts=facts) as two:
            seen = await two.done("process_output", process_id=process, wait_timeout="500ms")
            assert (seen["output"], seen["background_process_id"]) == ("up\n", process)
            assert two.link.looks == 1
            await close_chat(means, facts.id, two.link.agent_id)
            assert (await two.done("process_list"))["processes"] == []


async def test_stop_and_start_again(house: House, module_dsn: str) -> None:
    workspace = UUID(house.workspace("by-chat")["id"])
    async with replica(house, module_dsn) as means, begun(means, workspace) as turn:
        assert (await turn.done("stop_workspace"))["stopped"] is True
        refused = await turn.tools["execute"](Call("1", {"command": "true"}))
        assert "the workspace is stopped" in str(refused.value)
        started = await turn.done("start_workspace")
        assert started["started"] is True
        assert "agent_status" not in started
        assert (await turn.done("execute", command="cat ~/hello.py"))["success"] is True
