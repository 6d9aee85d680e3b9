"""Let others into a workspace, and open its ports to them."""

from collections.abc import Iterable
from uuid import UUID

from server.kit.authz import Action
from server.kit.db import Tx
from server.kit.errors import FieldError, Forbidden, Invalid, NotFound
from server.workspaces.actions import find, show
from server.workspaces.errors import invalid_field
from server.workspaces.events import WorkspaceChanged
from server.workspaces.model import (
    PortShare,
    ShareOrder,
    Sharers,
    Workspace,
    changed,
    exceeds,
)
from server.workspaces.store import sharing

EVERYONE = "everyone"
MOST_SHARERS = 1000
"""Longer lists of access are what groups are for."""


async def lists(tx: Tx, workspace_id: UUID) -> tuple[Workspace, Sharers]:
    """Return a workspace with those that its lists of access name.

    Raises:
        Forbidden: the actor may not share it.
    """
    workspace = await _shareable(tx, workspace_id)
    return workspace, await sharing.sharers(tx, workspace.user_acl, workspace.group_acl)


async def change(tx: Tx, workspace_id: UUID, wanted: ShareOrder) -> None:
    """Give users and groups their roles; an empty role takes them away.

    Users are named by id or username, the group of everybody by its organization's id or
    ``everyone``.

    Raises:
        Forbidden: the actor may not share the workspace.
        Invalid: with one FieldError for each bad entry.
    """
    workspace = await _shareable(tx, workspace_id)
    known = await sharing.members(tx, workspace.organization_id, list(wanted.users))
    here = str(workspace.organization_id)
    errors: list[FieldError] = []
    users: dict[str, str] = {}
    for who, role in wanted.users.items():
        # Somebody who left the organization can still be taken off the list.
        user_id = str(known.get(who.lower(), who))
        if who.lower() not in known and user_id not in workspace.user_acl:
            detail = f"{who!r} is no member of organization {workspace.organization_name!r}"
            errors.append(FieldError("user_roles", detail))
        elif complaint := _own_role(tx, workspace, user_id):
            errors.append(FieldError("user_roles", complaint))
        users[user_id] = role
    groups = {here if who.lower() == EVERYONE else who: role for who, role in wanted.groups.items()}
    errors += [
        FieldError("group_roles", f"there is no group {who!r} in this organization")
        for who in groups
        if who != here and who not in workspace.group_acl
    ]
    if errors:
        raise Invalid("Invalid request to update workspace sharing.", fields=errors)
    after = changed(workspace.user_acl, users), changed(workspace.group_acl, groups)
    if sum(map(len, after)) > MOST_SHARERS:
        detail = f"a workspace can be shared with at most {MOST_SHARERS} users and groups"
        raise invalid_field("Invalid request to update workspace sharing.", "user_roles", detail)
    await _write(tx, workspace, *after)


async def clear(tx: Tx, workspace_id: UUID) -> None:
    """Let nobody in but the owner."""
    await _write(tx, await _shareable(tx, workspace_id), {}, {})


async def ports(tx: Tx, workspace_id: UUID) -> list[PortShare]:
    """Return the ports that are open to others."""
    workspace = await find.workspace(tx, workspace_id)
    return await sharing.ports(tx, workspace.id)


async def open_port(tx: Tx, share: PortShare) -> None:
    """Open a port of an agent to others.

    Raises:
        Forbidden: the actor may not change the workspace, or the template not allow that many.
        Invalid: it has no such agent, or the level is nobody.
    """
    workspace = await find.workspace(tx, share.workspace_id)
    tx.actor.require(Action.UPDATE, workspace.object)
    if share.share_level == "owner":
        raise invalid_field(
            "Port sharing level not allowed.",
            "share_level",
            "must be authenticated, organization or public; delete the share to keep it private",
        )
    most = await sharing.most(tx, workspace.id)
    if exceeds(share.share_level, most):
        raise Forbidden(
            f'The template allows ports to be shared up to the level "{most}".',
            detail="Whoever may update the template can raise its max_port_share_level.",
        )
    latest = await show.build(tx, await find.build(tx, workspace.latest_build_id))
    _check_agent(share.agent_name, (agent.name for agent in latest.agents()))
    await sharing.upsert_port(tx, share)


async def close_port(tx: Tx, workspace_id: UUID, agent_name: str, port: int) -> None:
    """Close a port to others.

    Raises:
        NotFound: it was not open.
    """
    workspace = await find.workspace(tx, workspace_id)
    tx.actor.require(Action.UPDATE, workspace.object)
    if not await sharing.delete_port(tx, workspace.id, agent_name, port):
        raise NotFound


def _own_role(tx: Tx, workspace: Workspace, user_id: str) -> str | None:
    if user_id == str(workspace.owner_id):
        return "the owner has every right already"
    if user_id == str(tx.actor.id):
        return "You cannot change your own workspace sharing role."
    return None


def _check_agent(name: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if name not in names:
        detail = f"the latest build has: {', '.join(names) or 'no agents'}"
        raise invalid_field("Agent not found.", "agent_name", detail)


async def _shareable(tx: Tx, workspace_id: UUID) -> Workspace:
    workspace = await find.workspace(tx, workspace_id)
    tx.actor.require(Action.SHARE, workspace.object)
    return workspace


async def _write(
    tx: Tx, workspace: Workspace, users: dict[str, str], groups: dict[str, str]
) -> None:
    await sharing.set_lists(tx, workspace.id, users, groups)
    await tx.announce(WorkspaceChanged(workspace_id=workspace.id, owner_id=workspace.owner_id))
