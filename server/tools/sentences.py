"""What models are told when a workspace cannot be used: what is wrong, and what to do about it.

Source: reference, chats, section 4; the sentences on external agents, seed 002.
"""

from typing import Final

from coder_cli.sdk.builds import WorkspaceStatus
from server.kit.errors import ApiError

NO_WORKSPACE: Final = (
    "no workspace is associated with this chat. Use the create_workspace tool to create one"
)
DELETED: Final = (
    "the workspace of this chat was deleted. Use the create_workspace tool to create another one"
)
DORMANT: Final = (
    "workspace has no running agent: the workspace is dormant. "
    "Ask the user to activate it in the Coder dashboard"
)
NO_AGENTS: Final = (
    "workspace has no running agent: its template defines none. "
    "Ask the user for a workspace whose template has an agent"
)
NEVER_CONNECTED: Final = (
    "this workspace uses an external agent, and that agent has never connected. Coder does not "
    "start external agents: ask the user to run `coder agent` on their own host with the token "
    "and the command that the workspace's page shows, and try again once it is connected"
)
LOST: Final = (
    "this workspace uses an external agent, and its connection is lost. Coder cannot restart "
    "external agents: ask the user to look after their host and to start `coder agent` on it "
    "again, and try again once it is connected"
)


class ToolError(ApiError):
    """A tool cannot do it; the message is a sentence for the model."""

    status = 400


class NoWorkspace(ToolError):
    """The chat has none."""

    def __init__(self, message: str = NO_WORKSPACE) -> None:
        super().__init__(message)


class NoAgent(ToolError):
    """The workspace has nobody who could do anything now."""


class AmbiguousAgent(ToolError):
    """The template does not say which of its agents is for chats."""


class ExternalAgentOffline(ToolError):
    """Somebody has to start the agent by hand."""

    def __init__(self, *, ever_connected: bool) -> None:
        super().__init__(LOST if ever_connected else NEVER_CONNECTED)


class DialTimeout(ToolError):
    """The agent did not answer."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(
            f"the workspace agent did not answer within {round(seconds, 1):g}s: {why} "
            "If it stays so, the workspace may need to be restarted from the Coder dashboard"
        )


def no_agent(status: WorkspaceStatus) -> NoAgent:
    """Return why nothing runs in a workspace of this status."""
    match status:
        case WorkspaceStatus.PENDING | WorkspaceStatus.STARTING:
            advice = "Call start_workspace to wait until it is ready"
        case WorkspaceStatus.DELETING | WorkspaceStatus.DELETED:
            advice = "Use the create_workspace tool to create another one"
        case _:
            advice = "Call start_workspace to start it"
    return NoAgent(f"workspace has no running agent: the workspace is {status}. {advice}")
