"""Processes through the API: how they are started, what they leave, how they end."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from agent.processes import registry as module
from agent.processes.errors import NoSuchProcess, NotRunning, OtherInput, TooMany, WrongRequest
from agent.processes.process import WAIT_DELAY
from tests.agent.processes.conftest import Build, House, ended
from tests.agent.waiting import is_alive, until, words_of
from tests.support.clock import FakeClock


async def test_output_and_error_come_in_the_order_in_which_they_were_printed(house: House) -> None:
    process = await house.finish("for i in 1 2 3; do echo out $i; echo err $i >&2; done; exit 7")
    assert process.output().text == "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"
    assert process.exit_code == 7


async def test_a_process_that_a_signal_ended_has_no_known_exit_code(house: House) -> None:
    assert (await house.finish("kill -9 $$")).exit_code == -1


async def test_standard_input_is_empty(house: House) -> None:
    assert (await house.finish("cat; echo done")).output().text == "done\n"


async def test_processes_outlive_their_request(house: House) -> None:
    async def request() -> None:
        house.start(f"while [ ! -e {house.home}/gate ]; do sleep 0.02; done; echo through")

    await asyncio.ensure_future(request())
    (process,) = house.registry.list(None)
    (house.home / "gate").touch()
    assert (await ended(process)).output().text == "through\n"


async def test_update_env_hook(house: House) -> None:
    """Processes have what SSH sessions have."""
    script = 'echo "$CODER $CODER_WORKSPACE_NAME $GIT_ASKPASS"; echo "$GIT_SSH_COMMAND"; pwd'
    process = await house.finish(script)
    assert process.output().text.splitlines() == [
        "true dev /opt/coder/bin/coder",
        "/opt/coder/bin/coder gitssh --",
        str(house.home),
    ]


async def test_update_env_hook_overridden_by_req_env(house: House) -> None:
    env = {"GIT_ASKPASS": "mine", "CODER": "$HOME"}
    process = await house.finish('echo "$GIT_ASKPASS $CODER $CODER_WORKSPACE_NAME"', env=env)
    assert process.output().text == "mine $HOME dev\n"


async def test_without_a_manifest_the_agents_own_environment_does(house: House) -> None:
    house.environment.manifest = None
    process = await house.finish('echo "<$CODER>"; pwd', env={"A": "b"})
    assert process.output().text == f"<>\n{house.home}\n"


@pytest.mark.parametrize("workdir", ["", "work", "~/work", "$HOME/work"])
async def test_the_working_directory(house: House, workdir: str) -> None:
    (house.home / "work").mkdir()
    process = await house.finish("pwd", workdir=workdir)
    assert process.output().text.strip() == process.workdir
    assert Path(process.workdir) == house.home / "work" if workdir else house.home


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"command": ""}, "Command is required."),
        ({"command": "true", "workdir": "/no/where"}, "/no/where does not exist"),
        ({"command": "true", "env": {"A=B": "c"}}, "'A=B' cannot be set"),
        ({"command": "true", "env": {"": "c"}}, "'' cannot be set"),
        ({"command": "true", "env": {"A": "\0"}}, "'A' cannot be set"),
    ],
)
async def test_what_cannot_be_started(house: House, wanted: dict[str, object], words: str) -> None:
    with pytest.raises(WrongRequest, match=words):
        house.start(**wanted)  # pyright: ignore[reportArgumentType]
    assert house.registry.list(None) == []


async def test_a_process_has_a_group_of_its_own(house: House) -> None:
    process = await house.finish("ps -o pgid= -p $$")
    assert int(process.output().text) == process.pid


@pytest.mark.parametrize("number", ["terminate", "kill"])
async def test_signals_reach_grandchildren(house: House, number: str) -> None:
    pids = house.home / "pids"
    process = house.start(f"(sleep 1000 & echo $! > {pids}; wait) | cat; echo never")
    await until(lambda: words_of(pids))
    (grandchild,) = map(int, words_of(pids))
    house.registry.signal(str(process.id), number, None)
    await ended(process)
    await until(lambda: not is_alive(grandchild))
    assert process.exit_code == -1


async def test_a_signal_to_what_has_ended_or_never_was_is_refused(house: House) -> None:
    process = await house.finish("true")
    with pytest.raises(NotRunning, match=f'Process "{process.id}" is not running.'):
        house.registry.signal(str(process.id), "kill", None)
    for name in (str(uuid4()), "x"):
        with pytest.raises(NoSuchProcess, match=f'Process "{name}" not found.'):
            house.registry.signal(name, "kill", None)


async def test_what_holds_the_output_open_is_waited_for_five_seconds(build: Build) -> None:
    clock = FakeClock()
    house = build(clock)
    await asyncio.sleep(0)
    gate = house.home / "gate"
    process = house.start(f"(touch {gate}; exec sleep 1000) & echo first")
    await until(gate.exists)
    waiting = asyncio.ensure_future(clock.wake_within(WAIT_DELAY))
    await ended(process)
    await waiting
    assert (process.exit_code, process.output().text) == (0, "first\n")
    assert clock.monotonic() == WAIT_DELAY


async def test_the_output_can_be_read_while_it_grows(house: House) -> None:
    process = house.start(f"echo one; while [ ! -e {house.home}/gate ]; do sleep 0.02; done")
    await until(lambda: process.output().text == "one\n")
    assert process.running
    (house.home / "gate").touch()
    await ended(process)


async def test_a_wait_ends_with_the_process_or_with_its_time(build: Build) -> None:
    clock = FakeClock()
    house = build(clock)
    await asyncio.sleep(0)
    process = house.start("sleep 1000")
    waiting = asyncio.ensure_future(house.registry.wait(process, 300))
    await clock.wake_within(300)
    async with asyncio.timeout(20):
        await waiting
    assert process.running
    house.registry.signal(str(process.id), "kill", None)
    async with asyncio.timeout(20):
        await house.registry.wait(process, 300)
    assert not process.running


async def test_lists_hold_ten_those_that_run_first_then_the_newest(house: House) -> None:
    over = [await house.finish("true") for _ in range(11)]
    first = house.start("sleep 1000")
    over.append(await house.finish("true"))
    second = house.start("sleep 1000")
    expected = [second, first, *reversed(over)][:10]
    assert house.registry.list(None) == expected


async def test_a_chat_sees_its_own_processes_only(house: House) -> None:
    mine, other = uuid4(), uuid4()
    process = await house.finish("true", mine)
    assert house.registry.list(mine) == [process]
    assert house.registry.list(other) == []
    assert house.registry.list(None) == [process]
    assert house.registry.get(str(process.id), mine) is process
    with pytest.raises(NoSuchProcess):
        house.registry.get(str(process.id), other)
    with pytest.raises(NoSuchProcess):
        house.registry.signal(str(process.id), "kill", other)


async def test_the_same_token_starts_nothing_again(house: House) -> None:
    chat = uuid4()
    command = f"echo x >> {house.home}/runs"
    first = await house.finish(command, chat, client_token="t")
    assert house.start(command, chat, client_token="t") is first
    with pytest.raises(OtherInput):
        house.start("true", chat, client_token="t")
    assert await house.finish(command, uuid4(), client_token="t") is not first
    assert await house.finish(command, chat) is not first
    assert words_of(house.home / "runs") == ["x"] * 3


async def test_of_processes_that_have_ended_the_newest_are_remembered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ENDED", 2)
    running = house.start("sleep 1000")
    over = [await house.finish("true", client_token=str(number)) for number in range(4)]
    assert house.registry.list(None) == [running, over[3], over[2]]
    assert house.start("true", client_token="0") is not over[0]


async def test_only_so_many_run_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNNING", 1)
    process = house.start("sleep 1000")
    with pytest.raises(TooMany, match="1 processes are running"):
        house.start("true")
    house.registry.signal(str(process.id), "kill", None)
    await ended(process)
    await asyncio.sleep(0)
    await house.finish("true")


async def test_processes_of_a_closed_chat_are_ended_and_forgotten(build: Build) -> None:
    clock = FakeClock()
    house = build(clock)
    await asyncio.sleep(0)
    closed, other = uuid4(), uuid4()
    deaf = house.home / "deaf"
    stubborn = house.start(f"trap '' TERM; touch {deaf}; while :; do sleep 1; done", closed)
    polite = house.start("sleep 1000", closed)
    spared = house.start("sleep 1000", other)
    await until(deaf.exists)
    ending = asyncio.ensure_future(house.registry.end_all(closed))
    await ended(polite)
    await clock.wake_within(WAIT_DELAY)
    async with asyncio.timeout(20):
        assert await ending == 2
    await until(lambda: not is_alive(stubborn.pid))
    assert house.registry.list(closed) == []
    assert house.registry.list(None) == [spared]


async def test_much_output_keeps_little(house: House) -> None:
    process = await house.finish("head -c 20000000 /dev/zero | tr '\\0' 'x'")
    excerpt = process.output()
    assert excerpt.original == 20_000_000
    assert len(excerpt.text) < 5000


async def test_scores_of_processes(build: Build) -> None:
    plain = build(base={})
    await asyncio.sleep(0)
    command = "cat /proc/self/oom_score_adj; nice; sh -c nice; echo $0; echo $#"
    own, usual, *_ = (await plain.finish(command)).output().text.split()
    for base, score, nice in (
        ({}, "998" if 0 <= int(own) < 998 else "0", min(int(usual) + 5, 19)),
        ({"CODER_PROC_OOM_SCORE": "500", "CODER_PROC_NICE_SCORE": "12"}, "500", 12),
        ({"CODER_PROC_OOM_SCORE": "many", "CODER_PROC_NICE_SCORE": usual}, None, int(usual)),
    ):
        house = build(base={"CODER_PROC_PRIO_MGMT": "1", **base})
        await asyncio.sleep(0)
        told = (await house.finish(command)).output().text.split()
        assert told[0] == score or score is None
        assert told[1:] == [str(nice), str(nice), "/bin/sh", "0"]
