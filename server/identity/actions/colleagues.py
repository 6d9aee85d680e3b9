"""People of an organization, for lists of access; the caller's own rule comes first."""

from collections.abc import Collection
from uuid import UUID

from coder_cli.sdk.groups import Group, ReducedUser
from coder_cli.sdk.users import LoginType, UserStatus
from server.identity.model.organizations import Organization
from server.identity.model.people import User
from server.identity.store import people
from server.kit.db import Tx
from server.kit.routing import Page

SHOWN = 100
"""People of a group that are listed with it; how many there are is told in full."""


async def anybody_in(tx: Tx, organization_id: UUID, ids: Collection[UUID]) -> list[User]:
    """Return those of some people who belong to an organization."""
    page = {"limit": None, "offset": 0}
    return await people.colleagues(tx, organization_id, page, ids=list(ids), search="")


async def available_users(
    tx: Tx, organization_id: UUID, search: str, page: Page
) -> list[ReducedUser]:
    """Return one page of an organization's people whose names or addresses have ``search``."""
    wanted = {"limit": page.limit or SHOWN, "offset": page.offset}
    found = await people.colleagues(tx, organization_id, wanted, ids=None, search=search)
    return [reduced_user(person) for person in found]


async def everyone_group(tx: Tx, organization: Organization) -> Group:
    """Return the group that everybody of an organization is in; it has the organization's id."""
    first = {"limit": SHOWN, "offset": 0}
    members = await people.colleagues(tx, organization.id, first, ids=None, search="")
    return Group(
        id=organization.id,
        name="Everyone",
        organization_id=organization.id,
        members=[reduced_user(person) for person in members],
        total_member_count=await people.count_colleagues(tx, organization.id),
        organization_name=organization.name,
        organization_display_name=organization.display_name,
    )


def reduced_user(person: User) -> ReducedUser:
    """Return a person without what only administrators need."""
    return ReducedUser(
        id=person.id,
        username=person.username,
        name=person.name,
        avatar_url=person.avatar_url,
        email=person.email,
        created_at=person.created_at,
        updated_at=person.updated_at,
        last_seen_at=person.last_seen_at,
        status=UserStatus(person.status),
        login_type=LoginType(person.login_type),
        is_service_account=person.is_service_account,
    )
