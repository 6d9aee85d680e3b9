"""How long a page of 50 of 10,000 chats takes: own chats of one user, and of one among many.

Run by hand:

python -m tests.bench.bench_list_chats [rows]
"""

import asyncio
import statistics
import sys
import time
from typing import LiteralString
from uuid import UUID

from coder_cli.sdk.chats.chats import Chat
from server.chats.actions import listing
from server.chats.convert.chats import shown
from server.chats.model.search import Part, search
from server.kit.authz import Actor
from server.kit.db import Database
from tests.support.postgres import TestPostgres, cloned

ORGANIZATION = UUID(int=1)
ROUNDS = 60

# Ids are made from numbers, so that rows can name each other without being read back. User 7 has
# every second chat; the others share the rest. One in ten is archived, one in ten has sub-agents.
SEED: LiteralString = """
CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
  $$ SELECT md5(kind || n)::uuid $$;
INSERT INTO organizations (id, name, is_default, created_at, updated_at)
  VALUES ('00000000-0000-0000-0000-000000000001', 'coder', true, now(), now());
INSERT INTO users (id, email, username, status, login_type, created_at, updated_at)
  SELECT pg_temp.id('user', n), 'u' || n || '@example.com', 'user' || n, 'active', 'password',
         now(), now()
    FROM generate_series(1, 200) n;
INSERT INTO chat_model_configs (id, provider, model, is_default, context_limit,
                                compression_threshold, created_at, updated_at)
  VALUES (pg_temp.id('model', 1), 'scripted', 'one', true, 100000, 70, now(), now());
INSERT INTO chats (id, organization_id, owner_id, last_model_config_id, title, status, archived,
                   pin_order, labels, created_at, updated_at)
  SELECT pg_temp.id('chat', n), '00000000-0000-0000-0000-000000000001',
         pg_temp.id('user', CASE WHEN n % 2 = 0 THEN 7 ELSE 1 + n % 200 END),
         pg_temp.id('model', 1), 'Chat ' || n || ' about things', 'waiting', n % 10 = 0,
         CASE WHEN n < 10 THEN n ELSE 0 END, jsonb_build_object('n', (n % 100)::text),
         now() - n * interval '1 minute', now() - n * interval '1 minute'
    FROM generate_series(1, :rows) n;
INSERT INTO chats (id, organization_id, owner_id, last_model_config_id, title, status, archived,
                   parent_chat_id, root_chat_id, created_at, updated_at)
  SELECT pg_temp.id('child', n * 10 + s), c.organization_id, c.owner_id, c.last_model_config_id,
         'Below', 'waiting', c.archived, c.id, c.id, c.created_at, c.updated_at
    FROM generate_series(1, :rows, 9) n JOIN chats c ON c.id = pg_temp.id('chat', n),
         generate_series(1, 3) s;
INSERT INTO chat_messages (chat_id, created_at, role, content)
  SELECT pg_temp.id('chat', n), now(), CASE WHEN m % 2 = 1 THEN 'user' ELSE 'assistant' END,
         jsonb_build_array(jsonb_build_object('type', 'text', 'text', repeat('word ', 60)))
    FROM generate_series(1, :rows) n, generate_series(1, 10) m;
UPDATE chats SET last_read_message_id = 1000000000 WHERE title LIKE '%3 about%';
INSERT INTO chat_diff_statuses (chat_id, url, pull_request_state, pull_request_title, pr_number,
                                git_branch, git_remote_origin, created_at, updated_at)
  SELECT pg_temp.id('chat', n), 'https://github.com/acme/site/pull/' || n,
         CASE WHEN n % 3 = 0 THEN 'merged' ELSE 'open' END, 'A change', n, 'b' || n,
         'git@github.com:acme/site.git', now(), now()
    FROM generate_series(1, :rows, 2) n;
ANALYZE;
"""

USER_ID: LiteralString = "SELECT md5('user' || %(n)s)::uuid"

SEARCHES = (
    "",
    "title:about",
    "title:nothing",
    "has_unread:true",
    "status:waiting",
    "pr_status:merged",
    "pr_status:none",
    "repo:acme/site",
    "archived:true",
)


def seed(rows: int) -> bytes:
    """Return the statements that write so many chats, with ten messages each."""
    return SEED.replace(":rows", str(rows)).encode()


async def measured(
    database: Database, actor: Actor, q: str, part: Part | None = None, label: str = ""
) -> list[float]:
    """Return the milliseconds of each round, sorted; the first three warm up."""
    took: list[float] = []
    wanted = search(q, (label,) if label else ())
    for _ in range(ROUNDS + 3):
        began = time.perf_counter()
        async with database.tx(actor) as tx:
            found = await listing.search(tx, wanted, part or Part())
        body: list[Chat] = [shown(one) for one in found]
        for chat in body:
            chat.model_dump_json()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took[3:])


def report(what: str, took: list[float]) -> None:
    """Print one line."""
    p95 = took[int(len(took) * 0.95)]
    print(f"{what:44} p50 {statistics.median(took):6.1f} ms   p95 {p95:6.1f} ms")


def _member(user_id: UUID) -> Actor:
    return Actor(user_id, "member", frozenset(), {ORGANIZATION: frozenset()})


async def main(dsn: str, rows: int) -> None:
    """Seed and measure."""
    database = Database(dsn)
    await database.open()
    system = Actor(None, "system:bench")
    async with database.tx(system) as tx:
        await tx.conn.execute(seed(rows))
        many, few = [_member(await tx.value(USER_ID, {"n": n})) for n in ("7", "12")]
    for q in SEARCHES:
        report(f"many chats, q={q!r}", await measured(database, many, q))
    report("many chats, a label", await measured(database, many, "", label="n:42"))
    report("many chats, at offset 4000", await measured(database, many, "", Part(offset=4000)))
    async with database.tx(many) as tx:
        [last] = await listing.search(tx, search("", ()), Part(limit=1, offset=4000))
    deep = Part(after_id=last.chat.id)
    report("many chats, behind the 4000th", await measured(database, many, "", deep))
    report("few chats", await measured(database, few, ""))
    await database.close()


if __name__ == "__main__":
    postgres = TestPostgres()
    try:
        with cloned(postgres.start()) as address:
            asyncio.run(main(address, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
    finally:
        postgres.stop()
