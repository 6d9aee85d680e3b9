"""A service whose accounts people link: its own little OAuth server, on a real port."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from server.settings import ExternalAuthProvider


@dataclass
class GitService:
    """What it knows; tests read it, and change its mind."""

    codes: dict[str, str] = field(default_factory=dict[str, str])
    """Code to the challenge that it was asked for with; empty checks nothing."""
    tokens: set[str] = field(default_factory=set[str])
    refresh: dict[str, bool] = field(default_factory=dict[str, bool])
    """Tokens to renew with, and whether each is still good: one use each."""
    lifetime: int = 0
    made: int = 0
    validated: int = 0
    revoked: list[str] = field(default_factory=list[str])
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    device: str = ""
    """What it says to a device code: an error, or nothing for a token."""
    down: bool = False
    more: str = ""
    """JSON whose fields come with each answer to a question for a token, in place of its own."""
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, nobody gets a token."""
    heard: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released with each question for a token."""
    cookies: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.open.set()

    def provider(self, address: str, **values: Any) -> ExternalAuthProvider:
        """Return this service as a setting."""
        base = f"http://{address}"
        given: dict[str, Any] = {
            "id": "github",
            "type": "github",
            "client_id": "app",
            "client_secret": "shh-client",
            "auth_url": f"{base}/authorize",
            "token_url": f"{base}/token",
            "validate_url": f"{base}/user",
            "device_code_url": f"{base}/device",
            "scopes": ("repo",),
            "regex": r"^(https?://)?git\.test(/.*)?$",
            "display_name": "GitHub",
        }
        return ExternalAuthProvider(**(given | values))

    def token(self) -> dict[str, Any]:
        """Return new tokens."""
        self.made += 1
        token, refresh = f"gho-{self.made}", f"renew-{self.made}"
        self.tokens.add(token)
        told: dict[str, Any] = {"access_token": token, "authed_user": {"id": "U1"}}
        if self.lifetime:
            self.refresh[refresh] = True
            told |= {"refresh_token": refresh, "expires_in": self.lifetime}
        return told

    def app(self) -> FastAPI:
        """Return it as an app to be served."""
        app = FastAPI()

        @app.post("/token")
        async def token(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode()))
            self.asked.append(form)
            self.heard.release()
            await self.open.wait()
            self.cookies.append(request.headers.get("cookie", ""))
            if self.down:
                return JSONResponse({"message": "down for repairs"}, status_code=503)
            told = json.dumps(self._answer(form))
            if self.more:
                # As text: what is odd shall stay odd. Of two fields the last one counts.
                told = f"{told[:-1]}, {self.more[1:]}"
            headers = {"Set-Cookie": "who=somebody"}
            return Response(told, media_type="application/json", headers=headers)

        @app.get("/user")
        async def user(request: Request) -> Response:
            self.validated += 1
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            if bearer not in self.tokens:
                return JSONResponse({"message": "Bad credentials"}, status_code=401)
            return JSONResponse(
                {
                    "id": 7,
                    "login": "ada",
                    "name": "Ada",
                    "html_url": "javascript:alert(1)",
                    "avatar_url": "https://pictures.test/7",
                }
            )

        @app.post("/device")
        async def device() -> dict[str, Any]:
            return {
                "device_code": "dev-1",
                "user_code": "ABCD-1234",
                "verification_uri": "https://git.test/device",
                "expires_in": 900,
                "interval": 5,
            }

        @app.post("/revoke")
        async def revoke(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode()))
            self.revoked.append(form["token"])
            self.tokens.discard(form["token"])
            return Response(status_code=200)

        for route in (token, user, device, revoke):
            assert route
        return app

    def _answer(self, form: dict[str, str]) -> dict[str, Any]:
        match form.get("grant_type"):
            case "authorization_code" if form["code"] in self.codes:
                del self.codes[form["code"]]
                return self.token()
            case "refresh_token" if self.refresh.pop(form["refresh_token"], False):
                return self.token()
            case "urn:ietf:params:oauth:grant-type:device_code" if not self.device:
                return self.token()
            case "urn:ietf:params:oauth:grant-type:device_code":
                return {"error": self.device}
            case _:
                return {"error": "invalid_grant", "error_description": "It is used up."}
