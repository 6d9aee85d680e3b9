"""Sessions and tokens under ``/users/{user}/keys``."""

from fastapi import APIRouter, Request

from coder_cli.kit.durations import nanoseconds
from coder_cli.sdk import tokens as sdk
from server.identity import convert
from server.identity.actions import tokens
from server.identity.actions.tokens import TokenRequest
from server.identity.routes.sessions import Options
from server.kit.realip import client_ip
from server.kit.routing import Db, Me

routes = APIRouter(tags=["Users"])


@routes.post("/users/{user}/keys", status_code=201)
async def post_key(
    user: str, request: Request, me: Me, db: Db, options: Options
) -> sdk.GenerateAPIKeyResponse:
    """Make a fresh session, as ``coder login`` keeps it."""
    async with db.tx(me) as tx:
        key = await tokens.create_session(tx, user, client_ip(request), options)
    return sdk.GenerateAPIKeyResponse(key=key)


@routes.get("/users/{user}/keys/tokens")
async def get_tokens(
    user: str, me: Me, db: Db, *, include_all: bool = False, include_expired: bool = False
) -> list[sdk.APIKeyWithOwner]:
    """Return the tokens that people made for scripts."""
    async with db.tx(me) as tx:
        found = await tokens.tokens(
            tx, user, include_all=include_all, include_expired=include_expired
        )
    return [convert.key(each) for each in found]


@routes.post("/users/{user}/keys/tokens", status_code=201)
async def post_token(
    user: str, body: sdk.CreateTokenRequest, request: Request, me: Me, db: Db, options: Options
) -> sdk.GenerateAPIKeyResponse:
    """Make a token; it is shown this once."""
    wanted = TokenRequest(
        lifetime=convert.lifetime(body.lifetime),
        name=body.token_name,
        scope=body.scope,
        scopes=tuple(body.scopes),
        allow_list=tuple(f"{entry.type}:{entry.id}" for entry in body.allow_list),
    )
    async with db.tx(me) as tx:
        key = await tokens.create_token(tx, user, wanted, client_ip(request), options)
    return sdk.GenerateAPIKeyResponse(key=key)


@routes.get("/users/{user}/keys/tokens/tokenconfig")
async def get_token_config(user: str, me: Me, db: Db, options: Options) -> sdk.TokenConfig:
    """Return how long a token may live."""
    async with db.tx(me) as tx:
        longest = await tokens.longest_lifetime(tx, user, options)
    return sdk.TokenConfig(max_token_lifetime=nanoseconds(longest))


@routes.get("/users/{user}/keys/tokens/{name}")
async def get_token(user: str, name: str, me: Me, db: Db) -> sdk.APIKeyWithOwner:
    """Return a token by its name."""
    async with db.tx(me) as tx:
        found = await tokens.token_named(tx, user, name)
    return convert.key(found)


@routes.get("/users/{user}/keys/{key}")
async def get_key(user: str, key: str, me: Me, db: Db) -> sdk.APIKeyWithOwner:
    """Return a session or token by its id."""
    async with db.tx(me) as tx:
        found = await tokens.key(tx, user, key)
    return convert.key(found)


@routes.delete("/users/{user}/keys/{key}", status_code=204)
async def delete_key(user: str, key: str, me: Me, db: Db) -> None:
    """Forget a session or token."""
    async with db.tx(me) as tx:
        await tokens.delete(tx, user, key)


@routes.put("/users/{user}/keys/{key}/expire", status_code=204)
async def put_expired(user: str, key: str, me: Me, db: Db) -> None:
    """End a session or token now, and keep its record."""
    async with db.tx(me) as tx:
        await tokens.expire(tx, user, key)
