"""Chats that are put away leave no processes: at an agent's real rooms."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

from server.chats.events import Change, ChatChanged
from server.chats.store import chats
from server.chats.store.chats import NewChat
from server.chats.worker.closing import Closer
from server.kit.db import Database
from tests.server.chats.rows import MODEL
from tests.server.tools.scene import Scene, opened
from tests.server.workspaces.world import SYSTEM
from tests.server.workspaces.world import opened as opened_world


async def written(scene: Scene, workspace: UUID, agent: UUID) -> UUID:
    """Write a chat of Ann's that works there."""
    chat, model = uuid4(), uuid4()
    async with scene.world.database.tx(SYSTEM) as tx:
        args = {"id": model, "model": "one", "default": False, "now": tx.now}
        await tx.run(MODEL, args)
        new = NewChat(
            chat,
            scene.world.organization,
            scene.world.ann.id,
            "A chat",
            model,
            workspace_id=workspace,
            agent_id=agent,
        )
        await chats.insert(tx, new)
    return chat


async def announce(scene: Scene, chat: UUID, origin: str) -> None:
    """Say that a chat was put away."""
    fact = ChatChanged(
        chat_id=chat,
        owner_id=scene.world.ann.id,
        changes=(Change.ARCHIVED, Change.STATUS),
        status="waiting",
        snapshot_version=1,
        history_version=1,
        queue_version=1,
        origin=origin,
    )
    async with scene.world.database.tx(SYSTEM) as tx:
        await tx.announce(fact)


async def test_processes_end_with_the_chat(database: Database, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    async with opened_world(database, tmp_path) as world, opened(world, home) as scene:
        workspace = await scene.workspace()
        agent = await scene.agent_of(workspace)
        chat, stays = await written(scene, workspace, agent), await written(scene, workspace, agent)
        turn, other = [
            await scene.turn(id=one, workspace_id=workspace, agent_id=agent)
            for one in (chat, stays)
        ]
        for each in (turn, other):
            await each.done("execute", command="exec sleep 1000", run_in_background=True)
        async with database.tx(SYSTEM) as tx:
            await tx.run(
                "UPDATE chats SET archived = true, status = 'waiting' WHERE id = %(id)s",
                {"id": chat},
            )
        closer = asyncio.ensure_future(Closer(database, world.pubsub, scene.means).run())
        await asyncio.sleep(0)
        try:
            await announce(scene, uuid4(), "")
            await announce(scene, stays, "")
            await announce(scene, chat, "another replica")
            await announce(scene, chat, database.origin)
            async with asyncio.timeout(20):
                while (await turn.done("process_list"))["processes"]:
                    pass
        finally:
            closer.cancel()
            await asyncio.gather(closer, return_exceptions=True)
        [left] = (await other.done("process_list"))["processes"]
        assert left["running"] is True
