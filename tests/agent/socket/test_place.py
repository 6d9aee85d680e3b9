"""Where the socket may be: safe directories, instead of dead sockets, never of live ones."""

import fcntl
import os
import socket
import stat
from collections.abc import Generator
from pathlib import Path

import pytest

from agent.socket import Socket
from agent.socket.place import LONGEST_PATH, NotAvailable, take
from tests.agent.socket.conftest import Told
from tests.support.clock import FakeClock


@pytest.fixture
def path(short: Path) -> Path:
    return short / "run" / "coder-agent.sock"


@pytest.fixture
def dead(path: Path) -> Path:
    """What an agent leaves that was killed."""
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
        gone.listen()
    return path


@pytest.fixture
def live(path: Path) -> Generator[Path]:
    place = take(path)
    yield path
    place.listener.close()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_only_the_user_may_connect(path: Path) -> None:
    before = os.umask(0)
    try:
        place = take(path)
    finally:
        os.umask(before)
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)
    place.leave()
    assert not path.exists()
    place.listener.close()


def test_a_dead_socket_is_replaced(dead: Path) -> None:
    place = take(dead)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(dead))
    place.listener.close()


def test_a_live_socket_is_not_stolen(live: Path) -> None:
    with pytest.raises(NotAvailable, match=f"^socket path {live} is not available: an agent answ"):
        take(live)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(live))


def test_what_is_no_socket_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(NotAvailable, match="a file is there, and no socket"):
        take(path)
    assert path.read_text() == "mine"


def test_a_link_to_a_live_socket_stays(live: Path) -> None:
    link = live.parent / "link"
    link.symlink_to(live)
    with pytest.raises(NotAvailable, match="no socket"):
        take(link)


def test_two_agents_of_one_moment_do_not_take_the_same_dead_socket(dead: Path) -> None:
    handle = os.open(dead.parent, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(NotAvailable, match="is not available"):
        take(dead)
    os.close(handle)
    take(dead).listener.close()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_directory_that_others_may_write_is_not_safe(path: Path, mode: int) -> None:
    path.parent.mkdir()
    path.parent.chmod(mode)
    with pytest.raises(NotAvailable, match="is not safe for the agent's socket"):
        take(path)
    path.parent.chmod(mode | stat.S_ISVTX)
    take(path).listener.close()


@pytest.mark.skipif(os.getuid() != 0, reason="gives a directory to somebody else")
def test_a_directory_of_somebody_else_is_not_safe(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    os.chown(path.parent, 65534, 65534)
    with pytest.raises(NotAvailable, match="is not safe"):
        take(path)


def test_a_directory_that_cannot_be_made(short: Path) -> None:
    (short / "file").touch()
    with pytest.raises(NotAvailable, match="is not available: Not a directory"):
        take(short / "file" / "run" / "coder-agent.sock")


def test_a_path_is_as_long_as_the_system_allows(short: Path) -> None:
    fits = Path(short, "x" * (LONGEST_PATH - len(str(short)) - 1))
    take(fits).listener.close()
    with pytest.raises(NotAvailable, match=f"is too long: {LONGEST_PATH + 1} bytes"):
        take(Path(f"{fits}x"))


def test_leaving_takes_away_what_is_ours_only(path: Path) -> None:
    old = take(path)
    path.unlink()
    new = take(path)
    old.leave()
    assert path.exists()
    old.listener.close()
    new.leave()
    assert not path.exists()
    new.leave()
    new.listener.close()


@pytest.mark.parametrize("wanted", ["live", "long", "unsafe"])
async def test_an_agent_whose_place_is_taken_goes_to_the_next(
    live: Path, tmp_path: Path, wanted: str, caplog: pytest.LogCaptureFixture
) -> None:
    (live.parent / "open").mkdir()
    (live.parent / "open").chmod(0o777)
    places = {"live": live, "long": tmp_path / ("x" * 120), "unsafe": live.parent / "open" / "s"}
    own = live.parent / "own" / "s"
    door = Socket([str(places[wanted]), str(own), "/never"], FakeClock(), Told())
    await door.open()
    assert door.path == str(own)
    assert mode_of(own.parent) == 0o700
    words = {"live": "an agent answers there", "long": "is too long", "unsafe": "is not safe"}
    assert words[wanted] in caplog.text
    await door.close()
    assert not own.exists()


async def test_an_agent_without_any_place_goes_on_without_a_socket(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    door = Socket([str(tmp_path / ("x" * 120))], FakeClock(), Told())
    await door.open()
    assert door.path == ""
    assert "there is no socket for the workspace's processes" in caplog.text
    await door.close()


async def test_no_socket_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    door = Socket([], FakeClock(), Told())
    await door.open()
    assert door.path == caplog.text == ""
    await door.close()
