"""Commands in a workspace: at an agent's real rooms, with real processes."""

import asyncio
import json
import re

import pytest

from server.tools import parsed_commands
from server.tools.shell.commands import DUMP_NOTE, note_on, promoted, timeout_seconds
from tests.server.tools.scene import Scene, Turn


@pytest.fixture
async def turn(scene: Scene) -> Turn:
    """A turn of a chat whose workspace runs."""
    return await scene.working()


async def test_a_command_and_its_answer(turn: Turn) -> None:
    told = await turn.done("execute", command="echo out; echo err >&2", model_intent="See.")
    assert told.pop("wall_duration_ms") >= 0
    assert told == {"success": True, "output": "out\nerr\n", "exit_code": 0}
    failed = await turn.done("execute", command="exit 3")
    assert (failed["success"], failed["exit_code"]) == (False, 3)
    assert failed["error"] == "command exited with code 3"


async def test_seed_004_nobody_sits_there(turn: Turn, scene: Scene) -> None:
    names = "EDITOR VISUAL GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_TERMINAL_PROMPT NO_COLOR TERM PAGER"
    names += " GIT_PAGER CODER_CHAT_AGENT CODER_CHAT_ID CODER"
    asked = "; ".join(f'echo "${name}"' for name in names.split())
    told = await turn.done("execute", command=asked)
    chat = str(turn.link.facts.id)
    wanted = ["true"] * 4 + ["0", "1", "dumb", "cat", "cat", "true", chat]
    assert told["output"].split("\n")[:11] == wanted
    waits = await turn.done("execute", command="read line; echo got:$line")
    assert waits["output"] == "got:\n", "there is no input"


async def test_where_it_runs(turn: Turn, scene: Scene) -> None:
    (scene.home / "src").mkdir()
    told = await turn.done("execute", command="pwd", workdir="~/src")
    assert told["output"] == f"{scene.home}/src\n"
    words = await turn.refused("execute", command="pwd", workdir="/no/such/place")
    assert "/no/such/place" in words


async def test_seed_004_a_time_out_ends_the_waiting_only(turn: Turn) -> None:
    told = await turn.done("execute", command="echo begun; exec sleep 100", timeout="300ms")
    assert (told["success"], told["exit_code"]) == (False, -1)
    assert told["error"] == "command timed out after 300ms"
    assert told["output"] == "begun\n"
    process = told["background_process_id"]
    [listed] = (await turn.done("process_list"))["processes"]
    assert (listed["id"], listed["running"], listed["background"]) == (process, True, False)
    seen = await turn.done("process_output", process_id=process, wait_timeout="0s")
    assert seen["background_process_id"] == process
    assert "still running" in seen["note"]
    assert "error" not in seen
    sent = await turn.done("process_signal", process_id=process, signal="terminate")
    assert sent["success"] is True
    ended = await turn.done("process_output", process_id=process)
    assert (ended["exit_code"], ended["success"]) == (-1, False)
    assert "background_process_id" not in ended
    words = await turn.refused("process_signal", process_id=process, signal="kill")
    assert "not running" in words


async def test_edge_case_20_a_trailing_ampersand_is_promoted(turn: Turn, scene: Scene) -> None:
    marker = scene.home / "marker"
    command = f"(sleep 0.2; touch {marker}; exec sleep 100) &"
    told = await turn.done("execute", command=command, timeout="60s")
    assert told["success"] is True
    assert "trailing & was removed" in told["note"]
    process = told["background_process_id"]
    while not marker.exists():
        seen = await turn.done("process_output", process_id=process, wait_timeout="50ms")
        assert seen["background_process_id"] == process, "it survives"
    [listed] = (await turn.done("process_list"))["processes"]
    assert listed["background"] is True

    both = await turn.done("execute", command="true && echo both")
    assert both["output"] == "both\n"
    assert "background_process_id" not in both


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("npm run dev &", ("npm run dev", True)),
        ("npm run dev&  \n", ("npm run dev", True)),
        ("a && b", ("a && b", False)),
        ("a |& b", ("a |& b", False)),
        ("a &&", ("a &&", False)),
        ("a |&", ("a |&", False)),
        ("cat 2>&", ("cat 2>&", False)),
        ("echo \\&", ("echo \\&", False)),
        ("a & b", ("a & b", False)),
        ("a & b &", ("a & b", True)),
        ("echo 'x &'", ("echo 'x &'", False)),
        ("&", ("", True)),
    ],
)
def test_edge_case_20_what_is_promoted(command: str, wanted: tuple[str, bool]) -> None:
    assert promoted(command) == wanted


async def test_edge_case_20_a_kill_reaches_grandchildren(turn: Turn, scene: Scene) -> None:
    file = scene.home / "pid"
    command = f"sh -c 'sleep 1000 & echo $! > {file}; wait' & wait"
    told = await turn.done("execute", command=command, run_in_background=True)
    while not file.exists() or not file.read_text().strip():
        await turn.done(
            "process_output", process_id=told["background_process_id"], wait_timeout="50ms"
        )
    await turn.done("process_signal", process_id=told["background_process_id"], signal="kill")
    await turn.done("process_output", process_id=told["background_process_id"])
    # A zombie counts as gone: whoever reaps orphans here may be late.
    look = f"grep -q '^State:.Z' /proc/{file.read_text().strip()}/status || "
    look += f"! test -e /proc/{file.read_text().strip()}"
    async with asyncio.timeout(10):
        while not (await turn.done("execute", command=look))["success"]:
            pass


async def test_edge_case_20_a_flood_stays_small_and_whole(turn: Turn) -> None:
    """Thirty-two mebibytes here; the agent's own tests and bench print a gigabyte."""
    command = "yes 'ä€🙂 a line of a flood' | head -c 33554432; printf end"
    told = await turn.done("execute", command=command, timeout="60s")
    assert told["success"] is True
    assert len(told["output"].encode()) < 33 * 1024
    assert told["output"].endswith("end")
    assert re.search(r"omitted \d+ bytes", told["output"])
    cut = told["truncated"]
    assert cut["original_bytes"] == 33554432 + 3
    assert cut["retained_bytes"] + cut["omitted_bytes"] == cut["original_bytes"]
    assert cut["strategy"] == "head_tail"
    assert "\N{REPLACEMENT CHARACTER}" not in told["output"]


async def test_escapes_and_nonsense_stay_text(turn: Turn) -> None:
    command = r"printf '\033[31mred\033[0m \000 \377'"
    told = await turn.done("execute", command=command)
    assert told["output"].startswith("\x1b[31mred\x1b[0m \x00 ")
    json.dumps(told).encode()


async def test_other_chats_processes_are_hidden(scene: Scene) -> None:
    workspace = await scene.workspace()
    mine, other = [await scene.turn(workspace_id=workspace) for _ in range(2)]
    told = await mine.done("execute", command="exec sleep 100", run_in_background=True)
    assert (await other.done("process_list"))["processes"] == []
    words = await other.refused("process_output", process_id=told["background_process_id"])
    assert "not found" in words


async def test_wrong_arguments_name_the_field(turn: Turn) -> None:
    assert await turn.refused("execute") == "command is required"
    assert await turn.refused("execute", command="  ") == "command is required"
    assert await turn.refused("execute", command="&") == "command is required"
    assert (
        await turn.refused("execute", command="a", timeout="-5s")
        == "timeout: timeout must be positive"
    )
    assert "timeout: 'soon' is not a duration" in await turn.refused(
        "execute", command="a", timeout="soon"
    )
    assert "process_id" in await turn.refused("process_output", process_id="nonsense")
    assert "signal" in await turn.refused(
        "process_signal", process_id=str(turn.link.facts.id), signal="stop"
    )
    assert turn.link.looks == 0, "nobody was asked"


async def test_null_is_not_given(turn: Turn) -> None:
    told = await turn.done("execute", command="pwd", timeout=None, workdir=None, nonsense=1)
    assert told["success"] is True


def test_timeouts_end_at_four_hours() -> None:
    assert timeout_seconds("10s") == 10
    assert timeout_seconds("9h") == 4 * 3600


@pytest.mark.parametrize(
    ("command", "dump"),
    [
        ("cat README.md", True),
        ("cat -n a b", True),
        ("/bin/cat a", True),
        ("grep '' file", True),
        ("rg . src/a.py", True),
        ("cat a | head", False),
        ("cat > a", False),
        ("grep needle file", False),
        ("cat", False),
        ("echo $(cat a)", False),
    ],
)
def test_a_dump_of_a_file_is_noted(command: str, dump: bool) -> None:
    assert note_on(command) == (DUMP_NOTE if dump else "")


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("git status", (("git", "status"),)),
        ("cd a && npm test | tee 'my log' > x", (("cd", "a"), ("npm", "test"), ("tee", "my log"))),
        ("echo 'unclosed", ()),
        ("", ()),
        ("a;b\nc & d", (("a",), ("b",), ("c",), ("d",))),
        ("x" * 100_000, ()),
    ],
)
def test_commands_are_told_apart(command: str, wanted: tuple[tuple[str, ...], ...]) -> None:
    assert parsed_commands(command) == wanted
