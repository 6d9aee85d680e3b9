"""What may be asked and given: scopes, permission checks, site roles."""

from fastapi import APIRouter, Depends

from coder_cli.sdk import users as sdk
from coder_cli.sdk.deployment import AuthorizationRequest, ExternalAPIKeyScopes
from server.identity import convert
from server.identity.actions import questions
from server.identity.model import scopes
from server.kit.authz import Action, Kind, Object
from server.kit.routing import Db, Me, public

routes = APIRouter(tags=["Authorization"])


@routes.get("/auth/scopes", dependencies=[Depends(public)])
async def get_scopes() -> ExternalAPIKeyScopes:
    """Return what a token may be limited to."""
    return ExternalAPIKeyScopes(external=scopes.external())


@routes.post("/authcheck")
async def post_authcheck(body: AuthorizationRequest, me: Me, db: Db) -> dict[str, bool]:
    """Answer many questions of the form: may I do this to that?"""
    async with db.tx(me) as tx:
        return await questions.answer(tx, body.checks)


@routes.get("/users/roles")
async def get_site_roles(me: Me) -> list[sdk.AssignableRole]:
    """Return the site roles, and which of them the actor may assign."""
    me.require(Action.READ, Object(Kind.ASSIGN_ROLE))
    return convert.site_roles(me.roles)
