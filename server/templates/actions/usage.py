"""How much a template is used, and its ready workspaces made anew."""

from uuid import UUID

from coder_cli.sdk import templates as sdk
from server.kit.db import Tx
from server.templates import policy
from server.templates.actions.read import active_version, template
from server.templates.model.usage import daily_users
from server.templates.store import content, usage


async def daus(tx: Tx, template_id: UUID, hours_from_utc: int) -> sdk.DAUsResponse:
    """Return how many people used a template on each day of the last month.

    Raises:
        Forbidden: the actor may not know.
    """
    of = await template(tx, template_id)
    policy.may_see_usage(tx.actor, of)
    days = await usage.days(tx, of.id, hours_from_utc)
    return daily_users(days, tx.now, hours_from_utc)


async def invalidate_prebuilds(tx: Tx, template_id: UUID) -> sdk.InvalidatePresetsResponse:
    """Let ready workspaces of the active version's presets be made anew; return which presets.

    Raises:
        Forbidden: the actor may not change the template.
    """
    of = await template(tx, template_id)
    policy.may_update(tx.actor, of)
    version = await active_version(tx, of)
    names = await content.invalidate_presets(tx, version.id)
    return sdk.InvalidatePresetsResponse(
        invalidated=[
            sdk.InvalidatedPreset(
                template_name=of.name, template_version_name=version.name, preset_name=name
            )
            for name in names
        ]
    )
