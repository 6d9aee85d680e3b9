"""Accounts of other services: the API, and the way out to a service's page and back."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import RedirectResponse

from coder_cli.sdk import external_auth as sdk
from server.identity import convert
from server.identity.actions.linking import Linker
from server.identity.errors import ServiceFailed
from server.identity.model.linking import state_of
from server.identity.model.options import IdentityOptions
from server.kit.authz import Actor
from server.kit.crypto import same
from server.kit.errors import Invalid
from server.kit.routing import Me, identify, provided, session_token

routes = APIRouter(prefix="/external-auth", tags=["Git"])
callbacks = APIRouter(tags=["Git"])
"""Not below the API: a browser is sent here by the service."""

Accounts = Annotated[Linker, Depends(provided(Linker))]
Options = Annotated[IdentityOptions, Depends(provided(IdentityOptions))]
Visitor = Annotated[Actor | None, Depends(identify)]
ProviderId = Annotated[str, Path(max_length=100)]

_STATE = "coder_external_auth_state"
_VERIFIER = "coder_external_auth_verifier"
_WITHIN = 15 * 60


@routes.get("")
async def list_external_auth(me: Me, linker: Accounts) -> sdk.ListUserExternalAuthResponse:
    """Return the services offered, and the caller's accounts there."""
    return convert.external_auth_list(linker.providers, await linker.links(me))


@routes.get("/{provider}")
async def get_external_auth(provider: ProviderId, me: Me, linker: Accounts) -> sdk.ExternalAuth:
    """Return a service, and who the caller is there."""
    return convert.external_auth(await linker.show(me, provider))


@routes.delete("/{provider}")
async def delete_external_auth(
    provider: ProviderId, me: Me, linker: Accounts
) -> sdk.DeleteExternalAuthByIDResponse:
    """Forget the caller's account at a service."""
    removed = await linker.unlink(me, provider)
    return sdk.DeleteExternalAuthByIDResponse(
        token_revoked=removed.revoked, token_revocation_error=removed.revocation_error
    )


@routes.get("/{provider}/device")
async def get_device(provider: ProviderId, me: Me, linker: Accounts) -> sdk.ExternalAuthDevice:
    """Return a code for the caller to type at the service."""
    _ = me
    return convert.device_code(await linker.device(provider))


@routes.post("/{provider}/device", status_code=204)
async def post_device(
    provider: ProviderId, body: sdk.ExternalAuthDeviceExchange, me: Me, linker: Accounts
) -> None:
    """Link the account of whoever typed the code."""
    await linker.finish_device(me, provider, body.device_code)


@callbacks.get("/external-auth/{provider}/callback")
@callbacks.get("/gitauth/{provider}/callback")
async def callback(
    provider: ProviderId, request: Request, me: Visitor, linker: Accounts, options: Options
) -> Response:
    """Send a browser to the service's page; when it comes back with a code, link the account."""
    if me is None:
        # The page lets people log in; a browser's window is no place for JSON.
        return RedirectResponse(linker.page(linker.provider(provider)), status_code=307)
    query = request.query_params
    if not query.get("code") and not query.get("error"):
        return _away(request, linker, provider, options)
    page = linker.page(linker.provider(provider))
    _require_same_state(request, provider)
    if query.get("error"):
        return _back(provider, f"{page}?failed=1")
    try:
        verifier = request.cookies.get(_VERIFIER, "")
        await linker.finish(me, provider, query["code"], verifier)
    except ServiceFailed:
        return _back(provider, f"{page}?failed=1")
    return _back(provider, page)


def _away(request: Request, linker: Linker, provider_id: str, options: IdentityOptions) -> Response:
    provider = linker.provider(provider_id)
    verifier = secrets.token_urlsafe(48)
    state = state_of(session_token(request), provider.id, secrets.token_urlsafe(32), verifier)
    answer = RedirectResponse(linker.services.sign_in(provider, state, verifier), status_code=307)
    for name, value in ((_STATE, state), (_VERIFIER, verifier)):
        # Lax: the browser comes back from another site, and has to bring them along.
        answer.set_cookie(
            name,
            value,
            path=_path(provider.id),
            max_age=_WITHIN,
            httponly=True,
            secure=options.secure_cookie,
            samesite="lax",
        )
    return answer


def _require_same_state(request: Request, provider_id: str) -> None:
    """Refuse an answer that this session did not go out for: it may link a stranger's account.

    Cookies alone prove little: an application of a workspace, served from a name below ours, can
    set them for our name too. So the state is one that only this session can have been given.

    Raises:
        Invalid: the state is missing, or another one.
    """
    told, kept = request.query_params.get("state", ""), request.cookies.get(_STATE, "")
    verifier, nonce = request.cookies.get(_VERIFIER, ""), kept.partition(".")[0]
    ours = state_of(session_token(request), provider_id, nonce, verifier)
    if not same(told.encode(), kept.encode()) or not same(kept.encode(), ours.encode()):
        raise Invalid(
            "The answer of the service does not belong to this browser, or came too late. "
            "Begin again."
        )


def _back(provider_id: str, page: str) -> Response:
    answer = RedirectResponse(page, status_code=307)
    for name in (_STATE, _VERIFIER):
        answer.delete_cookie(name, path=_path(provider_id))
    return answer


def _path(provider_id: str) -> str:
    return f"/external-auth/{provider_id}"
