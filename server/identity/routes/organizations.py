"""Organizations, their members, and the roles held in them."""

from fastapi import APIRouter

from coder_cli.sdk import organizations as sdk
from coder_cli.sdk.users import AssignableRole, UpdateRoles
from server.identity import convert, policy
from server.identity.actions import find, membership
from server.kit.routing import Db, Me, Page, Paged

routes = APIRouter(tags=["Organizations"])

EVERYONE = Page(limit=0, offset=0, after_id=None)


@routes.get("/organizations")
async def get_organizations(me: Me, db: Db) -> list[sdk.Organization]:
    """Return the organizations the actor may see."""
    async with db.tx(me) as tx:
        found = await membership.organizations_seen(tx)
    return [convert.organization(each) for each in found]


@routes.get("/organizations/{organization}")
async def get_organization(organization: str, me: Me, db: Db) -> sdk.Organization:
    """Return one organization."""
    async with db.tx(me) as tx:
        found = await find.resolve_organization(tx, organization)
    return convert.organization(found)


@routes.get("/organizations/{organization}/members")
async def get_members(
    organization: str, me: Me, db: Db, q: str = ""
) -> list[sdk.OrganizationMemberWithUserData]:
    """Return who belongs to an organization."""
    query = convert.member_filter(q)
    async with db.tx(me) as tx:
        found, _ = await membership.members(tx, organization, query, EVERYONE)
    return [convert.member_with_user(each) for each in found]


@routes.get("/organizations/{organization}/paginated-members")
async def get_paginated_members(
    organization: str, me: Me, db: Db, page: Paged, q: str = ""
) -> sdk.PaginatedMembersResponse:
    """Return one page of who belongs to an organization."""
    query = convert.member_filter(q)
    async with db.tx(me) as tx:
        found = await membership.members(tx, organization, query, page)
    return convert.member_page(found)


@routes.get("/organizations/{organization}/members/roles")
async def get_roles(organization: str, me: Me, db: Db) -> list[AssignableRole]:
    """Return an organization's roles, and which of them the actor may assign."""
    async with db.tx(me) as tx:
        found = await find.resolve_organization(tx, organization)
        policy.may_read_roles(me, found.id)
    return convert.organization_roles(policy.held_in(me, found.id), found.id)


@routes.post("/organizations/{organization}/members/{user}")
async def post_member(organization: str, user: str, me: Me, db: Db) -> sdk.OrganizationMember:
    """Take a user into an organization."""
    async with db.tx(me) as tx:
        added = await membership.add_member(tx, organization, user)
    return convert.member(added)


@routes.get("/organizations/{organization}/members/{user}")
async def get_member(
    organization: str, user: str, me: Me, db: Db
) -> sdk.OrganizationMemberWithUserData:
    """Return one member of an organization."""
    async with db.tx(me) as tx:
        found = await membership.member(tx, organization, user)
    return convert.member_with_user(found)


@routes.delete("/organizations/{organization}/members/{user}", status_code=204)
async def delete_member(organization: str, user: str, me: Me, db: Db) -> None:
    """Take a user out of an organization."""
    async with db.tx(me) as tx:
        await membership.remove_member(tx, organization, user)


@routes.put("/organizations/{organization}/members/{user}/roles")
async def put_member_roles(
    organization: str, user: str, body: UpdateRoles, me: Me, db: Db
) -> sdk.OrganizationMember:
    """Give a member exactly these roles in an organization."""
    async with db.tx(me) as tx:
        changed = await membership.set_member_roles(tx, organization, user, body.roles)
    return convert.member(changed)
