"""Workspaces for rooms above that work in them for their owner: how they stand, made and built."""

from collections.abc import Sequence
from uuid import UUID

from coder_cli.sdk.builds import Transition
from server.kit.authz import Action, Actor
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.templates import FormDesk
from server.workspaces.actions import asking, create, find
from server.workspaces.actions import build as order
from server.workspaces.errors import WorkspaceGone
from server.workspaces.model import BuildOrder, Workspace, WorkspaceOrder
from server.workspaces.model.standing import Standing, TemplateUse
from server.workspaces.store import standing as store


async def standing(tx: Tx, workspace_id: UUID) -> Standing:
    """Return how a workspace stands, for an actor who may enter it.

    Raises:
        NotFound: there is none, or it is hidden.
        Forbidden: the actor may see it, but not enter.
        WorkspaceGone: it was deleted.
    """
    build = await store.build(tx, workspace_id)
    if build is None:
        raise NotFound
    if build.deleted:
        raise WorkspaceGone(workspace_id)
    if not build.dormant:
        tx.actor.require(Action.SSH, build.object)
    started = build.transition == Transition.START
    agents = await store.agents(tx, build.job_id) if started else []
    return Standing(build, agents, tx.now)


async def make(
    desk: FormDesk, actor: Actor, wanted: WorkspaceOrder, organization: UUID
) -> Workspace:
    """Make a workspace of the actor's own, whose first start is queued.

    Raises what creating one by the API raises.
    """
    who = str(actor.user_id)
    answers = await asking.for_new(desk, actor, who, wanted)
    async with desk.db.tx(actor) as tx:
        return await create.create(tx, who, wanted, str(organization), answers)


async def begin(desk: FormDesk, actor: Actor, workspace_id: UUID, wanted: BuildOrder) -> UUID:
    """Queue a start or stop of a workspace; return the build's id.

    Raises what ordering one by the API raises.
    """
    answers = await asking.for_build(desk, actor, workspace_id, wanted)
    async with desk.db.tx(actor) as tx:
        return await order.order(tx, await find.workspace(tx, workspace_id), wanted, answers)


async def uses(tx: Tx, templates: Sequence[UUID]) -> dict[UUID, TemplateUse]:
    """Return how the actor has used some templates, by template."""
    found = await store.uses(tx, tx.actor.user_id, templates)
    return {use.template_id: use for use in found}
