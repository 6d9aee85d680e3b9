"""A workspace is as well as its agents: the reference's section 3.2, agent by agent."""

from uuid import uuid4

import pytest

from coder_cli.sdk.agents import AgentLifecycle, AgentStatus, WorkspaceAgent, WorkspaceAgentHealth
from server.workspaces.convert import health
from tests.coder_cli.shapes import WHEN


def agent(*, healthy: bool, inside: bool = False) -> WorkspaceAgent:
    """Return an agent, of a container where ``inside``."""
    return WorkspaceAgent(
        id=uuid4(),
        parent_id=uuid4() if inside else None,
        created_at=WHEN,
        updated_at=WHEN,
        status=AgentStatus.CONNECTED,
        lifecycle_state=AgentLifecycle.READY,
        name="main",
        resource_id=uuid4(),
        health=WorkspaceAgentHealth(healthy=healthy, reason="" if healthy else "lost"),
    )


WELL, ILL, ILL_INSIDE = agent(healthy=True), agent(healthy=False), agent(healthy=False, inside=True)


@pytest.mark.parametrize(
    ("agents", "failing"),
    [
        ([], []),
        ([WELL], []),
        ([WELL, ILL], [ILL]),
        ([ILL, ILL_INSIDE], [ILL]),
        ([WELL, ILL_INSIDE], []),
    ],
)
def test_one_ill_agent_makes_a_workspace_ill_but_none_in_a_container(
    agents: list[WorkspaceAgent], failing: list[WorkspaceAgent]
) -> None:
    found = health(agents)
    assert found.healthy is (failing == [])
    assert found.failing_agents == [one.id for one in failing]
