"""Port 4 of an agent: its HTTP API."""

from tests.agent.apiclient import ApiClient
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane


async def test_the_agent_says_hello(plane: ControlPlane, start: Start) -> None:
    await start()
    await plane.until(lambda: "ready" in plane.states)
    api = ApiClient(plane)
    assert await api.get("/") == (200, {"message": "Hello from the agent!"})
    assert (await api.get("/nowhere"))[0] == 404
    assert (await api.post("/", {}))[0] == 405
