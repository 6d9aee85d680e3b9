"""What a workspace tells a chat: by its agent's owner only, for chats that work there."""

from typing import LiteralString
from uuid import UUID, uuid4

import pytest

from coder_cli.sdk.chats.context import ChatContextPart
from server.chats.actions import context
from server.chats.errors import ContentRequired, InvalidPart
from server.chats.store import messages
from server.identity import actor_of
from server.kit.errors import NotFound
from server.llm import ContextFile, Skill, Text, decode
from tests.server.chats.world import SYSTEM, World

FILE = ChatContextPart(
    type="context-file",
    context_file_path="/home/ann/AGENTS.md",
    context_file_content="Be kind.",
    context_file_os="linux",
    context_file_directory="/home/ann",
)
SKILL = ChatContextPart(
    type="skill", skill_name="deploy", skill_description="Deploy it.", skill_dir="/s/deploy"
)
AGENT = uuid4()
AT_WORK: tuple[LiteralString, ...] = (
    """
    INSERT INTO templates (id, organization_id, name, active_version_id, created_by,
                           created_at, updated_at)
    VALUES (%(w)s, %(o)s, 'one', %(w)s, %(by)s, now(), now())
    """,
    """
    INSERT INTO workspaces (id, owner_id, organization_id, template_id, name, last_used_at,
                            created_at, updated_at)
    VALUES (%(w)s, %(by)s, %(o)s, %(w)s, 'dev', now(), now(), now())
    """,
    "UPDATE chats SET workspace_id = %(w)s WHERE id = %(c)s",
)


async def at_work(world: World) -> tuple[UUID, UUID]:
    """Return a chat of Ann's, and the workspace that it works in."""
    chat_id, workspace = await world.chat(), uuid4()
    values = {"w": workspace, "c": chat_id, "o": world.organization, "by": world.ann.id}
    async with world.database.tx(SYSTEM) as tx:
        for statement in AT_WORK:
            await tx.run(statement, values)
    return chat_id, workspace


async def add(world: World, chat: UUID, workspace: UUID, *parts: ChatContextPart) -> int:
    async with world.database.tx(SYSTEM) as tx:
        ann = await actor_of(tx, world.ann.id)
    async with world.database.tx(ann) as tx:
        return await context.add(tx, chat, workspace, AGENT, parts)


async def told(world: World, chat: UUID) -> list[object]:
    """Return what the model sees of it."""
    async with world.database.tx(SYSTEM) as tx:
        rows = await messages.prompt_view(tx, chat)
    parts = [part for row in rows for part in decode(row.content, row.content_version)]
    return [part for part in parts if isinstance(part, ContextFile | Skill)]


async def test_the_model_is_told_and_people_are_not(world: World) -> None:
    chat, workspace = await at_work(world)
    assert await add(world, chat, workspace, FILE, SKILL) == 2
    file, skill = await told(world, chat)
    assert file == ContextFile("/home/ann/AGENTS.md", "Be kind.", os="linux", directory="/home/ann")
    assert isinstance(skill, Skill)
    assert skill.description == "Deploy it. (read_file /s/deploy/SKILL.md)"
    page = (await world.ann.api.get(f"/chats/{chat}/messages")).json()
    assert [row["role"] for row in page["messages"]] == ["user"]


async def test_it_is_taken_back_and_words_stay(world: World) -> None:
    chat, workspace = await at_work(world)
    before = await world.read(chat)
    await add(world, chat, workspace, FILE)
    async with world.database.tx(SYSTEM) as tx:
        ann = await actor_of(tx, world.ann.id)
    async with world.database.tx(ann) as tx:
        assert await context.clear(tx, chat, workspace) == 1
        assert await context.clear(tx, chat, workspace) == 0
    assert await told(world, chat) == []
    async with world.database.tx(SYSTEM) as tx:
        (row,) = [one for one in await messages.prompt_view(tx, chat) if one.role == "user"]
    assert decode(row.content, 1) == (Text("hello"),)
    assert (await world.read(chat)).history_version == before.history_version + 2


async def test_chats_that_work_elsewhere_are_out_of_reach(world: World) -> None:
    chat, workspace = await at_work(world)
    with pytest.raises(NotFound):
        await add(world, chat, uuid4(), FILE)
    async with world.database.tx(SYSTEM) as tx:
        root = await actor_of(tx, world.owner.id)
    with pytest.raises(NotFound):
        async with world.database.tx(root) as tx:
            await context.add(tx, chat, workspace, AGENT, [FILE])


async def test_a_chat_holds_no_more_of_it_than_fits_a_prompt(world: World) -> None:
    chat, workspace = await at_work(world)
    large = FILE.model_copy(update={"context_file_content": "x" * 65_000})
    assert await add(world, chat, workspace, *[large] * 60) == 60
    with pytest.raises(InvalidPart) as refused:
        await add(world, chat, workspace, *[large] * 10)
    assert "clear that first" in refused.value.detail
    assert len(await told(world, chat)) == 60
    assert await add(world, chat, workspace, FILE) == 1


@pytest.mark.parametrize(
    ("part", "where"),
    [
        (ChatContextPart(type="text"), "parts[0].type"),
        (FILE.model_copy(update={"context_file_path": "AGENTS.md"}), "parts[0].context_file_path"),
        (FILE.model_copy(update={"context_file_content": "é" * 40_000}),
         "parts[0].context_file_content"),
        (SKILL.model_copy(update={"skill_name": ""}), "parts[0].skill_name"),
        (SKILL.model_copy(update={"skill_dir": "/a\0b"}), "parts[0].skill_dir"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(part: ChatContextPart, where: str) -> None:
    with pytest.raises(InvalidPart) as refused:
        context.parts_of([part], AGENT)
    assert refused.value.detail.startswith(where)


def test_nothing_is_refused_and_too_much_as_well() -> None:
    with pytest.raises(ContentRequired):
        context.parts_of([], AGENT)
    with pytest.raises(InvalidPart):
        context.parts_of([FILE] * 501, AGENT)
