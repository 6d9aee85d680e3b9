"""What somebody answered the last time a template asked."""

from uuid import UUID

from server import identity, templates
from server.kit.authz import Action, Kind, Object
from server.kit.db import Tx
from server.workspaces.store import builds


async def values(tx: Tx, who: str, template_id: UUID) -> dict[str, str]:
    """Return the values that the user last gave to the parameters a template has today.

    Raises:
        NotFound: no such user or template, or hidden.
        Forbidden: what the user typed is none of the actor's business.
    """
    user = await identity.resolve_user(tx, who)
    tx.actor.require(Action.READ_PERSONAL, Object(Kind.USER, user.id, owner_id=user.id))
    template = await templates.template(tx, template_id)
    asked = await templates.version_parameters(tx, template.active_version_id)
    lasting = [parameter.name for parameter in asked if not parameter.ephemeral]
    return await builds.last_values(tx, user.id, template.id, lasting)
