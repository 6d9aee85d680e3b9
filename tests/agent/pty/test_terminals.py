"""Terminals that outlive their clients, from the client's side."""

import asyncio
import json
import re
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from agent.pty.terminals import GRACE
from coder_cli.sdk.agentapi import ConnectionAction, ConnectionType
from tests.agent.pty.conftest import Room, Viewer, first_words
from tests.agent.pty.judge import differences
from tests.agent.waiting import is_alive, until

ANY = "2f6c2c8e-5a54-4d2c-9c0f-0d1c6d0a6f11"
BACKENDS = ["buffered", "screen"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name == "screen" and shutil.which("screen") is None:
        pytest.skip("needs screen")
    return name


async def pid_of(viewer: Viewer) -> int:
    """Ask the shell for its process id."""
    await viewer.say("echo pid=$$=\r")
    found: list[bytes] = []
    await viewer.until(lambda: found.extend(re.findall(rb"pid=(\d+)=", viewer.heard)) or found)
    return int(found[0])


async def test_the_same_id_resumes_the_same_shell(room: Room, backend: str) -> None:
    identity = uuid4()
    viewer = await room.join(identity, backend=backend)
    await viewer.say("kept=precious; clear; echo on$((1+1))\r")
    await viewer.sees("on2")
    await viewer.leave()
    again = await room.join(identity, backend=backend)
    await again.sees("on2")
    await again.say("echo it is $kept\r")
    await again.sees("it is precious")


async def test_another_id_is_another_shell(room: Room, backend: str) -> None:
    one = await room.join(backend=backend)
    await one.say("echo $((40+2))\r")
    await one.sees("42")
    other = await room.join(backend=backend)
    await other.say("echo $((40+3))\r")
    await other.sees("43")
    assert not any("42" in row for row in other.judge.text)


async def test_the_shell_is_a_login_shell_in_the_agents_environment(room: Room) -> None:
    viewer = await room.join()
    await viewer.say("echo =$CODER_WORKSPACE_NAME=$TERM=$(pwd)=$0=\r")
    await viewer.until(lambda: b"=dev=xterm-256color=" in viewer.heard)


async def test_a_command_runs_instead_of_the_shell(room: Room, backend: str) -> None:
    viewer = await room.join(command="echo done; sleep 60", backend=backend)
    await viewer.sees("done")


async def test_several_clients_see_the_same(room: Room, backend: str) -> None:
    identity = uuid4()
    one = await room.join(identity, backend=backend)
    await one.say("PS1=; clear; printf '\\033[31mred \\033[0m日本 %s\\n' $((20+1))\r")
    await one.sees("21")
    two = await room.join(identity, backend=backend)
    await two.sees("21")
    await two.say("echo from two $((20+2))\r")
    await one.sees("from two 22")
    await two.sees("from two 22")
    await one.say("echo from one $((20+3))\r")
    await two.sees("from one 23")
    assert two.judge.glass.display.count(two.judge.glass.display[1]) >= 1
    await one.leave()
    await two.say("echo alone $((20+4))\r")
    await two.sees("alone 24")


async def test_the_terminal_is_as_large_as_its_client_says(room: Room, backend: str) -> None:
    viewer = await room.join(backend=backend, Height=30, Width=90)
    await viewer.say("stty size\r")
    await viewer.sees("30 90")
    await viewer.say(height=20, width=70)
    await viewer.say("stty size\r")
    await viewer.until(lambda: b"20 70" in viewer.heard)


async def test_without_clients_a_terminal_lives_five_minutes(room: Room) -> None:
    identity = uuid4()
    viewer = await room.join(identity)
    shell = await pid_of(viewer)
    await viewer.leave()
    await room.clock.advance(GRACE - 1)
    assert is_alive(shell)
    again = await room.join(identity)
    await again.say("echo back $((1+1))\r")
    await again.sees("back 2")
    await again.leave()
    await room.clock.advance(GRACE - 1)
    assert is_alive(shell)
    await room.clock.advance(2)
    await until(lambda: not is_alive(shell))
    last = await room.join(identity)
    await last.say("echo new $((1+1))\r")
    await last.sees("new 2")
    assert not any("back" in row for row in last.judge.text)


async def test_a_screen_without_clients_is_told_to_quit(room: Room) -> None:
    if shutil.which("screen") is None:
        pytest.skip("needs screen")
    identity = uuid4()
    viewer = await room.join(identity, backend="screen")
    shell = await pid_of(viewer)
    await viewer.leave()
    await room.clock.advance(GRACE - 1)
    assert is_alive(shell)
    await room.clock.advance(2)
    await until(lambda: not is_alive(shell))


async def test_who_does_not_say_what_he_wants_is_not_waited_for(room: Room) -> None:
    viewer = room.dial()
    await viewer.end.send(b"\x20")
    await room.clock.wake_within(30)
    assert await viewer.ended() == (
        4404,
        "The client did not say within 30 seconds which terminal it wants.",
    )


async def test_the_first_words_may_come_in_pieces_and_with_more(room: Room) -> None:
    viewer = room.dial()
    words = first_words(ID=str(uuid4()), Height=24, Width=80, Command="", BackendType="buffered")
    words += json.dumps({"data": "echo $((6*7))\r"}).encode() * 2
    for byte in words:
        await viewer.end.send(bytes([byte]))
    await viewer.sees("42")


async def test_the_end_of_the_process_ends_every_client_with_its_code(room: Room) -> None:
    identity = uuid4()
    viewers = [await room.join(identity, command="read x; echo bye; exit 3") for _ in range(2)]
    await viewers[0].say("\r")
    for viewer in viewers:
        assert await viewer.ended() == (1000, "process exited with error status: 3")
        assert b"bye" in viewer.heard
    ends = [each for each in room.reports if each.action is ConnectionAction.DISCONNECT]
    assert [(each.status_code, each.reason) for each in ends] == [
        (3, "process exited with error status: 3")
    ] * 2


async def test_a_killed_process_is_told_as_such(room: Room) -> None:
    viewer = await room.join(command="kill -9 $$")
    assert await viewer.ended() == (1000, "process killed by SIGKILL")


async def test_coming_and_going_is_reported(room: Room, backend: str) -> None:
    viewer = await room.join(backend=backend)
    await viewer.say("echo $((40+2))\r")
    await viewer.sees("42")
    assert room.terminals.count == 1
    await viewer.leave()
    assert room.terminals.count == 0
    came, went = room.reports
    assert came.id == went.id
    assert {came.type, went.type} == {ConnectionType.RECONNECTING_PTY}
    assert (came.action, went.action) == (ConnectionAction.CONNECT, ConnectionAction.DISCONNECT)
    assert (went.status_code, went.reason) == (0, "the client has left")


async def test_a_torn_line_is_reported_as_such(room: Room) -> None:
    viewer = await room.join()
    await viewer.say("echo $((40+2))\r")
    await viewer.sees("42")
    viewer.end.abort()
    await viewer.task
    assert (room.reports[-1].status_code, room.reports[-1].reason) == (255, "broken")


@pytest.mark.parametrize(
    ("init", "words"),
    [
        ({"ID": "x"}, "The id of a terminal must be a UUID."),
        ({"ID": ANY, "Container": "-v"}, "'-v' is not the name of a container."),
        (
            {"ID": ANY, "BackendType": "tmux"},
            "'tmux' is not a backend: choose screen or buffered.",
        ),
        ({"ID": ANY, "Command": "a\0b"}, "A command cannot contain a NUL."),
    ],
)  # fmt: skip
async def test_nonsense_is_refused_in_words(room: Room, init: dict[str, str], words: str) -> None:
    viewer = room.dial()
    await viewer.end.send(first_words(**init))
    assert await viewer.ended() == (4404, words)
    assert words.encode() in viewer.heard
    assert room.reports == []


async def test_words_that_are_no_json_end_the_client_only(room: Room) -> None:
    identity = uuid4()
    viewer = await room.join(identity)
    await viewer.say("echo $((40+2))\r")
    await viewer.sees("42")
    await viewer.end.send(b"{no}")
    assert await viewer.ended() == (4404, "Terminals are told JSON objects only.")
    again = await room.join(identity)
    await again.sees("42")


async def test_what_comes_back_equals_what_was_there(room: Room, tmp_path: Path) -> None:
    output = "".join(f"row {n} \x1b[3{n % 8}m日本\x1b[0m\r\n" for n in range(60)).encode()
    output += b"\x1b[?1049h\x1b[2J\x1b[3;9r\x1b[3;1Hin\x1b[44mside\x1b[9;40Hx\x1b7\x1b[?25lEND"
    tape = tmp_path / "tape"
    tape.write_bytes(output)
    identity = uuid4()
    command = f"stty raw -echo; cat {tape}; cat"
    one = await room.join(identity, command=command)
    await one.until(lambda: len(one.heard) >= len(output))
    await one.leave()
    two = await room.join(identity)
    await two.until(lambda: b"END" in two.heard and two.judge.glass.cursor.hidden)
    assert differences(one.judge.state(), two.judge.state()) == []
    rest = "\x1b8y\x1b[9;1H\n\n\x1b[?25h\x1b[?1049lback"
    one.judge.feed(rest.encode())
    await two.say(rest)
    await two.sees("back")
    assert differences(one.judge.state(), two.judge.state()) == []


async def test_the_process_waits_for_an_only_client(room: Room) -> None:
    lines = 300_000
    viewer = await room.join(command=f"seq {lines}; echo the end")
    viewer.mute = True
    assert await viewer.ended() == (1000, "")
    assert viewer.heard.endswith(b"the end\r\n")
    assert bytes(viewer.heard).split(b"\r\n")[:lines] == [
        str(n).encode() for n in range(1, lines + 1)
    ]


async def test_terminals_are_counted_and_bounded(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.pty.terminals.MOST", 1)
    viewer = await room.join()
    await viewer.say("echo $((40+2))\r")
    await viewer.sees("42")
    other = await room.join()
    assert await other.ended() == (
        4404,
        "There are 1 terminals already. Close one, and try again.",
    )


async def test_an_ending_agent_sends_its_clients_away(room: Room) -> None:
    viewer = await room.join()
    await viewer.say("echo $((40+2))\r")
    await viewer.sees("42")
    await room.terminals.close()
    assert await viewer.ended() == (1000, "the agent is shutting down")
    late = room.dial()
    assert await late.ended() == (4404, "the agent is shutting down")


async def test_a_terminal_in_a_container_goes_by_docker(room: Room, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    docker = tools / "docker"
    docker.write_text('#!/bin/sh\necho "docker $1 $2 $3 $4 $7"\n')
    docker.chmod(0o755)
    viewer = await room.join(Container="box", ContainerUser="dev", command="id")
    end = await viewer.ended()
    assert b"docker exec -it --user dev box" in viewer.heard, end


async def test_who_is_too_slow_among_several_gets_the_screen_anew(room: Room) -> None:
    identity = uuid4()
    command = "read x; seq 400000; echo the end; read x"
    quick = await room.join(identity, command=command)
    slow = await room.join(identity)
    await until(lambda: room.terminals.count == 2)
    theirs = slow.end.other
    may_go = asyncio.Event()
    send = theirs.send

    async def wait_and_send(message: bytes | str) -> None:
        await may_go.wait()
        await send(message)

    theirs.send = wait_and_send
    quick.mute = True
    await quick.say("\r")
    await quick.until(lambda: b"the end" in quick.heard[-100:])
    may_go.set()
    await slow.sees("the end")
    assert len(slow.heard) < len(quick.heard) / 2
    assert slow.judge.text[-4:] == ["399999", "400000", "the end", ""]
