"""Workspaces: create, find, list."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from coder_cli.sdk.builds import WorkspaceBuild
from coder_cli.sdk.common import NameValue
from coder_cli.sdk.workspaces import CreateWorkspaceRequest, Workspace, WorkspacesResponse
from server.kit.routing import Db, Me, Paged, provided
from server.templates import FormDesk
from server.workspaces import convert
from server.workspaces.actions import asking, autofill, create, find, show
from server.workspaces.model import WorkspaceRules

routes = APIRouter()

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Rules = Annotated[WorkspaceRules, Depends(provided(WorkspaceRules))]
Desk = Annotated[FormDesk, Depends(provided(FormDesk))]


@routes.get("/workspaces")
async def get_workspaces(
    db: Db, me: Me, rules: Rules, page: Paged, q: str = ""
) -> WorkspacesResponse:
    """List the workspaces that match ``q``."""
    async with db.tx(me) as tx:
        return await show.search(tx, q, page, rules)


@routes.post("/users/{user}/workspaces", status_code=201)
async def post_workspace(
    me: Me, rules: Rules, desk: Desk, user: str, request: CreateWorkspaceRequest
) -> Workspace:
    """Create a workspace for a user; its first build starts at once."""
    wanted = convert.workspace_order(request)
    answers = await asking.for_new(desk, me, user, wanted)
    async with desk.db.tx(me) as tx:
        made = await create.create(tx, user, wanted, answers=answers)
        return await show.workspace(tx, made, rules)


@routes.post("/organizations/{organization}/members/{user}/workspaces", status_code=201)
async def post_member_workspace(
    me: Me,
    rules: Rules,
    desk: Desk,
    organization: str,
    user: str,
    request: CreateWorkspaceRequest,
) -> Workspace:
    """Create a workspace for a member of an organization, from one of its templates."""
    wanted = convert.workspace_order(request)
    answers = await asking.for_new(desk, me, user, wanted)
    async with desk.db.tx(me) as tx:
        made = await create.create(tx, user, wanted, organization, answers)
        return await show.workspace(tx, made, rules)


@routes.get("/workspaces/{workspace}")
async def get_workspace(
    db: Db, me: Me, rules: Rules, workspace: UUID, *, include_deleted: bool = False
) -> Workspace:
    """Show a workspace."""
    async with db.tx(me) as tx:
        return await show.workspace_by_id(tx, workspace, rules, include_deleted=include_deleted)


@routes.get("/users/{user}/workspace/{name}")
async def get_workspace_by_name(
    db: Db, me: Me, rules: Rules, user: str, name: str, *, include_deleted: bool = False
) -> Workspace:
    """Show what a user calls by this name."""
    async with db.tx(me) as tx:
        found = await find.named(tx, user, name, include_deleted=include_deleted)
        return await show.workspace(tx, found, rules)


@routes.get("/users/{user}/workspace/{name}/builds/{number}")
async def get_build_by_number(
    db: Db, me: Me, user: str, name: str, number: Number
) -> WorkspaceBuild:
    """Show a build by its number."""
    async with db.tx(me) as tx:
        return await show.build(tx, await find.numbered(tx, user, name, number))


@routes.get("/users/{user}/autofill-parameters")
async def get_autofill_parameters(db: Db, me: Me, user: str, template_id: UUID) -> list[NameValue]:
    """Show the values a user last gave to a template's parameters."""
    async with db.tx(me) as tx:
        return convert.values_to_sdk(await autofill.values(tx, user, template_id))
