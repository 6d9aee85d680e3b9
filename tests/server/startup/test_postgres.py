"""The built-in PostgreSQL: it starts, survives its server's death, and refuses in one sentence."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import pytest

from server.kit.postgres import Cluster, PostgresError, find_places

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def folder() -> Path:
    """Return a new directory with a short path that other accounts may pass through."""
    made = Path(tempfile.mkdtemp(prefix="coder-pg-"))
    made.chmod(0o755)
    return made


@pytest.fixture
def home() -> Generator[Path]:
    made = folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


def cluster_in(home: Path) -> Cluster:
    return Cluster(find_places(home / "config", home / "cache", home / "state"))


@pytest.fixture(scope="module")
def stencil() -> Generator[Path]:
    """A home whose cluster was made and stopped; copying it is cheaper than initdb."""
    made = folder()
    cluster = cluster_in(made)
    cluster.start()
    cluster.stop()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def blank(home: Path) -> Generator[Cluster]:
    """A cluster that was never started."""
    made = cluster_in(home)
    yield made
    made.stop(at_once=True)


@pytest.fixture
def cluster(blank: Cluster, stencil: Path, home: Path) -> Cluster:
    """A cluster that was started once."""
    subprocess.run(["cp", "-a", f"{stencil}/.", str(home)], check=True)
    return blank


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as line:
        row = line.execute(question.encode()).fetchone()
    return row[0] if row else None


def test_it_starts_keeps_data_and_stops(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.running
    with psycopg.connect(cluster.url, autocommit=True) as line:
        line.execute("CREATE TABLE kept (x int)")
    cluster.stop()
    assert not cluster.running
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.url)
    cluster.start()
    assert ask(cluster.url, "SELECT count(*) FROM kept") == 0


def test_it_listens_on_a_socket_only_and_wants_its_password(blank: Cluster) -> None:
    blank.start()
    assert ask(blank.url, "SHOW listen_addresses") == ""
    password = blank.places.root / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE(blank.places.data.stat().st_mode) == 0o700
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(blank.url.replace(password.read_text().strip(), "wrong"))


def test_a_second_server_on_the_same_directory_is_refused(cluster: Cluster, home: Path) -> None:
    cluster.start()
    with pytest.raises(PostgresError) as refused:
        cluster_in(home).start()
    assert f"Another server (process {os.getpid()}) is using" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert cluster.running


def test_another_command_may_use_a_running_one(cluster: Cluster, home: Path) -> None:
    cluster.start()
    with cluster_in(home).use() as url:
        assert ask(url, "SELECT 1") == 1
    assert cluster.running


def test_a_command_starts_a_stopped_one_for_itself(cluster: Cluster) -> None:
    with cluster.use() as url:
        assert ask(url, "SELECT 1") == 1
    assert not cluster.running


SERVER = """
import sys
from pathlib import Path
from server.kit.postgres import Cluster, find_places
home = Path(sys.argv[1])
cluster = Cluster(find_places(home / "config", home / "cache", home / "state"))
cluster.start()
print("up", flush=True)
sys.stdin.read()
"""


def test_a_killed_server_does_not_block_the_next_one(cluster: Cluster, home: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout
        assert first.stdout.readline() == b"up\n"
        orphan = psutil.Process(int(pid_file(cluster).splitlines()[0]))
        first.kill()
    assert orphan.is_running()
    cluster.start()
    assert int(pid_file(cluster).splitlines()[0]) == orphan.pid, "the orphan is adopted"
    assert ask(cluster.url, "SELECT 1") == 1
    cluster.stop()
    assert not orphan.is_running()


def pid_file(cluster: Cluster) -> str:
    return (cluster.places.data / "postmaster.pid").read_text()


def test_a_killed_postgres_is_recovered(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url, autocommit=True) as line:
        line.execute("CREATE TABLE kept (x int)")
    process = psutil.Process(int(pid_file(cluster).splitlines()[0]))
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert not cluster.running
    cluster.stop()
    cluster.start()
    assert ask(cluster.url, "SELECT count(*) FROM kept") == 0


def test_a_stale_pid_file_whose_number_lives_on_is_no_obstacle(cluster: Cluster) -> None:
    cluster.start()
    lines = pid_file(cluster).splitlines()
    cluster.stop()
    lines[0] = str(os.getpid())  # alive, and no PostgreSQL: as after a restart of a container
    (cluster.places.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    cluster.start()
    assert ask(cluster.url, "SELECT 1") == 1


def test_an_interrupted_first_start_is_begun_anew(blank: Cluster) -> None:
    (blank.places.root / "data.new").mkdir(parents=True)
    (blank.places.root / "data.new" / "half").write_text("written")
    blank.start()
    assert not (blank.places.root / "data.new").exists()


def test_a_directory_of_something_else_is_refused(blank: Cluster) -> None:
    blank.places.data.mkdir(parents=True)
    (blank.places.data / "letter.txt").write_text("Dear Anna")
    with pytest.raises(PostgresError, match="is not a PostgreSQL database"):
        blank.start()
    assert (blank.places.data / "letter.txt").read_text() == "Dear Anna"


def test_the_data_of_another_major_version_is_refused(blank: Cluster) -> None:
    blank.places.data.mkdir(parents=True)
    (blank.places.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 15, but .* brings PostgreSQL \d+"):
        blank.start()


def test_what_postgres_says_on_refusing_is_passed_on(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    with (cluster.places.data / "postgresql.conf").open("a") as written:
        written.write("\nnonsense = 1\n")
    with pytest.raises(PostgresError, match="did not start: ") as refused:
        cluster.start()
    assert "\n" not in str(refused.value)
    assert "(its log is " in str(refused.value)


def test_a_backup_is_kept_and_old_ones_go(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url, autocommit=True) as line:
        line.execute("CREATE TABLE kept (x int)")
    made = [cluster.back_up("schema-1", NOW.replace(minute=minute)) for minute in range(6)]
    folder = cluster.places.root / "backups"
    assert sorted(folder.iterdir()) == made[1:]
    assert b"CREATE TABLE public.kept" in made[-1].read_bytes()
    assert stat.S_IMODE(made[-1].stat().st_mode) == 0o600


def test_a_failed_backup_leaves_nothing(cluster: Cluster) -> None:
    cluster.start()
    (cluster.places.root / "password").write_text("wrong")
    with pytest.raises(PostgresError, match="could not be backed up"):
        cluster.back_up("schema-1", NOW)
    assert list((cluster.places.root / "backups").iterdir()) == []


def test_a_path_too_long_for_a_socket_gets_a_short_one(home: Path) -> None:
    deep = home / ("d" * 100)
    places = find_places(deep, home / "cache", home / "state")
    assert len(str(places.sockets / ".s.PGSQL.5432")) < 104


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_root_never_opens_a_home(home: Path) -> None:
    private = home / "home"
    private.mkdir(mode=0o700)
    places = find_places(private / ".config" / "coderv2", private / "cache", home / "state")
    assert places.root.is_relative_to(home / "state")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert places.account is not None
    again = find_places(private / "other", private / "cache", home / "state")
    assert again.root != places.root, "each configuration directory has a database of its own"
