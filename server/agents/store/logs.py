"""Logs of agents: written with a limit, read by id."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from server.agents.model import Line, LogRange, LogSource, MetadataRow, StoredLog
from server.kit.db import Tx

MOST_SOURCES = 1000
"""Writers that an agent may name; whoever holds its token could name them without end."""

LENGTH: LiteralString = """
    SELECT logs_length, logs_overflowed
      FROM workspace_agents WHERE id = %(agent_id)s FOR UPDATE
"""
SET_LENGTH: LiteralString = """
    UPDATE workspace_agents
       SET logs_length = %(length)s, logs_overflowed = %(overflowed)s
     WHERE id = %(agent_id)s
"""
APPEND: LiteralString = """
    INSERT INTO workspace_agent_logs (agent_id, source_id, level, output, created_at)
    SELECT %(agent_id)s, %(source_id)s, line.level, line.output, line.created_at
      FROM unnest(%(levels)s::text[], %(outputs)s::text[], %(times)s::timestamptz[])
           WITH ORDINALITY AS line (level, output, created_at, position)
     ORDER BY line.position
"""
ADD_SOURCE: LiteralString = """
    INSERT INTO workspace_agent_log_sources (id, workspace_agent_id, display_name, icon, created_at)
    SELECT %(id)s, %(agent_id)s, %(display_name)s, %(icon)s, %(now)s
     WHERE (SELECT count(*) FROM workspace_agent_log_sources
             WHERE workspace_agent_id = %(agent_id)s) < %(most)s
    ON CONFLICT DO NOTHING
"""
SOURCE: LiteralString = """
    SELECT id, workspace_agent_id, display_name, icon, created_at
      FROM workspace_agent_log_sources
     WHERE workspace_agent_id = %(agent_id)s AND id = %(id)s
"""
BETWEEN: LiteralString = """
    SELECT id, created_at, output, level, source_id
      FROM workspace_agent_logs
     WHERE agent_id = %(agent_id)s AND id > %(after)s
       AND (%(before)s::bigint IS NULL OR id < %(before)s)
     ORDER BY id
"""
METADATA: LiteralString = """
    SELECT key, value, error, collected_at
      FROM workspace_agent_metadata WHERE workspace_agent_id = %(agent_id)s
"""


@dataclass(frozen=True, slots=True)
class Fill:
    """How full an agent's log is."""

    logs_length: int
    logs_overflowed: bool


async def lock_fill(tx: Tx, agent_id: UUID) -> Fill | None:
    """Return how full an agent's log is, and let nobody else write to it in this transaction."""
    return await tx.one(Fill, LENGTH, {"agent_id": agent_id})


async def set_fill(tx: Tx, agent_id: UUID, fill: Fill) -> None:
    """Write how full the log is now."""
    await tx.run(
        SET_LENGTH,
        {
            "agent_id": agent_id,
            "length": fill.logs_length,
            "overflowed": fill.logs_overflowed,
        },
    )


async def append(tx: Tx, agent_id: UUID, source_id: UUID, lines: Sequence[Line]) -> None:
    """Write lines in their order, in one statement."""
    await tx.run(
        APPEND,
        {
            "agent_id": agent_id,
            "source_id": source_id,
            "levels": [line.level for line in lines],
            "outputs": [line.output for line in lines],
            "times": [line.created_at for line in lines],
        },
    )


async def add_source(tx: Tx, agent_id: UUID, source_id: UUID, name: str, icon: str) -> None:
    """Name a writer of lines; the first name stays, and one too many is not kept."""
    args = {
        "id": source_id,
        "agent_id": agent_id,
        "display_name": name,
        "icon": icon,
        "now": tx.now,
        "most": MOST_SOURCES,
    }
    await tx.run(ADD_SOURCE, args)


async def source(tx: Tx, agent_id: UUID, source_id: UUID) -> LogSource | None:
    """Return a writer of lines."""
    return await tx.one(LogSource, SOURCE, {"agent_id": agent_id, "id": source_id})


async def between(tx: Tx, agent_id: UUID, wanted: LogRange) -> list[StoredLog]:
    """Return an agent's lines in order. Who may read them is the caller's question."""
    args = {"agent_id": agent_id, "after": wanted.after, "before": wanted.before}
    return await tx.all(StoredLog, BETWEEN, args)


async def metadata(tx: Tx, agent_id: UUID) -> list[MetadataRow]:
    """Return an agent's collected values. Who may read them is the caller's question."""
    return await tx.all(MetadataRow, METADATA, {"agent_id": agent_id})
