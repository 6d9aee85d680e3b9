"""Act for a user who is not there: work that goes on in their name, with their rights of now."""

from uuid import UUID

from coder_cli.sdk.users import UserStatus
from server.identity.model import roles
from server.identity.store import people
from server.kit.authz import Actor
from server.kit.db import Tx
from server.kit.errors import Forbidden


async def actor_of(tx: Tx, user_id: UUID, *, owners_enter_workspaces: bool = False) -> Actor:
    """Return the actor that a session of this user would give, in one query.

    ``owners_enter_workspaces`` lets the role ``owner`` open everybody's workspaces, as a session
    does unless the deployment forbids it. Nobody is there to decide, so the default is no.

    Raises:
        Forbidden: the user is suspended, or gone.
    """
    found = await people.principal(tx, user_id)
    if found is None:
        raise Forbidden("The user no longer exists.", detail="Nothing is done in their name.")
    if found.status == UserStatus.SUSPENDED:
        raise Forbidden(
            f"User {found.username!r} is suspended.",
            detail="Nothing is done in their name until an admin reactivates the account.",
        )
    held = found.memberships.items()
    return Actor(
        id=found.id,
        label=found.username,
        roles=roles.effective(found.roles, owners_enter_workspaces=owners_enter_workspaces),
        organizations={UUID(organization): frozenset(names) for organization, names in held},
    )
