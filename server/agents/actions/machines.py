"""Log machines of a cloud in: what their cloud signs, in exchange for their agent's token."""

import hmac
from uuid import UUID

import structlog

from coder_cli.sdk import agents as sdk
from server.agents.actions.anchors import AnchorShelf
from server.agents.actions.switchboard import Switchboard
from server.agents.errors import NoMachine, NotByBuild, NotLatestMachine
from server.agents.model import aws_instance, azure_instance, google_instance
from server.agents.store import machines as store
from server.kit.crypto import hash_secret

log = structlog.get_logger()
_BUILDS = "workspace_build"


async def by_aws(
    board: Switchboard, shelf: AnchorShelf, proof: sdk.AWSInstanceIdentityToken
) -> sdk.AgentAuthenticated:
    """Return the token of the agent on a machine of AWS.

    Raises:
        InvalidProof: AWS has not signed this.
        NoMachine, NotByBuild, NotLatestMachine: no agent of now runs there.
    """
    anchors = await shelf.aws()
    now = board.clock.now()
    return await _log_in(board, aws_instance(proof.document, proof.signature, anchors, now))


async def by_azure(
    board: Switchboard, shelf: AnchorShelf, proof: sdk.AzureInstanceIdentityToken
) -> sdk.AgentAuthenticated:
    """Return the token of the agent on a machine of Azure; raises like ``by_aws``."""
    anchors = await shelf.azure()
    now = board.clock.now()
    return await _log_in(board, azure_instance(proof.signature, proof.encoding, anchors, now))


async def by_google(
    board: Switchboard, shelf: AnchorShelf, proof: sdk.GoogleInstanceIdentityToken
) -> sdk.AgentAuthenticated:
    """Return the token of the agent on a machine of Google; raises like ``by_aws``."""
    anchors = await shelf.google()
    now = board.clock.now()
    return await _log_in(board, google_instance(proof.json_web_token, anchors, now))


async def _log_in(board: Switchboard, instance: str) -> sdk.AgentAuthenticated:
    async with board.database.tx(board.actor) as tx:
        machine = await store.newest(tx, instance)
        if machine is None or not machine.living:
            raise NoMachine(instance)
        if machine.job_type != _BUILDS:
            raise NotByBuild(machine.job_type)
        if not machine.latest:
            raise NotLatestMachine(instance)
        token = _token(await store.key(tx), machine.agent_id)
        await store.set_token(tx, machine.agent_id, hash_secret(str(token)))
    log.info("machine logged in", instance=instance, agent=str(machine.agent_id))
    return sdk.AgentAuthenticated(session_token=str(token))


def _token(key: bytes, agent_id: UUID) -> UUID:
    """Return the agent's token: always the same, so that all processes of a machine share it."""
    return UUID(bytes=hmac.digest(key, agent_id.bytes, "sha256")[:16], version=4)
