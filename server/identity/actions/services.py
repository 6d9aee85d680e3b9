"""Speak with services whose accounts people link: OAuth 2.0 with proof keys, and devices.

Everything that comes back is bounded and hostile until read. Sources: RFC 6749, 7009, 7636, 8628.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeGuard, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from server.identity.errors import ServiceFailed
from server.identity.model.linking import Account, DeviceCode, Grant, Installation
from server.kit.asking import AnswerTooLarge, ask, forgetful
from server.settings import ExternalAuthProvider

LARGEST_ANSWER: Final = 1024 * 1024
PATIENCE: Final = 15.0
_KEPT: Final = 4096
"""Characters of each extra value that is kept with a token."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to a service."""

    method: str
    url: str
    form: Mapping[str, str] | None = None
    bearer: str = ""


class Services:
    """Ask services for tokens and about accounts; one for the server."""

    def __init__(self, access_url: str) -> None:
        self.access_url = access_url
        self._client: httpx.AsyncClient | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        """Return the client for all of them: made when first needed, and without a memory."""
        if self._client is None:
            self._client = forgetful()
        return self._client

    def callback(self, provider: ExternalAuthProvider) -> str:
        """Return where a service sends people back to."""
        return f"{self.access_url}/external-auth/{provider.id}/callback"

    def sign_in(self, provider: ExternalAuthProvider, state: str, verifier: str) -> str:
        """Return the page of the service where a person agrees."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        query = {
            "client_id": provider.client_id,
            "redirect_uri": self.callback(provider),
            "response_type": "code",
            "state": state,
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        if provider.scopes:
            query["scope"] = " ".join(provider.scopes)
        parts = urlsplit(provider.auth_url)
        merged = urlencode([*parse_qsl(parts.query), *query.items()])
        return urlunsplit((parts.scheme, parts.netloc, parts.path, merged, ""))

    async def exchange(self, provider: ExternalAuthProvider, code: str, verifier: str) -> Grant:
        """Return the tokens for the code that a person came back with.

        Raises:
            ServiceFailed: the service gave none.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback(provider),
            "code_verifier": verifier,
        }
        return _grant(provider, await self._token(provider, form))

    async def refresh(self, provider: ExternalAuthProvider, refresh_token: str) -> Grant:
        """Return new tokens for an old one.

        Raises:
            ServiceFailed: the service gave none; ``lost`` when it never will.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return _grant(provider, await self._token(provider, form))

    async def device(self, provider: ExternalAuthProvider) -> DeviceCode:
        """Return a code for a person to type at the service.

        Raises:
            ServiceFailed: the service gave none.
        """
        form = {"client_id": provider.client_id, "scope": " ".join(provider.scopes)}
        _, told = await self._ask(provider, Asked("POST", provider.device_code_url, form))
        try:
            return DeviceCode(
                device_code=str(told["device_code"]),
                user_code=str(told["user_code"]),
                verification_uri=_web(
                    str(told.get("verification_uri") or told.get("verification_url") or "")
                ),
                expires_in=int(told.get("expires_in", 900)),
                interval=max(int(told.get("interval", 5)), 1),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ServiceFailed(provider.id, _reason(told) or "it gave no device code") from None

    async def device_grant(self, provider: ExternalAuthProvider, device_code: str) -> Grant:
        """Return the tokens once the person typed the code.

        Raises:
            ServiceFailed: not yet (``authorization_pending``), or no more.
        """
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": device_code,
        }
        return _grant(provider, await self._token(provider, form))

    async def valid(self, provider: ExternalAuthProvider, token: str) -> bool:
        """Tell whether the service still takes a token.

        Raises:
            ServiceFailed: it does not answer, or not to this.
        """
        if not provider.validate_url:
            return True
        status, told = await self._ask(provider, Asked("GET", provider.validate_url, bearer=token))
        match status:
            case 200 | 429:
                return True
            case 401:
                return False
            case 403:
                # Services refuse so, too, whoever asked too often: the token may be good.
                return "rate limit" in str(told.get("message", "")).lower()
            case _:
                raise ServiceFailed(provider.id, f"it answered with status {status}")

    async def account(self, provider: ExternalAuthProvider, token: str) -> Account:
        """Return who the token belongs to, as far as the service says."""
        if not provider.validate_url:
            return Account()
        _, told = await self._ask(provider, Asked("GET", provider.validate_url, bearer=token))
        return _account(told)

    async def installations(self, provider: ExternalAuthProvider, token: str) -> list[Installation]:
        """Return where the service's application is installed, for services that have such."""
        if not provider.app_installations_url:
            return []
        asked = Asked("GET", provider.app_installations_url, bearer=token)
        _, told = await self._ask(provider, asked)
        found = told.get("installations")
        listed = cast("list[object]", found)[:100] if isinstance(found, list) else []
        return [_installation(_mapping(one)) for one in listed]

    async def revoke(self, provider: ExternalAuthProvider, token: str) -> str:
        """Have the service forget a token; return why it did not, or nothing."""
        if not provider.revoke_url:
            return "the service offers no revocation"
        try:
            status, told = await self._ask(
                provider, Asked("POST", provider.revoke_url, {"token": token, **_secret(provider)})
            )
        except ServiceFailed as failed:
            return failed.message
        return "" if status in (200, 204) else _reason(told) or f"status {status}"

    async def _token(
        self, provider: ExternalAuthProvider, form: Mapping[str, str]
    ) -> Mapping[str, Any]:
        asked = Asked("POST", provider.token_url, {**form, **_secret(provider)})
        _, told = await self._ask(provider, asked)
        return told

    async def _ask(
        self, provider: ExternalAuthProvider, asked: Asked
    ) -> tuple[int, Mapping[str, Any]]:
        headers = {"Accept": "application/json"}
        if asked.bearer:
            headers["Authorization"] = f"Bearer {asked.bearer}"
        try:
            request = self.http.build_request(
                asked.method,
                asked.url,
                data=dict(asked.form) if asked.form is not None else None,
                headers=headers,
                timeout=PATIENCE,
            )
            status, content = await ask(self.http, request, LARGEST_ANSWER)
        except AnswerTooLarge:
            raise ServiceFailed(provider.id, "its answer is too large") from None
        except httpx.HTTPError as error:
            # The URL of a request may hold nothing secret, but its form does: neither is told.
            why = type(error).__name__
            raise ServiceFailed(provider.id, f"it cannot be reached ({why})") from None
        return status, _read(content)


def _secret(provider: ExternalAuthProvider) -> dict[str, str]:
    secret = {"client_secret": provider.client_secret} if provider.client_secret else {}
    return {"client_id": provider.client_id, **secret}


def _read(content: bytes) -> Mapping[str, Any]:
    """Return an answer's fields: JSON, or a form as older services send."""
    text = content.decode("utf-8", "replace")
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        try:
            return dict(parse_qsl(text, max_num_fields=50))
        except ValueError:
            return {}
    return _mapping(found)


def _grant(provider: ExternalAuthProvider, told: Mapping[str, Any]) -> Grant:
    # Some services answer in an envelope for each kind of user.
    token = told.get("access_token")
    if not isinstance(token, str) or not _is_word(token):
        code = str(told.get("error", ""))
        raise ServiceFailed(provider.id, _reason(told) or "it gave no token", code=code)
    refresh = told.get("refresh_token")
    try:
        seconds = int(told.get("expires_in") or 0)
    except (TypeError, ValueError, OverflowError):  # The last is infinity's.
        seconds = 0
    known = {"access_token", "refresh_token", "expires_in", "token_type", "scope"}
    extra = {
        key: value for key, value in told.items() if key not in known and _can_be_kept(key, value)
    }
    return Grant(
        access_token=token,
        refresh_token=refresh if _is_word(refresh) and not provider.no_refresh else "",
        lifetime=timedelta(seconds=seconds) if 0 < seconds < 10**9 else None,
        extra=extra,
    )


def _is_word(token: object) -> TypeGuard[str]:
    """Tell whether this may be a token: what stands in a header, and on one line of git's."""
    return isinstance(token, str) and bool(token) and token.isascii() and token.isprintable()


def _can_be_kept(key: str, value: object) -> bool:
    """Tell whether the database takes this: short, with no NUL, no half character, no infinity."""
    try:
        text = json.dumps([key, value], ensure_ascii=False, allow_nan=False)
        return len(text.encode()) <= _KEPT and "\\u0000" not in text
    except (ValueError, RecursionError):
        return False


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _account(told: Mapping[str, Any]) -> Account:
    return Account(
        id=_number(told),
        login=_first(told, "login", "username", "nickname"),
        name=_first(told, "name", "display_name"),
        avatar_url=_web(_first(told, "avatar_url")),
        profile_url=_web(_first(told, "html_url", "web_url")),
    )


def _installation(told: Mapping[str, Any]) -> Installation:
    account = _account(_mapping(told.get("account")))
    return Installation(_number(told), account, _web(_first(told, "html_url")))


def _number(told: Mapping[str, Any]) -> int:
    number = told.get("id")
    return number if isinstance(number, int) else 0


def _reason(told: Mapping[str, Any]) -> str:
    """Return the service's own words: one line, short."""
    words = told.get("error_description") or told.get("error") or told.get("message") or ""
    return " ".join(str(words).split())[:300]


def _first(told: Mapping[str, Any], *names: str) -> str:
    return next((str(told[name])[:2000] for name in names if told.get(name)), "")


def _web(url: str) -> str:
    """Return a URL that a page may link to, else nothing."""
    return url[:2000] if urlsplit(url).scheme in ("http", "https") else ""
