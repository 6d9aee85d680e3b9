"""How long a page of 25 of 10,000 workspaces takes, with agents and apps, one in fifty shared.

Run by hand:

python -m tests.bench.bench_list_workspaces [rows]
"""

import asyncio
import statistics
import sys
import time
from typing import LiteralString
from uuid import UUID

from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.routing import Page
from server.workspaces import WorkspaceRules
from server.workspaces.actions import show
from tests.support.postgres import TestPostgres, cloned

ORGANIZATION = UUID(int=1)
USERS = 200
ROUNDS = 60

# Ids are made from numbers, so that rows can name each other without being read back.
SEED: LiteralString = """
CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
  $$ SELECT md5(kind || n)::uuid $$;
INSERT INTO organizations (id, name, is_default, created_at, updated_at)
  VALUES ('00000000-0000-0000-0000-000000000001', 'coder', true, now(), now());
INSERT INTO users (id, email, username, status, login_type, created_at, updated_at)
  SELECT pg_temp.id('user', n), 'u' || n || '@example.com', 'user' || n, 'active', 'password',
         now(), now()
    FROM generate_series(1, 200) n;
INSERT INTO files (id, hash, created_by, mimetype, data, created_at)
  VALUES (pg_temp.id('file', 1), 'hash', pg_temp.id('user', 1), 'application/x-tar', '', now());
INSERT INTO provisioner_jobs (id, organization_id, initiator_id, type, file_id, input, created_at,
                              updated_at, started_at, completed_at)
  SELECT pg_temp.id('import', n), '00000000-0000-0000-0000-000000000001', pg_temp.id('user', 1),
         'template_version_import', pg_temp.id('file', 1), '{}', now(), now(), now(), now()
    FROM generate_series(1, 10) n;
INSERT INTO templates (id, organization_id, name, active_version_id, created_by, group_acl,
                       created_at, updated_at)
  SELECT pg_temp.id('template', n), '00000000-0000-0000-0000-000000000001', 'template' || n,
         pg_temp.id('version', n), pg_temp.id('user', 1),
         '{"00000000-0000-0000-0000-000000000001": "use"}', now(), now()
    FROM generate_series(1, 10) n;
INSERT INTO template_versions (id, template_id, organization_id, name, job_id, created_by,
                               created_at, updated_at)
  SELECT pg_temp.id('version', n), pg_temp.id('template', n),
         '00000000-0000-0000-0000-000000000001', 'v' || n, pg_temp.id('import', n),
         pg_temp.id('user', 1), now(), now()
    FROM generate_series(1, 10) n;
INSERT INTO workspaces (id, owner_id, organization_id, template_id, name, last_used_at, created_at,
                        updated_at)
  SELECT pg_temp.id('workspace', n), pg_temp.id('user', 1 + n % 200),
         '00000000-0000-0000-0000-000000000001', pg_temp.id('template', 1 + n % 10), 'ws' || n,
         now(), now(), now()
    FROM generate_series(1, :rows) n;
UPDATE workspaces SET user_acl = jsonb_build_object(pg_temp.id('user', 7)::text, 'use')
 WHERE name LIKE '%77';
UPDATE workspaces SET group_acl = '{"00000000-0000-0000-0000-000000000001": "use"}'
 WHERE name LIKE '%99';
INSERT INTO provisioner_jobs (id, organization_id, initiator_id, type, file_id, input, created_at,
                              updated_at, started_at, completed_at, error)
  SELECT pg_temp.id('job', n * 10 + b), '00000000-0000-0000-0000-000000000001',
         pg_temp.id('user', 1 + n % 200), 'workspace_build', pg_temp.id('file', 1),
         jsonb_build_object('workspace_build_id', pg_temp.id('build', n * 10 + b)), now(), now(),
         now(), now(), CASE WHEN n % 17 = 0 AND b = 3 THEN 'failed' ELSE '' END
    FROM generate_series(1, :rows) n, generate_series(1, 3) b;
INSERT INTO workspace_builds (id, workspace_id, template_version_id, build_number, transition,
                              reason, initiator_id, job_id, state, created_at, updated_at)
  SELECT pg_temp.id('build', n * 10 + b), pg_temp.id('workspace', n),
         pg_temp.id('version', 1 + n % 10), b,
         CASE WHEN b = 2 OR n % 3 = 0 THEN 'stop' ELSE 'start' END, 'initiator',
         pg_temp.id('user', 1 + n % 200), pg_temp.id('job', n * 10 + b),
         decode(repeat('00', 2000), 'hex'), now(), now()
    FROM generate_series(1, :rows) n, generate_series(1, 3) b;
INSERT INTO workspace_resources (id, job_id, transition, position, type, name, created_at)
  SELECT pg_temp.id('resource', n * 10 + r), pg_temp.id('job', n * 10 + 3), 'start', r,
         'docker_container', 'main' || r, now()
    FROM generate_series(1, :rows) n, generate_series(1, 2) r;
INSERT INTO workspace_agents (id, resource_id, name, auth_token, architecture, operating_system,
                              lifecycle_state, first_connected_at, last_connected_at, created_at,
                              updated_at)
  SELECT pg_temp.id('agent', n), pg_temp.id('resource', n * 10 + 1), 'main',
         sha256(n::text::bytea), 'amd64', 'linux', 'ready', now(),
         now() + interval '1 hour', now(), now()
    FROM generate_series(1, :rows) n;
INSERT INTO workspace_apps (id, agent_id, slug, created_at)
  SELECT pg_temp.id('app', n * 10 + a), pg_temp.id('agent', n), 'app' || a, now()
    FROM generate_series(1, :rows) n, generate_series(1, 2) a;
INSERT INTO workspace_agent_log_sources (id, workspace_agent_id, display_name, created_at)
  SELECT pg_temp.id('source', n * 10 + s), pg_temp.id('agent', n), 'source' || s, now()
    FROM generate_series(1, :rows) n, generate_series(1, 2) s;
INSERT INTO workspace_agent_scripts (id, workspace_agent_id, log_source_id, display_name, script,
                                     created_at)
  SELECT pg_temp.id('script', n * 10 + s), pg_temp.id('agent', n), pg_temp.id('source', n * 10 + s),
         'script' || s, 'true', now()
    FROM generate_series(1, :rows) n, generate_series(1, 2) s;
UPDATE workspaces w SET running = true
  FROM workspace_builds b JOIN provisioner_jobs j ON j.id = b.job_id
 WHERE b.workspace_id = w.id AND b.build_number = 3 AND b.transition = 'start' AND j.error = '';
ANALYZE;
"""

ADMIN = Actor(UUID(int=7), "admin", frozenset({"owner"}))
MEMBER_ID: LiteralString = "SELECT md5('user7')::uuid"

SEARCHES = (
    "",
    "owner:user7",
    "name:ws77",
    "status:running",
    "status:stopped",
    "has-agent:connected",
    "outdated:true",
)


def seed(rows: int) -> bytes:
    """Return the statements that write so many workspaces of 200 people, and what they made."""
    return SEED.replace(":rows", str(rows)).encode()


async def measured(database: Database, actor: Actor, q: str, offset: int = 0) -> list[float]:
    """Return the milliseconds of each round, sorted; the first three warm up."""
    took: list[float] = []
    for _ in range(ROUNDS + 3):
        began = time.perf_counter()
        async with database.tx(actor) as tx:
            await show.search(tx, q, Page(25, offset, None), WorkspaceRules())
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took[3:])


def report(what: str, took: list[float]) -> None:
    """Print one line."""
    p95 = took[int(len(took) * 0.95)]
    print(f"{what:40} p50 {statistics.median(took):6.1f} ms   p95 {p95:6.1f} ms")


async def main(dsn: str, rows: int) -> None:
    """Seed and measure."""
    database = Database(dsn)
    await database.open()
    async with database.tx(ADMIN) as tx:
        await tx.conn.execute(seed(rows))
        member = Actor(
            await tx.value(MEMBER_ID), "member", frozenset(), {ORGANIZATION: frozenset()}
        )
    for q in SEARCHES:
        report(f"an owner, q={q!r}", await measured(database, ADMIN, q))
    report("an owner, the last page", await measured(database, ADMIN, "", rows - 25))
    report("a member, with what is shared", await measured(database, member, ""))
    report("a member, their own", await measured(database, member, "owner:me"))
    await database.close()


if __name__ == "__main__":
    postgres = TestPostgres()
    try:
        with cloned(postgres.start()) as address:
            asyncio.run(main(address, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
    finally:
        postgres.stop()
