"""Set-up, log-in, log-out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from coder_cli.sdk import users as sdk
from coder_cli.sdk.common import Response as Message
from server.identity import convert
from server.identity.actions import sessions, setup
from server.identity.model import passwords
from server.identity.model.options import IdentityOptions
from server.kit.guard import CSRF_COOKIE, new_csrf_token
from server.kit.realip import client_ip
from server.kit.routing import TOKEN_COOKIE, Db, Me, limit_logins, provided, public

routes = APIRouter(tags=["Users"])

Options = Annotated[IdentityOptions, Depends(provided(IdentityOptions))]

HOST_COOKIE = f"__Host-{TOKEN_COOKIE}"


@routes.get("/users/first", dependencies=[Depends(public)])
async def get_first_user(db: Db) -> Message:
    """Say whether the deployment was set up."""
    await setup.require_first_user(db)
    return Message(message="The initial user has already been created!")


@routes.post("/users/first", status_code=201, dependencies=[Depends(public)])
async def post_first_user(
    body: sdk.CreateFirstUserRequest, db: Db, options: Options
) -> sdk.CreateFirstUserResponse:
    """Set the deployment up with its owner."""
    new = convert.first_user(body)
    user_id, organization_id = await setup.create_first_user(db, new, options)
    return sdk.CreateFirstUserResponse(user_id=user_id, organization_id=organization_id)


@routes.get("/users/authmethods", dependencies=[Depends(public)])
async def get_auth_methods(options: Options) -> sdk.AuthMethods:
    """Return how one may log in here."""
    return sdk.AuthMethods(
        terms_of_service_url=options.terms_of_service_url,
        password=sdk.AuthMethod(enabled=not options.disable_password_auth),
    )


@routes.post("/users/login", status_code=201, dependencies=[Depends(public), Depends(limit_logins)])
async def post_login(
    body: sdk.LoginWithPasswordRequest,
    request: Request,
    response: Response,
    db: Db,
    options: Options,
) -> sdk.LoginWithPasswordResponse:
    """Log in with a password; the token comes in the body and as a cookie."""
    token = await sessions.log_in(db, body.email, body.password, client_ip(request), options)
    _set_cookies(response, token, options)
    return sdk.LoginWithPasswordResponse(session_token=token)


@routes.post("/users/logout")
async def post_logout(response: Response, me: Me, db: Db) -> Message:
    """End the session this request came with."""
    async with db.tx(me) as tx:
        await sessions.log_out(tx)
    for name in (TOKEN_COOKIE, HOST_COOKIE, CSRF_COOKIE):
        response.delete_cookie(name, path="/", secure=name == HOST_COOKIE, httponly=True)
    return Message(message="Logged out!")


@routes.post("/users/validate-password", dependencies=[Depends(public), Depends(limit_logins)])
async def post_validate_password(
    body: sdk.ValidateUserPasswordRequest,
) -> sdk.ValidateUserPasswordResponse:
    """Say whether a password would be strong enough."""
    why = passwords.weakness(body.password)
    return sdk.ValidateUserPasswordResponse(valid=not why, details=why)


def _set_cookies(response: Response, token: str, options: IdentityOptions) -> None:
    prefixed = options.host_prefix_cookie
    # Browsers refuse the prefix, and SameSite=None, without Secure.
    secure = options.secure_cookie or prefixed or options.samesite == "none"
    for name, value in (
        (HOST_COOKIE if prefixed else TOKEN_COOKIE, token),
        (CSRF_COOKIE, new_csrf_token()),
    ):
        response.set_cookie(
            name, value, path="/", httponly=True, secure=secure, samesite=options.samesite
        )
