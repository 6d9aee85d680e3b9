"""Seed: a turn's heartbeat counts as use of its workspace, so that it is not stopped."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

from server.chats.model import Status
from server.kit.db import Database
from server.llm import Finish, Finished, PartDone, Request, StreamEvent, Text, TextDelta, Usage
from tests.server.chats.rows import SYSTEM
from tests.server.chats.worker.world import World, opened
from tests.support.clock import FakeClock

WORKSPACE = """
    WITH file AS (
        INSERT INTO files (id, hash, created_by, mimetype, data, created_at)
        VALUES (gen_random_uuid(), 'x', %(owner)s, 'application/x-tar', '', %(now)s)
        RETURNING id),
    template AS (
        INSERT INTO templates (id, organization_id, name, active_version_id, created_by,
                               created_at, updated_at)
        VALUES (gen_random_uuid(), %(organization)s, 'plain', gen_random_uuid(), %(owner)s,
                %(now)s, %(now)s)
        RETURNING id)
    INSERT INTO workspaces (id, owner_id, organization_id, template_id, name, last_used_at,
                            created_at, updated_at)
    SELECT gen_random_uuid(), %(owner)s, %(organization)s, template.id, 'dev', %(now)s, %(now)s,
           %(now)s
      FROM template, file
    RETURNING id
"""


async def test_seed_usage_tracker_bumps_last_used_at(database: Database) -> None:
    clock, go_on, began = FakeClock(), asyncio.Event(), asyncio.Event()
    database.clock = clock

    async def slow(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "one")
        began.set()
        await go_on.wait()
        yield PartDone(0, Text("one"))
        yield Finished((Text("one"),), Usage(), Finish.STOP)

    async with opened(database, clock) as world:
        async with database.tx(SYSTEM) as tx:
            args = {
                "owner": world.rows.owner,
                "organization": world.rows.organization,
                "now": tx.now,
            }
            workspace = await tx.value(WORKSPACE, args)
        world.model.script = slow
        replica = await world.replica()
        chat_id = await world.chat(workspace_id=workspace)
        await world.say(chat_id, "hello", on=replica)
        await began.wait()
        start = clock.now()
        await clock.wake_within(5)
        async with asyncio.timeout(20):
            while True:
                used = await _used(world)
                if used >= start + timedelta(seconds=4):
                    break
                await asyncio.sleep(0.02)
        go_on.set()
        await world.until(chat_id, Status.WAITING)


async def _used(world: World) -> datetime:
    async with world.database.tx(SYSTEM) as tx:
        return await tx.value("SELECT last_used_at FROM workspaces")
