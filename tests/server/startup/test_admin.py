"""Rescue commands: an owner and a password straight in the database; the built-in PostgreSQL."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from coder_cli.kit.refused import Refused
from server.cli import NewAdmin, builtin_url, create_admin, reset_password
from server.cli.prepare import cluster_of, prepare, started
from server.kit import migrate
from server.kit.crypto import verify_password
from server.settings import Given, Settings, load
from tests.server.startup.conftest import Start

PASSWORD = "Wr1te-mE-a-l3tter"
ADMIN = NewAdmin(username="anna", email="anna@example.com", password=PASSWORD)


@pytest.fixture
def settings(url: str) -> Settings:
    return load(Given({"postgres-url": [url]}))


@pytest.fixture
def builtin() -> Generator[Settings]:
    """Settings with a built-in PostgreSQL of this test's own."""
    folder = Path(tempfile.mkdtemp(prefix="coder-pg-"))
    folder.chmod(0o755)
    environ = {"STATE_DIRECTORY": str(folder / "state"), "CACHE_DIRECTORY": str(folder / "cache")}
    yield load(Given(environ=environ, config_dir=folder / "config"))
    shutil.rmtree(folder, ignore_errors=True)


def hashed(dsn: str) -> str:
    with psycopg.connect(dsn) as line:
        row = line.execute("SELECT hashed_password FROM users WHERE username = 'anna'").fetchone()
    assert row
    return str(row[0])


def test_an_owner_is_made_and_gets_another_password(settings: Settings, dsn: str) -> None:
    made = create_admin(settings, ADMIN)
    assert made.roles == ["owner"]
    assert len(made.organization_ids) == 1
    assert verify_password(PASSWORD, hashed(dsn))
    reset_password(settings, "anna", "An0ther-l3tter-please")
    assert verify_password("An0ther-l3tter-please", hashed(dsn))


def test_refusals_are_one_sentence_each(settings: Settings) -> None:
    create_admin(settings, ADMIN)
    with pytest.raises(Refused, match="already") as taken:
        create_admin(settings, ADMIN)
    assert ".." not in str(taken.value)
    with pytest.raises(Refused, match="There is no user called 'ben'"):
        reset_password(settings, "ben", PASSWORD)
    with pytest.raises(Refused, match="not strong enough"):
        reset_password(settings, "anna", "weak")


def test_the_url_of_a_database_that_never_was_is_refused(builtin: Settings) -> None:
    with pytest.raises(Refused, match="was never started"):
        builtin_url(builtin)


def test_a_copy_is_kept_before_an_upgrade(
    builtin: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrate.migrations()
    with started(cluster_of(builtin)) as cluster:
        assert asyncio.run(prepare(cluster.url, cluster)) is False
        backups = cluster.places.root / "backups"
        assert not backups.exists(), "a first start upgrades nothing"
        step = migrate.Migration(known[-1].version + 1, "next", "CREATE TABLE next (x int)")
        monkeypatch.setattr(migrate, "migrations", lambda: [*known, step])
        asyncio.run(prepare(cluster.url, cluster))
        [kept] = backups.iterdir()
    assert kept.name.endswith(f"-schema-{known[-1].version}.dump")


def test_the_built_in_database_is_served_alone(start: Start) -> None:
    server = start(sub="postgres-builtin-serve")
    said = server.read_until("psql")
    with psycopg.connect(said.split('"')[1]) as line:
        assert line.execute("SELECT 1").fetchone() == (1,)
    server.process.send_signal(signal.SIGTERM)
    assert server.end()[0] == 0
