"""Agents that an agent makes inside itself: one for each dev container that runs."""

from typing import Any
from uuid import UUID, uuid4

import structlog

from coder_cli.sdk.agentapi import BadShape, Empty, Healthcheck
from coder_cli.sdk.agentapi.subagents import (
    CreatedSubAgent,
    CreateSubAgent,
    DeleteSubAgent,
    SubAgent,
    SubAgentApp,
    SubAgents,
)
from server.agents.actions.caller import Caller
from server.agents.model import check_sub_agent, sort_out
from server.agents.store import subagents as store
from server.kit.crypto import hash_secret
from server.kit.db import Tx

log = structlog.get_logger()


async def create(caller: Caller, wanted: CreateSubAgent) -> CreatedSubAgent:
    """Make a sub-agent; apps that cannot be are left out, with the reason for each.

    Raises:
        BadShape: it cannot be named so, or its id is not the caller's to give.
    """
    parent = caller.identity
    if parent.parent_id is not None:
        raise BadShape("a sub-agent has no sub-agents")
    token = str(uuid4())
    async with caller.board.database.tx(caller.board.actor) as tx:
        check_sub_agent(wanted, await store.kin(tx, parent.agent_id))
        inside = await _assigned(tx, caller, wanted.id)
        birth = store.Birth(
            wanted.id or uuid4(),
            parent.agent_id,
            hash_secret(token),
            wanted,
            dict(inside.get("env", {})),
        )
        if not await store.add(tx, birth):
            raise BadShape("id: it is another agent's")
        declared = [_app(app) for app in inside.get("apps", ())]
        apps, errors = sort_out(wanted.apps, [app.slug for app in declared])
        await store.add_apps(tx, birth.id, [*declared, *apps])
        await store.add_scripts(tx, birth.id, inside.get("scripts", ()))
        await caller.tell(tx)
    for error in errors:
        log.warning(
            "app of a sub-agent was not made", agent=str(birth.id), slug_at=error.index,
            field=error.field, reason=error.error,
        )  # fmt: skip
    return CreatedSubAgent(SubAgent(birth.id, wanted.name, token), tuple(errors))


async def _assigned(tx: Tx, caller: Caller, agent_id: UUID | None) -> dict[str, Any]:
    if agent_id is None:
        return {}
    inside = await store.assigned(tx, caller.identity.agent_id, agent_id)
    if inside is None:
        raise BadShape("id: the template has assigned it to no dev container of this agent")
    await store.make_room(tx, agent_id, caller.identity.workspace_id)
    return inside


def _app(row: dict[str, Any]) -> SubAgentApp:
    check: dict[str, Any] = row.get("healthcheck") or {}
    return SubAgentApp(
        slug=row["slug"],
        display_name=row.get("display_name", ""),
        command=row.get("command", ""),
        url=row.get("url", ""),
        external=row.get("external", False),
        icon=row.get("icon", ""),
        subdomain=row.get("subdomain", False),
        share=row.get("sharing_level", "owner"),
        hidden=row.get("hidden", False),
        open_in=row.get("open_in", "slim-window"),
        order=row.get("order", 0),
        group=row.get("group", ""),
        healthcheck=Healthcheck(
            check.get("url", ""), check.get("interval", 0), check.get("threshold", 0)
        ),
    )


async def delete(caller: Caller, wanted: DeleteSubAgent) -> Empty:
    """Remove a sub-agent of the caller's.

    Raises:
        BadShape: it is none of the caller's.
    """
    async with caller.board.database.tx(caller.board.actor) as tx:
        if not await store.delete(tx, caller.identity.agent_id, wanted.id):
            raise BadShape("subagent does not belong to this parent agent")
        await caller.tell(tx)
    return Empty()


async def listed(caller: Caller, _: Empty) -> SubAgents:
    """Return the sub-agents of the caller, without their tokens: nobody knows these any more."""
    own = caller.identity.agent_id
    async with caller.board.database.tx(caller.board.actor) as tx:
        found = await store.kin(tx, own)
    return SubAgents(tuple(SubAgent(one.id, one.name) for one in found if one.parent_id == own))
