"""How long the list of templates takes beside 10,000 workspaces and their builds. Run by hand:

python -m tests.bench.bench_list_templates [workspaces] [templates]
"""

import asyncio
import sys
import time
from typing import LiteralString

from server.kit.authz import Actor
from server.kit.db import Database
from server.templates.actions import templates
from tests.bench.bench_list_workspaces import ADMIN, MEMBER_ID, ORGANIZATION, ROUNDS, report, seed
from tests.support.postgres import TestPostgres, cloned

MORE: LiteralString = """
    INSERT INTO templates (id, organization_id, name, active_version_id, created_by, group_acl,
                           created_at, updated_at)
    SELECT gen_random_uuid(), organization_id, 'more' || n, active_version_id, created_by,
           CASE WHEN n %% 2 = 0 THEN group_acl ELSE '{}' END, now(), now()
      FROM (SELECT * FROM templates LIMIT 1) t, generate_series(1, %(count)s) n
"""


async def measured(database: Database, actor: Actor, q: str) -> list[float]:
    """Return the milliseconds of each round, sorted; the first three warm up."""
    took: list[float] = []
    for _ in range(ROUNDS + 3):
        began = time.perf_counter()
        async with database.tx(actor) as tx:
            await templates.search(tx, q)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took[3:])


async def main(dsn: str, workspaces: int, count: int) -> None:
    """Seed and measure."""
    database = Database(dsn)
    await database.open()
    async with database.tx(ADMIN) as tx:
        await tx.conn.execute(seed(workspaces))
        await tx.run(MORE, {"count": count})
        member = Actor(
            await tx.value(MEMBER_ID), "member", frozenset(), {ORGANIZATION: frozenset()}
        )
    for actor in (ADMIN, member):
        for q in ("", "exact_name:template1"):
            report(f"{actor.label}, q={q!r}", await measured(database, actor, q))
    await database.close()


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    postgres = TestPostgres()
    try:
        with cloned(postgres.start()) as address:
            asyncio.run(main(address, *(given + [10_000, 100][len(given) :])))
    finally:
        postgres.stop()
