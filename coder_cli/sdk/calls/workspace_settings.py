"""Calls that change a workspace without building it: its timetable, who is let in, its state."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.workspaces import ExternalAgentCredentials, WorkspaceACL, WorkspaceRole


class WorkspaceSettingCalls(Transport):
    """``/workspaces/{id}/…``."""

    __slots__ = ()

    def set_autostart(self, workspace_id: UUID, schedule: str) -> None:
        """Say when a workspace starts by itself; an empty schedule is never."""
        from coder_cli.sdk.workspaces import UpdateWorkspaceAutostartRequest

        body = UpdateWorkspaceAutostartRequest(schedule=schedule or None)
        self.send("PUT", f"/workspaces/{workspace_id}/autostart", body=body)

    def set_ttl(self, workspace_id: UUID, ttl: timedelta | None) -> None:
        """Say how long a workspace runs after a start; None is until somebody stops it."""
        from coder_cli.sdk.workspaces import UpdateWorkspaceTTLRequest

        milliseconds = None if ttl is None else ttl // timedelta(milliseconds=1)
        body = UpdateWorkspaceTTLRequest(ttl_ms=milliseconds)
        self.send("PUT", f"/workspaces/{workspace_id}/ttl", body=body)

    def extend(self, workspace_id: UUID, deadline: datetime) -> None:
        """Move when the running workspace stops by itself."""
        from coder_cli.sdk.workspaces import PutExtendWorkspaceRequest

        body = PutExtendWorkspaceRequest(deadline=deadline)
        self.send("PUT", f"/workspaces/{workspace_id}/extend", body=body)

    def workspace_acl(self, workspace_id: UUID) -> "WorkspaceACL":
        """Return whom a workspace is shared with."""
        answer = self.get(f"/workspaces/{workspace_id}/acl")
        from coder_cli.sdk.workspaces import WorkspaceACL

        return answer.read(WorkspaceACL)

    def update_workspace_acl(
        self,
        workspace_id: UUID,
        users: "Mapping[str, WorkspaceRole]",
        groups: "Mapping[str, WorkspaceRole]",
    ) -> None:
        """Give users and groups their roles in a workspace; an empty role takes it away."""
        from coder_cli.sdk.workspaces import UpdateWorkspaceACL

        body = UpdateWorkspaceACL(user_roles=dict(users), group_roles=dict(groups))
        self.send("PATCH", f"/workspaces/{workspace_id}/acl", body=body)

    def external_agent(self, workspace_id: UUID, agent: str) -> "ExternalAgentCredentials":
        """Return how to start an agent that runs outside."""
        answer = self.get(f"/workspaces/{workspace_id}/external-agent/{agent}/credentials")
        from coder_cli.sdk.workspaces import ExternalAgentCredentials

        return answer.read(ExternalAgentCredentials)

    def put_build_state(self, build_id: UUID, state: bytes) -> None:
        """Replace the Terraform state that a build left."""
        from base64 import b64encode

        from coder_cli.sdk.builds import UpdateBuildStateRequest

        body = UpdateBuildStateRequest(state=b64encode(state).decode())
        self.send("PUT", f"/workspacebuilds/{build_id}/state", body=body)
