"""Calls about workspaces, their builds and their agents."""

from typing import TYPE_CHECKING
from uuid import UUID

from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.agents import (
        AgentConnectionInfo,
        WorkspaceAgent,
        WorkspaceAgentListeningPorts,
        WorkspaceAgentLog,
    )
    from coder_cli.sdk.builds import CreateWorkspaceBuildRequest, WorkspaceBuild
    from coder_cli.sdk.common import NameValue
    from coder_cli.sdk.jobs import ProvisionerJobLog
    from coder_cli.sdk.workspaces import (
        AutomaticUpdates,
        CreateWorkspaceRequest,
        PostWorkspaceUsageRequest,
        Workspace,
        WorkspacesResponse,
    )


class WorkspaceCalls(Transport):
    """``/workspaces``, ``/workspacebuilds``, ``/workspaceagents``."""

    __slots__ = ()

    def workspaces(self, q: str = "", *, limit: int = 0, offset: int = 0) -> "WorkspacesResponse":
        """Return the workspaces that match ``q``."""
        answer = self.get("/workspaces", q=q, limit=limit or None, offset=offset or None)
        from coder_cli.sdk.workspaces import WorkspacesResponse

        return answer.read(WorkspacesResponse)

    def workspace(self, workspace_id: UUID, *, include_deleted: bool = False) -> "Workspace":
        """Return a workspace by id."""
        answer = self.get(f"/workspaces/{workspace_id}", include_deleted=include_deleted or None)
        from coder_cli.sdk.workspaces import Workspace

        return answer.read(Workspace)

    def workspace_by_name(
        self, owner: str, name: str, *, include_deleted: bool = False
    ) -> "Workspace":
        """Return the workspace that ``owner`` (a name, an id or ``me``) calls ``name``."""
        path = f"/users/{owner}/workspace/{name}"
        answer = self.get(path, include_deleted=include_deleted or None)
        from coder_cli.sdk.workspaces import Workspace

        return answer.read(Workspace)

    def create_workspace(self, owner: str, request: "CreateWorkspaceRequest") -> "Workspace":
        """Create a workspace; its first build starts at once."""
        from coder_cli.sdk.workspaces import Workspace

        return self.send("POST", f"/users/{owner}/workspaces", body=request).read(Workspace)

    def rename_workspace(self, workspace_id: UUID, name: str) -> None:
        """Give a workspace another name."""
        from coder_cli.sdk.workspaces import UpdateWorkspaceRequest

        self.send("PATCH", f"/workspaces/{workspace_id}", body=UpdateWorkspaceRequest(name=name))

    def favorite_workspace(self, workspace_id: UUID, *, favorite: bool) -> None:
        """Sort a workspace first, or no longer."""
        self.send("PUT" if favorite else "DELETE", f"/workspaces/{workspace_id}/favorite")

    def set_automatic_updates(self, workspace_id: UUID, updates: "AutomaticUpdates") -> None:
        """Say whether starts move to the template's active version."""
        from coder_cli.sdk.workspaces import UpdateWorkspaceAutomaticUpdatesRequest

        body = UpdateWorkspaceAutomaticUpdatesRequest(automatic_updates=updates)
        self.send("PUT", f"/workspaces/{workspace_id}/autoupdates", body=body)

    def post_usage(
        self, workspace_id: UUID, request: "PostWorkspaceUsageRequest | None" = None
    ) -> None:
        """Say that the workspace is being used."""
        self.send("POST", f"/workspaces/{workspace_id}/usage", body=request)

    def create_build(
        self, workspace_id: UUID, request: "CreateWorkspaceBuildRequest"
    ) -> "WorkspaceBuild":
        """Start, stop or delete a workspace."""
        from coder_cli.sdk.builds import WorkspaceBuild

        path = f"/workspaces/{workspace_id}/builds"
        return self.send("POST", path, body=request).read(WorkspaceBuild)

    def builds(self, workspace_id: UUID, *, limit: int = 0) -> "list[WorkspaceBuild]":
        """Return a workspace's builds, newest first."""
        answer = self.get(f"/workspaces/{workspace_id}/builds", limit=limit or None)
        from coder_cli.sdk.builds import WorkspaceBuild

        return answer.read_list(WorkspaceBuild)

    def build(self, build_id: UUID) -> "WorkspaceBuild":
        """Return a build by id."""
        answer = self.get(f"/workspacebuilds/{build_id}")
        from coder_cli.sdk.builds import WorkspaceBuild

        return answer.read(WorkspaceBuild)

    def build_by_number(self, owner: str, workspace: str, number: int) -> "WorkspaceBuild":
        """Return a workspace's build by its number."""
        answer = self.get(f"/users/{owner}/workspace/{workspace}/builds/{number}")
        from coder_cli.sdk.builds import WorkspaceBuild

        return answer.read(WorkspaceBuild)

    def build_parameters(self, build_id: UUID) -> "list[NameValue]":
        """Return the parameter values a build used."""
        answer = self.get(f"/workspacebuilds/{build_id}/parameters")
        from coder_cli.sdk.common import NameValue

        return answer.read_list(NameValue)

    def build_logs(self, build_id: UUID) -> "list[ProvisionerJobLog]":
        """Return what a build said so far."""
        answer = self.get(f"/workspacebuilds/{build_id}/logs")
        from coder_cli.sdk.jobs import ProvisionerJobLog

        return answer.read_list(ProvisionerJobLog)

    def build_state(self, build_id: UUID) -> bytes:
        """Return a build's raw Terraform state."""
        return self.get(f"/workspacebuilds/{build_id}/state").content

    def cancel_build(self, build_id: UUID) -> None:
        """Stop a build that is queued or running."""
        self.send("PATCH", f"/workspacebuilds/{build_id}/cancel")

    def agent(self, agent_id: UUID) -> "WorkspaceAgent":
        """Return an agent by id."""
        answer = self.get(f"/workspaceagents/{agent_id}")
        from coder_cli.sdk.agents import WorkspaceAgent

        return answer.read(WorkspaceAgent)

    def agent_connection(self, agent_id: UUID) -> "AgentConnectionInfo":
        """Return how to reach an agent, its host key included."""
        answer = self.get(f"/workspaceagents/{agent_id}/connection")
        from coder_cli.sdk.agents import AgentConnectionInfo

        return answer.read(AgentConnectionInfo)

    def agent_logs(self, agent_id: UUID, after: int = 0) -> "list[WorkspaceAgentLog]":
        """Return what an agent's scripts said so far."""
        answer = self.get(f"/workspaceagents/{agent_id}/logs", after=after or None)
        from coder_cli.sdk.agents import WorkspaceAgentLog

        return answer.read_list(WorkspaceAgentLog)

    def listening_ports(self, agent_id: UUID) -> "WorkspaceAgentListeningPorts":
        """Return the ports that programs in the workspace listen on."""
        answer = self.get(f"/workspaceagents/{agent_id}/listening-ports")
        from coder_cli.sdk.agents import WorkspaceAgentListeningPorts

        return answer.read(WorkspaceAgentListeningPorts)
