"""The database before the server: ours or somebody's, reached, recent enough, and migrated."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import structlog

from coder_cli.kit.clock import Clock, SystemClock
from coder_cli.kit.refused import Refused
from server.cli import store
from server.kit.authz import Actor
from server.kit.db import Database, DatabaseUnreachable, connect
from server.kit.migrate import NewerDatabase, migrate
from server.kit.postgres import Cluster, PostgresError, find_places
from server.settings import Settings

log = structlog.get_logger()

OLDEST = 13
"""The oldest PostgreSQL that our statements run on."""
_NOBODY = Actor(id=None, label="startup")


def cluster_of(settings: Settings) -> Cluster:
    """Return the built-in PostgreSQL of these settings, not started.

    Raises:
        Refused: this machine cannot run it.
    """
    try:
        places = find_places(settings.config_dir, settings.cache_dir, settings.state_dir)
    except PostgresError as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise _unwritable(error) from None
    return Cluster(places)


def _unwritable(error: OSError) -> Refused:
    return Refused(
        f"The built-in PostgreSQL cannot use {error.filename}: {error.strerror}; give another "
        "--global-config, or --postgres-url"
    )


@contextmanager
def started(cluster: Cluster) -> Generator[Cluster]:
    """Run the built-in PostgreSQL meanwhile; bring it back if it dies.

    Raises:
        Refused: it cannot start.
    """
    try:
        cluster.start()
    except PostgresError as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise _unwritable(error) from None
    over = threading.Event()
    guard = threading.Thread(target=_keep_up, args=(cluster, over), daemon=True)
    guard.start()
    try:
        yield cluster
    finally:
        over.set()
        guard.join()
        cluster.stop()


def _keep_up(cluster: Cluster, over: threading.Event) -> None:
    while not over.wait(1.0):
        if cluster.running:
            continue
        log.error("the built-in PostgreSQL died and is started again")
        try:
            cluster.start()
        except PostgresError as error:
            log.error("the built-in PostgreSQL does not start", reason=str(error))  # noqa: TRY400


async def prepare(dsn: str, cluster: Cluster | None, clock: Clock | None = None) -> bool:
    """Bring the database to our schema and return whether somebody can log in.

    Raises:
        Refused: it cannot be reached, is too old, or belongs to a newer release.
    """
    now = (clock or SystemClock()).now

    async def keep_a_copy(version: int) -> None:
        if cluster is None:
            return
        kept = cluster.back_up(f"schema-{version}", now())
        log.info("database backed up before the upgrade", file=str(kept))

    try:
        await _require_recent(dsn)
        await migrate(dsn, before_upgrade=keep_a_copy)
        database = Database(dsn, max_open=2)
        await database.open()
    except DatabaseUnreachable as error:
        raise Refused(f"connect to postgres: the database cannot be reached: {error}") from None
    except NewerDatabase as error:
        raise Refused(str(error)) from None
    except PostgresError as error:
        raise Refused(f"{error}; nothing was upgraded") from None
    try:
        async with database.tx(_NOBODY) as tx:
            return await store.has_users(tx)
    finally:
        await database.close()


async def _require_recent(dsn: str) -> None:
    async with await connect(dsn) as connection:
        version = connection.info.server_version // 10000
    if version < OLDEST:
        raise Refused(
            f"connect to postgres: the database is PostgreSQL {version}, but this release needs "
            f"PostgreSQL {OLDEST} or newer"
        )
