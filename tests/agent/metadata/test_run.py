"""One run of a script: its value, its troubles, and that nothing is left of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.kit.child import Child
from agent.metadata.run import LARGEST, run
from tests.agent.upstream.conftest import Desk
from tests.agent.waiting import is_alive, until, words_of

Start = Callable[[str, int], Child]


@pytest.mark.parametrize(
    ("script", "value", "error"),
    [
        ("echo ' 42 % '", "42 %", ""),
        ("echo out; echo err >&2", "out\nerr", ""),
        ("echo half; exit 3", "half", "run cmd: exit status 3"),
        ("kill -9 $$", "", "run cmd: signal 9"),
        ("printf '\\377x'", "�x", ""),
        ("true", "", ""),
    ],
)
async def test_a_value_is_what_was_printed(
    desk: Desk, start: Start, script: str, value: str, error: str
) -> None:
    result = await run(script, 5, start, desk.clock)
    assert (result.value, result.error) == (value, error)
    assert result.collected_at == desk.clock.now()


async def test_ten_kibibytes_are_kept_and_the_rest_is_told(desk: Desk, start: Start) -> None:
    result = await run("head -c 20000 /dev/zero | tr '\\0' x; exit 1", 5, start, desk.clock)
    assert result.value == "x" * LARGEST
    words = f"run cmd: exit status 1; output truncated from 20000 to {LARGEST} bytes"
    assert result.error == words


async def test_a_script_that_takes_too_long_is_killed_with_all_it_started(
    desk: Desk, start: Start, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo early; echo $$ $! >{pids}; wait"
    running = asyncio.ensure_future(run(script, 2, start, desk.clock))
    await until(lambda: len(words_of(pids)) == 2)
    await desk.clock.wake_within(2)
    result = await running
    assert result.error == "run cmd: the script ran longer than 2 s"
    assert result.age == 2
    await until(lambda: not any(is_alive(int(pid)) for pid in words_of(pids)))


async def test_a_process_left_with_the_output_is_killed_and_told(
    desk: Desk, start: Start, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 600 & echo $! >{pid}; echo value"
    running = asyncio.ensure_future(run(script, 2, start, desk.clock))
    await until(lambda: words_of(pid))
    await asyncio.wait({running}, timeout=0.2)  # The script itself ends; the sleeper does not.
    await desk.clock.wake_within(2)
    result = await running
    assert result.value == "value"
    assert "still holds its output open" in result.error
    await until(lambda: not is_alive(int(words_of(pid)[0])))


async def test_a_script_that_cannot_be_started_is_an_error_of_its_value(desk: Desk) -> None:
    def start(script: str, output: int) -> Child:
        raise PermissionError(13, "Permission denied")

    result = await run("true", 5, start, desk.clock)
    assert (result.value, result.error) == ("", "run cmd: [Errno 13] Permission denied")
