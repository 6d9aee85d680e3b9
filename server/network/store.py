"""Which replicas live, and the secret they know each other by."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx

STALE = timedelta(seconds=15)
"""A replica that has not been heard of for so long is taken for dead."""
FORGET = timedelta(days=1)
_FEATURE = "relay"

COLUMNS: LiteralString = "id, hostname, relay_address, version, started_at, updated_at"

REGISTER: LiteralString = """
    INSERT INTO replicas (id, hostname, relay_address, version, started_at, updated_at)
    VALUES (%(id)s, %(hostname)s, %(relay_address)s, %(version)s, %(now)s, %(now)s)
    ON CONFLICT (id) DO UPDATE
       SET relay_address = excluded.relay_address, updated_at = excluded.updated_at,
           stopped_at = NULL
"""
STOP: LiteralString = "UPDATE replicas SET stopped_at = %(now)s WHERE id = %(id)s"
FORGET_DEAD: LiteralString = "DELETE FROM replicas WHERE updated_at < %(before)s"
ALIVE: LiteralString = f"""
    SELECT {COLUMNS} FROM replicas
     WHERE id = %(id)s AND stopped_at IS NULL AND updated_at > %(after)s
"""
ALL_ALIVE: LiteralString = f"""
    SELECT {COLUMNS} FROM replicas WHERE stopped_at IS NULL AND updated_at > %(after)s
     ORDER BY started_at, id
"""
MAKE_KEY: LiteralString = """
    INSERT INTO crypto_keys (feature, sequence, secret, starts_at)
    VALUES (%(feature)s, 1, %(secret)s, %(now)s) ON CONFLICT DO NOTHING
"""
KEY: LiteralString = """
    SELECT secret FROM crypto_keys WHERE feature = %(feature)s ORDER BY sequence DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Replica:
    """One server process of the deployment; ``relay_address`` is ``host:port``."""

    id: UUID
    hostname: str
    relay_address: str
    version: str
    started_at: datetime
    updated_at: datetime


async def register(tx: Tx, replica: Replica) -> None:
    """Say that ``replica`` lives; also its heartbeat."""
    await tx.run(
        REGISTER,
        {
            "id": replica.id,
            "hostname": replica.hostname,
            "relay_address": replica.relay_address,
            "version": replica.version,
            "now": tx.now,
        },
    )


async def stop(tx: Tx, replica_id: UUID) -> None:
    """Say that a replica ended in order."""
    await tx.run(STOP, {"id": replica_id, "now": tx.now})


async def forget_dead(tx: Tx) -> int:
    """Remove the rows of replicas that are long gone; return how many."""
    return await tx.run(FORGET_DEAD, {"before": tx.now - FORGET})


async def alive(tx: Tx, replica_id: UUID) -> Replica | None:
    """Return a replica, unless it stopped or has not been heard of for ``STALE``."""
    return await tx.one(Replica, ALIVE, {"id": replica_id, "after": tx.now - STALE})


async def all_alive(tx: Tx) -> list[Replica]:
    """Return every replica that lives."""
    return await tx.all(Replica, ALL_ALIVE, {"after": tx.now - STALE})


async def secret(tx: Tx) -> bytes:
    """Return the secret that replicas show each other; make it when there is none."""
    made = {"feature": _FEATURE, "secret": secrets.token_bytes(32), "now": tx.now}
    await tx.run(MAKE_KEY, made)
    return bytes(await tx.value(KEY, {"feature": _FEATURE}))
