"""What a build's form comes to, asked before it is ordered: terraform runs in no transaction.

The order is judged where it is written; here a refusal only means that there is nothing to ask.
"""

from collections.abc import Mapping
from uuid import UUID

from coder_cli.sdk.builds import Transition
from server import identity, templates
from server.kit.authz import Actor
from server.kit.errors import ApiError, Unavailable
from server.templates import FormDesk
from server.workspaces import policy
from server.workspaces.actions import build, create, find
from server.workspaces.model import BuildOrder, WorkspaceOrder
from server.workspaces.model.order import Answers
from server.workspaces.store import builds


async def for_new(desk: FormDesk, actor: Actor, who: str, wanted: WorkspaceOrder) -> Answers | None:
    """Evaluate the form of a new workspace's first start; None leaves it to the stored one.

    Raises:
        BadParameters: with one FieldError for each value that is missing or refused.
    """
    try:
        async with desk.db.tx(actor) as tx:
            owner = await identity.resolve_user(tx, who)
            template, version_id = await create.template_of(tx, wanted)
            policy.may_create(actor, owner.id, template.organization_id)
            policy.may_use_template(actor, template.object, template.name)
            version_id = version_id or template.active_version_id
            preset = await build.preset_values(tx, version_id, wanted.preset_id)
    except ApiError:
        return None
    values = templates.Values(given=wanted.parameters, preset=preset)
    return await _answers(desk, actor, version_id, owner.id, values)


async def for_build(
    desk: FormDesk, actor: Actor, workspace_id: UUID, wanted: BuildOrder
) -> Answers | None:
    """Evaluate the form of one more build; None leaves it to the stored one.

    Raises:
        BadParameters: with one FieldError for each value that is missing or refused.
    """
    if not build.asks(wanted):
        return None
    try:
        async with desk.db.tx(actor) as tx:
            found = await find.workspace(tx, workspace_id)
            policy.may_build(actor, found, wanted)
            last = await builds.last(tx, found.id)
            if last is not None and last.active:
                return None
            version = await build.version_of(tx, found, wanted, last)
            preset = await build.preset_values(tx, version.id, wanted.preset_id)
            previous: Mapping[str, str] = await builds.parameters(tx, last.id) if last else {}
    except ApiError:
        return None
    values = templates.Values(
        previous=previous, given=wanted.parameters, preset=preset, first_build=last is None
    )
    return await _answers(
        desk, actor, version.id, found.owner_id, values, last.id if last else None
    )


async def mismatch(desk: FormDesk, actor: Actor, workspace_id: UUID) -> bool:
    """Tell whether an automatic start would fail, because the active version asks for more.

    Raises:
        NotFound: the workspace is hidden or gone.
    """
    async with desk.db.tx(actor) as tx:
        found = await find.workspace(tx, workspace_id)
        if not await build.would_move(tx, found):
            return False
    try:
        answers = await for_build(desk, actor, workspace_id, BuildOrder(Transition.START))
    except templates.BadParameters:
        return True
    if answers is not None:
        return False
    async with desk.db.tx(actor) as tx:
        return await build.mismatch(tx, await find.workspace(tx, workspace_id))


async def _answers(
    desk: FormDesk,
    actor: Actor,
    version_id: UUID,
    owner_id: UUID,
    values: templates.Values,
    after: UUID | None = None,
) -> Answers | None:
    try:
        resolved = await desk.resolve(actor, version_id, owner_id, values)
    except (templates.BadParameters, Unavailable):
        raise
    except ApiError:
        return None
    if resolved is None:
        return None
    return Answers(resolved.version_id, after, resolved.values, resolved.workspace_tags)
