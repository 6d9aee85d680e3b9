"""The end of an agent: everything is told, nothing twice, and nothing is left behind."""

import asyncio
from pathlib import Path

from agent.daemon.agent import LAST_WORDS_WITHIN
from coder_cli.sdk.agentapi import Json, Method
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane, manifest_of, script_of
from tests.agent.ssh.conftest import Clients, connect
from tests.agent.waiting import is_alive, until, words_of
from tests.support.clock import FakeClock


async def test_a_call_that_ends_in_eof_during_the_shutdown_does_not_reconnect(
    plane: ControlPlane, start: Start
) -> None:
    """Seed: writing stats failed with EOF, and SHUTTING_DOWN was written twice."""

    def fail(_: Json) -> Json:
        raise LookupError("EOF")

    stop = script_of("echo bye", run_on_start=False, run_on_stop=True)
    plane.manifest = manifest_of(scripts=(stop,))
    plane.answers[Method.STATS] = lambda _: {"report_interval_ms": 1}
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    for method in (Method.STATS, Method.BANNERS, Method.CONNECTION):
        plane.answers[method] = fail
    await running.stop()
    assert plane.connections == 1
    assert plane.states == ["starting", "ready", "shutting_down", "off"]
    assert plane.lines() == ["bye"]


async def test_a_line_that_breaks_over_shutting_down_is_mended_without_saying_it_twice(
    plane: ControlPlane, start: Start
) -> None:
    """Seed: the same, when it is the line itself that goes."""
    stop = script_of("echo bye", run_on_start=False, run_on_stop=True)
    plane.manifest = manifest_of(scripts=(stop,))
    running = await start()
    await plane.until(lambda: "ready" in plane.states)

    def break_once(params: Json) -> Json:
        del plane.answers[Method.LIFECYCLE]
        raise ConnectionResetError

    plane.answers[Method.LIFECYCLE] = break_once
    await running.stop()
    assert plane.connections == 2
    assert plane.states == ["starting", "ready", "shutting_down", "off"]
    # Of lines a broken line may lose the answer, not the words: rather twice than never.
    assert set(plane.lines()) == {"bye"}


async def test_an_end_while_the_line_is_still_coming_up_delivers_the_last_state(
    plane: ControlPlane, start: Start
) -> None:
    """Seed: closing the agent while networking starts broke the final status and logs."""
    port = int(plane.url.rpartition(":")[2])
    await plane.stop()
    running = await start()
    running.agent.stop()
    await asyncio.sleep(0.3)
    await plane.start(port)
    await running.stop()
    assert plane.states == ["shutting_down", "off"]


async def test_an_end_before_the_manifest_has_come_keeps_the_line_for_the_last_words(
    plane: ControlPlane, start: Start
) -> None:
    """Seed: an agent closed while it starts must not disconnect before its final status."""

    def never(_: Json) -> Json:
        raise TimeoutError

    plane.answers[Method.MANIFEST] = never
    running = await start()
    await plane.until(lambda: plane.called(Method.MANIFEST))
    await running.stop()
    assert plane.connections == 1
    assert plane.states == ["shutting_down", "off"]


async def test_an_end_while_start_scripts_run_takes_them_along(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    pid_file = home / "pid"
    begin = script_of(f"echo $$ >{pid_file}; echo begun; sleep 600")
    stop = script_of("echo bye", run_on_start=False, run_on_stop=True)
    plane.manifest = manifest_of(scripts=(begin, stop))
    running = await start()
    await plane.until(lambda: "begun" in plane.lines())
    await running.stop()
    assert plane.states == ["starting", "shutting_down", "off"]
    assert plane.lines() == ["begun", "bye"]
    assert not is_alive(int(words_of(pid_file)[0]))


async def test_a_server_that_is_gone_holds_the_end_up_for_five_seconds_at_most(
    plane: ControlPlane, start: Start
) -> None:
    clock = FakeClock()
    running = await start(clock=clock)
    await plane.until(lambda: "ready" in plane.states)
    plane.deaf = True
    begun = clock.monotonic()
    running.agent.stop()
    await plane.until(lambda: "shutting_down" in plane.states)
    await clock.advance(LAST_WORDS_WITHIN)
    await running.stop()
    assert clock.monotonic() - begun == LAST_WORDS_WITHIN
    assert plane.states == ["starting", "ready", "shutting_down"]


async def test_sessions_are_cut_and_reported_before_the_end(
    plane: ControlPlane, start: Start, home: Path, tmp_path: Path
) -> None:
    running = await start()
    async with connect(plane, running, home, tmp_path) as clients:
        pid, process = await _sleeper(clients, home)
        session = asyncio.ensure_future(process.wait())
        await running.stop()
        assert await session == 255
    assert not is_alive(pid)
    ends = [each for each in plane.called(Method.CONNECTION) if each["action"] == "disconnect"]
    assert [each["status_code"] for each in ends] == [255]
    order = [name for name, _ in plane.calls]
    assert order.index("connection") < len(order) - 1 - order[::-1].index("lifecycle")


async def _sleeper(clients: Clients, home: Path) -> tuple[int, asyncio.subprocess.Process]:
    pid_file = home / "sleeper"
    process = await clients.start("ssh", "127.0.0.1", f"echo $$ >{pid_file}; exec sleep 600")
    await until(lambda: words_of(pid_file))
    return int(words_of(pid_file)[0]), process
