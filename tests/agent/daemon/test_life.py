"""An agent's life as its server hears it."""

from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane, script_of, manifest_of


async def test_an_agent_without_scripts_is_ready_and_off(plane: ControlPlane, start: Start) -> None:
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    await running.stop()
    assert plane.states == ["starting", "ready", "shutting_down", "off"]
