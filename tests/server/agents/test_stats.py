"""Statistics: whoever has a session open uses the workspace, of whatever kind the session is."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import Method
from server.kit.authz import as_system
from tests.server.agents.house import House, Replica, scripted
from tests.server.agents.rows import AgentRows

ME = as_system("test")
KINDS = ("ssh", "vscode", "jetbrains", "reconnecting_pty")


async def deadline(house: House) -> datetime:
    async with house.database.tx(ME) as tx:
        found: Any = await tx.value("SELECT deadline FROM workspace_builds")
    return found


async def soon(house: House) -> datetime:
    """Let the workspace stop in ten minutes."""
    async with house.database.tx(ME) as tx:
        at = tx.now + timedelta(minutes=10)
        await tx.run("UPDATE workspace_builds SET deadline = %(at)s", {"at": at})
        hour = timedelta(hours=1) / timedelta(milliseconds=1)
        await tx.run("UPDATE templates SET activity_bump_ms = %(ms)s", {"ms": round(hour)})
    return at


@pytest.mark.parametrize("kind", KINDS)
async def test_an_open_session_puts_off_the_stop(
    house: House, replica: Replica, agent: AgentRows, kind: str
) -> None:
    at = await soon(house)
    async with scripted(replica, agent) as line:
        await line.call(Method.STATS, api.Stats(connection_count=1, rx_bytes=1000))
        assert await deadline(house) == at
        await line.call(Method.STATS, **{f"session_count_{kind}": 1})
        assert await deadline(house) >= at + timedelta(minutes=49)
