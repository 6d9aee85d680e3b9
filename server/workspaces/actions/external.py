"""Agents that run where nothing is provisioned: what one types there to start one.

Source: reference, agent and provisioner, section 1.18.
"""

from urllib.parse import quote
from uuid import UUID

from coder_cli.sdk.workspaces import ExternalAgentCredentials
from server.kit.authz import Action
from server.kit.crypto import hash_secret, same
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.workspaces.actions import find
from server.workspaces.model import WorkspaceRules, agent_tokens
from server.workspaces.store import builds
from server.workspaces.store.agents import ExternalAgent, external_agent


async def credentials(
    tx: Tx, workspace_id: UUID, agent_name: str, rules: WorkspaceRules
) -> ExternalAgentCredentials:
    """Return how to start an external agent of the latest build.

    Only the hash of its token is a column; the token itself is in the Terraform state.

    Raises:
        Forbidden: who has the token is the machine, so one must be able to change the workspace
            and to enter it.
        NotFound: there is no such agent, or it logs in by an instance's identity.
    """
    workspace = await find.workspace(tx, workspace_id)
    tx.actor.require(Action.UPDATE, workspace.object)
    tx.actor.require(Action.SSH, workspace.object)
    agent = await external_agent(tx, workspace.latest_build_id, agent_name)
    if agent is None:
        raise NotFound(f"External agent '{agent_name}' not found in workspace.")
    if agent.auth_instance_id is not None:
        raise NotFound("External agent is authenticated with an instance ID.")
    tokens = agent_tokens(await builds.state(tx, workspace.latest_build_id))
    known = (token for token in tokens if same(hash_secret(token.lower()), agent.auth_token))
    token = next(known, None)
    if token is None:
        raise NotFound(
            f"External agent '{agent_name}' has no token in the workspace's Terraform state.",
            detail="Build the workspace again; its next state has one.",
        )
    return ExternalAgentCredentials(command=_command(agent, token, rules), agent_token=token)


def _command(agent: ExternalAgent, token: str, rules: WorkspaceRules) -> str:
    platform = f"{quote(agent.operating_system, safe='')}/{quote(agent.architecture, safe='')}"
    url = f"{rules.access_url.rstrip('/')}/api/v2/init-script/{platform}"
    if agent.operating_system == "windows":
        return f'$env:CODER_AGENT_TOKEN="{token}"; iwr -useb "{url}" | iex'
    return f'curl -fsSL "{url}" | CODER_AGENT_TOKEN="{token}" sh'
