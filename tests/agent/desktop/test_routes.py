"""The desktop's routes, against a VNC server of the test's, and a real one where there is one."""

import asyncio
import base64
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.desktop import Desktop, DesktopRoutes
from agent.desktop.server import Planner
from agent.desktop.starting import Plan, plan, read_portable
from agent.kit.child import Children
from agent.network.http import Answer, Request, Table, Upgrade
from coder_cli.kit.clock import SystemClock
from coder_cli.sdk.agentapi import desktop
from tests.agent.desktop.rfbserver import RfbServer, listening
from tests.agent.desktop.test_picture import rows_of
from tests.agent.frames import End
from tests.agent.waiting import is_alive, until

needs_x = pytest.mark.skipif(shutil.which("Xvnc") is None, reason="Xvnc is not on PATH")
CHILD = "import sys, time; print(sys.argv[1], flush=True); time.sleep(600)"


@dataclass
class House:
    """A desktop and who asks for it."""

    desktop: Desktop
    table: Table
    children: Children
    shown: dict[str, str] = field(default_factory=dict[str, str])

    async def act(self, action: str, **more: Any) -> tuple[int, Any]:
        """Do one action."""
        body = json.dumps({"action": action, **more}).encode()

        async def chunks() -> AsyncIterator[bytes]:
            yield body

        reply = await self.table(Request("POST", desktop.ACTION, {}, {}, chunks()))
        assert isinstance(reply, Answer)
        return reply.status, reply.body

    async def view(self) -> Any:
        """Ask for the stream."""

        async def chunks() -> AsyncIterator[bytes]:
            yield b""

        return await self.table(Request("GET", desktop.VNC, {}, {}, chunks()))


@asynccontextmanager
async def house(planner: Planner = plan, path: str = "") -> AsyncGenerator[House]:
    clock = SystemClock()
    children = Children(clock)
    shown: dict[str, str] = {}
    env = {"PATH": path or os.environ["PATH"], "HOME": "/"}
    made = Desktop(lambda: env, children, clock, shown=shown.update, planner=planner)
    table = Table()
    DesktopRoutes(made, clock).mount(table)
    try:
        yield House(made, table, children, shown)
    finally:
        await children.end_all()
        made.close()


def printing(text: str) -> Planner:
    """Return what starts a process that prints ``text`` and stays."""

    def planner(_: Mapping[str, str], __: Path) -> Plan:
        return Plan([sys.executable, "-c", CHILD, text], read_portable)

    return planner


@asynccontextmanager
async def portable(server: RfbServer) -> AsyncGenerator[House]:
    """A desktop whose VNC server is the test's."""
    async with (
        listening(server),
        house(printing(json.dumps({"vncPort": server.port, "display": 7}))) as made,
    ):
        yield made


async def test_a_workspace_without_a_desktop_says_what_to_do(tmp_path: Path) -> None:
    async with house(path=str(tmp_path)) as empty:
        for reply in (await empty.view(), Answer(*await empty.act("screenshot"))):
            assert reply.status == 424
            assert reply.body["message"] == "The workspace has no desktop."
            assert "tigervnc-standalone-server" in reply.body["detail"]


async def test_a_program_that_ends_is_quoted(tmp_path: Path) -> None:
    program = tmp_path / "portabledesktop"
    program.write_text("#!/bin/sh\necho 'no screen today' >&2\nexit 3\n")
    program.chmod(0o755)
    async with house(path=f"{tmp_path}:/bin:/usr/bin") as broken:
        status, body = await broken.act("screenshot")
    assert (status, body["detail"]) == (
        424,
        "The desktop's program portabledesktop ended with 3. It said: no screen today",
    )


def test_portabledesktop_is_preferred_and_runs_in_the_foreground(tmp_path: Path) -> None:
    for name in ("portabledesktop", "Xvnc"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    wanted = plan({"PATH": str(tmp_path)}, tmp_path)
    assert wanted.argv == [f"{tmp_path}/portabledesktop", "up", "--json", "--foreground"]
    assert wanted.read(b'{"vncPort": 59') is None
    place = wanted.read(b'{"runtimeDir":"/x","display":3,"vncPort":5903,"geometry":"1280x800"}\n')
    assert place
    assert (place.port, place.display) == (5903, ":3")


@pytest.mark.parametrize("text", ["", "[]", '{"vncPort": 0}', '{"vncPort": "x"}', "null", "7"])
def test_a_place_that_is_none_is_waited_for(text: str) -> None:
    assert read_portable(text.encode()) is None


async def test_the_stream_is_passed_through_both_ways() -> None:
    async with portable(RfbServer()) as made:
        reply = await made.view()
        assert isinstance(reply, Upgrade)
        assert reply.largest >= 16 * 1024 * 1024
        ours, theirs = End.pair()
        serving = asyncio.ensure_future(reply.serve(theirs))
        async with asyncio.timeout(20):
            assert await ours.recv() == b"RFB 003.008\n"
            await ours.send(b"RFB 003.")
            await ours.send(b"008\n")
            assert await ours.recv() == b"\x01\x01"
        await ours.close()
        async with asyncio.timeout(20):
            await serving
        assert made.shown == {"DISPLAY": ":7"}


async def test_a_screenshot_is_a_png_in_the_declared_size() -> None:
    # A bell, a copied text and a table of colours may come at any time.
    says = b"\x02" + b"\x03\0\0\0\0\0\0\x02hi" + b"\x01\0\0\0\0\x01" + bytes(6)
    async with portable(RfbServer(says=says)) as made:
        status, body = await made.act("screenshot", scaled_width=20, scaled_height=10)
        assert status == 200
        assert (body["screenshot_width"], body["screenshot_height"]) == (20, 10)
        width, height, rows = rows_of(base64.b64decode(body["screenshot_data"]))
        assert (width, height, set(rows)) == (20, 10, {b"\x30\x20\x10" * 20})
        _, body = await made.act("screenshot")
        assert (body["screenshot_width"], body["screenshot_height"]) == (40, 20)


DOWN, UP = True, False


@pytest.mark.parametrize(
    ("action", "more", "told"),
    [
        ("mouse_move", {"coordinate": [10, 5]}, [("pointer", 0, 20, 10)]),
        ("mouse_move", {"coordinate": [999, -9]}, [("pointer", 0, 39, 0)]),
        ("left_click", {}, [("pointer", 1, 20, 10), ("pointer", 0, 20, 10)]),
        (
            "right_click",
            {"coordinate": [1, 1]},
            [("pointer", 0, 2, 2), ("pointer", 4, 2, 2), ("pointer", 0, 2, 2)],
        ),
        ("middle_click", {}, [("pointer", 2, 20, 10), ("pointer", 0, 20, 10)]),
        ("double_click", {}, [("pointer", 1, 20, 10), ("pointer", 0, 20, 10)] * 2),
        ("triple_click", {}, [("pointer", 1, 20, 10), ("pointer", 0, 20, 10)] * 3),
        ("left_mouse_down", {}, [("pointer", 1, 20, 10)]),
        ("left_mouse_up", {}, [("pointer", 0, 20, 10)]),
        ("scroll", {}, [("pointer", 16, 20, 10), ("pointer", 0, 20, 10)] * 3),
        (
            "scroll",
            {"scroll_direction": "left", "scroll_amount": 1},
            [("pointer", 32, 20, 10), ("pointer", 0, 20, 10)],
        ),
        (
            "left_click_drag",
            {"start_coordinate": [0, 0], "coordinate": [10, 4]},
            [
                ("pointer", 0, 0, 0),
                ("pointer", 1, 0, 0),
                ("pointer", 1, 10, 4),
                ("pointer", 1, 20, 8),
                ("pointer", 0, 20, 8),
            ],
        ),
        ("type", {"text": "hi"}, [("key", k, d) for k in (0x68, 0x69) for d in (DOWN, UP)]),
        (
            "key",
            {"text": "ctrl+s"},
            [("key", 0xFFE3, DOWN), ("key", 0x73, DOWN), ("key", 0x73, UP), ("key", 0xFFE3, UP)],
        ),
        ("key_down", {"text": "shift"}, [("key", 0xFFE1, DOWN)]),
        ("key_up", {"text": "shift"}, [("key", 0xFFE1, UP)]),
        ("hold_key", {"text": "a", "duration": 1}, [("key", 0x61, DOWN), ("key", 0x61, UP)]),
        (
            "left_click",
            {"text": "ctrl"},
            [
                ("key", 0xFFE3, DOWN),
                ("pointer", 1, 20, 10),
                ("pointer", 0, 20, 10),
                ("key", 0xFFE3, UP),
            ],
        ),
    ],
)
async def test_actions_are_what_a_mouse_and_a_keyboard_say(
    action: str, more: dict[str, Any], told: list[Any]
) -> None:
    server = RfbServer()
    async with portable(server) as made:
        status, body = await made.act(action, **more, scaled_width=20, scaled_height=10)
        assert (status, body["output"]) == (200, f"{action} action performed")
        await until(lambda: len(server.told) >= len(told))
    assert server.told == told


async def test_the_pointer_is_told_in_the_declared_size() -> None:
    async with portable(RfbServer()) as made:
        await made.act("mouse_move", coordinate=[30, 4])
        _, body = await made.act("cursor_position", scaled_width=20, scaled_height=10)
    assert body["output"] == "x=15,y=2"


@pytest.mark.parametrize(
    ("action", "more", "words"),
    [
        ("dance", {}, "Unknown action: dance"),
        ("key", {}, "key needs text."),
        ("key", {"text": "hyper_x"}, "Unknown key: hyper_x"),
        ("mouse_move", {}, "mouse_move needs a coordinate: [x, y]."),
        ("left_click", {"coordinate": [1]}, "left_click needs a coordinate: [x, y]."),
        ("hold_key", {"text": "a", "duration": -1}, "duration is from 0 to 60000 milliseconds."),
        ("scroll", {"scroll_amount": 1000}, "scroll_amount is from 0 to 100."),
        (
            "scroll",
            {"scroll_direction": "in"},
            "scroll_direction is one of up, down, left and right.",
        ),
        (
            "screenshot",
            {"scaled_width": 99999},
            "scaled_width and scaled_height are from 1 to 8192.",
        ),
        ("type", {"text": "x" * 10_001}, "text has 10000 characters at most."),
    ],
)
async def test_what_cannot_be_done_is_said(action: str, more: dict[str, Any], words: str) -> None:
    async with portable(RfbServer()) as made:
        assert await made.act(action, **more) == (400, {"message": words})


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (RfbServer(kinds=b"\x02"), "wants a password"),
        (RfbServer(width=60000, height=60000), "has 60000 by 60000 pixels"),
        (RfbServer(says=b"\x63"), "says 99, which nobody understands"),
        (RfbServer(says=b"\x03\0\0\0\xff\xff\xff\xff"), "says too much"),
    ],
)
async def test_servers_that_are_none_of_ours_are_left(server: RfbServer, words: str) -> None:
    async with portable(server) as made:
        status, body = await made.act("screenshot")
    assert status == 424
    assert words in body["detail"]


async def test_a_desktop_that_has_gone_is_started_again() -> None:
    server = RfbServer()
    async with portable(server) as made:
        assert (await made.act("screenshot"))[0] == 200
        (first,) = made.children.pids
        os.kill(first, 9)
        await until(lambda: not made.children.pids)
        server.hang_up()
        async with asyncio.timeout(20):
            # Whoever comes before the hang-up has arrived is told of it.
            while (await made.act("screenshot"))[0] != 200:
                pass
        assert made.children.pids
        assert first not in made.children.pids


async def test_a_server_that_takes_no_connection_is_given_up() -> None:
    async with house(printing(json.dumps({"vncPort": 1}))) as made:
        status, body = await made.act("screenshot")
        assert status == 424
        assert "takes no connection" in body["detail"]
        await until(lambda: not made.children.pids)


@needs_x
async def test_a_real_x_server_is_seen_and_moved() -> None:
    async with house() as made:
        status, body = await made.act("screenshot")
        assert status == 200, body
        assert (body["screenshot_width"], body["screenshot_height"]) == (1280, 800)
        place = await made.desktop.place()
        about = os.stat(place.socket)  # noqa: PTH116
        assert stat.S_IMODE(about.st_mode) == 0o600
        if shutil.which("xsetroot"):
            paint(made, "#336699")
            _, body = await made.act("screenshot", scaled_width=64, scaled_height=40)
            _, _, rows = rows_of(base64.b64decode(body["screenshot_data"]))
            assert rows[0][:3] == b"\x33\x66\x99"
        assert (await made.act("left_click", coordinate=[5, 5]))[0] == 200
        assert (await made.act("key", text="ctrl+a"))[0] == 200
        (pid,) = made.children.pids
    assert not is_alive(pid)


def paint(made: House, colour: str) -> None:
    subprocess.run(
        ["xsetroot", "-solid", colour],
        env={"PATH": os.environ["PATH"], **made.shown},
        check=True,
        timeout=20,
    )


@needs_x
@pytest.mark.skipif(shutil.which("xsetroot") is None, reason="xsetroot is not on PATH")
async def test_a_real_display_lets_in_only_who_has_its_password() -> None:
    async with house() as made:
        await made.desktop.place()
        paint(made, "red")
        del made.shown["XAUTHORITY"]
        made.shown["HOME"] = "/nowhere"
        with pytest.raises(subprocess.CalledProcessError):
            paint(made, "red")


@needs_x
async def test_a_window_manager_is_started_on_the_display(tmp_path: Path) -> None:
    program, mark = tmp_path / "x-window-manager", tmp_path / "mark"
    program.write_text(f'#!/bin/sh\necho "$DISPLAY $XAUTHORITY" > {mark}.new; mv {mark}.new {mark}')
    program.chmod(0o755)
    async with house(path=f"{tmp_path}:{os.environ['PATH']}") as made:
        await made.desktop.place()
        await until(mark.exists)
        assert mark.read_text().split() == [made.shown["DISPLAY"], made.shown["XAUTHORITY"]]
