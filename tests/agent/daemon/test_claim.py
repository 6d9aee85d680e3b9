"""A workspace that was made in advance for nobody becomes somebody's."""

from dataclasses import replace
from uuid import uuid4

from agent.upstream import NOBODY
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane, manifest_of, script_of


def prebuilt(plane: ControlPlane) -> None:
    begin = script_of('echo "for $CODER_WORKSPACE_OWNER_NAME"')
    stop = script_of("echo bye", run_on_start=False, run_on_stop=True)
    plane.manifest = manifest_of(owner_username=NOBODY, scripts=(begin, stop))


def claim(plane: ControlPlane) -> None:
    """What the server tells from now on: a new build's agent, which has the same token."""
    plane.manifest = replace(plane.manifest, agent_id=uuid4(), owner_username="alice")


async def test_on_a_claim_the_agent_ends_and_the_next_one_starts_for_the_new_owner(
    plane: ControlPlane, start: Start
) -> None:
    prebuilt(plane)
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    claim(plane)
    await plane.tell_claim()
    await running.task
    assert running.agent.claimed
    assert plane.lines() == [f"for {NOBODY}", "bye"]
    # The claimed workspace's agent is new to the server: its life has only to begin.
    assert plane.states == ["starting", "ready"]
    await start()
    await plane.until(lambda: plane.states.count("ready") == 2)
    assert plane.lines() == [f"for {NOBODY}", "bye", "for alice"]


async def test_a_claim_that_was_not_heard_of_is_seen_in_the_next_manifest(
    plane: ControlPlane, start: Start
) -> None:
    prebuilt(plane)
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    claim(plane)
    await plane.drop()
    await running.task
    assert running.agent.claimed
    assert plane.states == ["starting", "ready"]
    assert running.agent.environment.build()["CODER_WORKSPACE_OWNER_NAME"] == NOBODY


async def test_an_agent_of_somebodys_workspace_waits_for_no_claim(
    plane: ControlPlane, start: Start
) -> None:
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    plane.manifest = replace(plane.manifest, owner_username="renamed")
    await plane.drop()
    await plane.until(lambda: plane.connections == 2)
    await running.stop()
    assert not running.agent.claimed
    assert plane.reinits == 0


async def test_a_build_that_keeps_the_agent_running_is_told_its_life_again(
    plane: ControlPlane, start: Start
) -> None:
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    plane.manifest = replace(plane.manifest, agent_id=uuid4())
    await plane.drop()
    await plane.until(lambda: len(plane.states) == 4)
    await running.stop()
    assert plane.states == [*["starting", "ready"] * 2, "shutting_down", "off"]
    assert plane.lines() == []
