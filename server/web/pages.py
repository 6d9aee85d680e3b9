"""What a browser or curl gets beside the API: how to begin, a token, an installer, the routes."""

import shlex
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, cast

from starlette.responses import HTMLResponse, Response

from coder_cli.kit.build import version
from server.kit.errors import NotFound
from server.settings import Settings
from server.web.deployment import Deployment

_ASSETS = {
    "style.css": "text/css",
    "cli-auth.js": "text/javascript",
    "external-auth.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_SELF = ("default-src", "connect-src", "child-src", "script-src", "object-src", "frame-src")
_POLICY = {
    **dict.fromkeys((*_SELF, "form-action", "media-src", "frame-ancestors"), "'self'"),
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "manifest-src": "'self' blob:",
    "img-src": "'self' https: data:",
    "report-uri": "/api/v2/csp/reports",
}


def headers(settings: Settings) -> dict[str, str]:
    """Return the headers that keep a page to itself (reference: API and CLI, section 6.5)."""
    policy = dict(_POLICY)
    for extra in settings.networking.additional_csp_policy:
        name, _, sources = extra.partition(" ")
        if name in policy and sources:
            policy[name] = f"{policy[name]} {sources}"
    found = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cache-Control": "no-cache",
    }
    if settings.tls.strict_transport_security:
        options = settings.tls.strict_transport_security_options
        found["Strict-Transport-Security"] = "; ".join(
            [f"max-age={settings.tls.strict_transport_security}", *options]
        )
    return found


def answer(page: str, settings: Settings) -> HTMLResponse:
    """Return a page with its headers."""
    return HTMLResponse(page, headers=headers(settings))


def asset(name: str, settings: Settings) -> Response:
    """Return a style sheet, script or picture of the pages.

    Raises:
        NotFound: there is none of this name.
    """
    if name not in _ASSETS:
        raise NotFound("Route not found.")
    return Response(_read(name), headers=headers(settings), media_type=_ASSETS[name])


def installer(deployment: Deployment) -> Response:
    """Return the script that installs this deployment's command line on a person's machine."""
    script = _read("install.sh").replace("{url}", shlex.quote(deployment.access_url))
    return Response(script, headers={"Cache-Control": "no-cache"}, media_type="text/x-sh")


def landing(deployment: Deployment) -> str:
    """Return the page at ``/``."""
    links = [("/cli-auth", "Get a token for the terminal")]
    if deployment.settings.server.swagger_enable:
        links.append(("/swagger", "The API's routes"))
    links.append((deployment.settings.networking.docs_url, "Documentation"))
    listed = "".join(f'<li><a href="{escape(to)}">{escape(text)}</a></li>' for to, text in links)
    url = escape(deployment.access_url)
    return _fill("landing.html", url=url, links=listed, version=version())


def cli_auth() -> str:
    """Return the page that gives a token to somebody who can log in."""
    return _fill("cli-auth.html", version=version())


def external_auth(provider: str) -> str:
    """Return the page where somebody links their account of another service."""
    return _fill("external-auth.html", provider=escape(provider[:100]), version=version())


def routes(document: Mapping[str, Any]) -> str:
    """Return the page that lists the routes of an OpenAPI document."""
    rows = [
        f"<tr><td><code>{escape(method.upper())}</code></td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(str(route.get('description') or route.get('summary') or ''))}</td></tr>"
        for path, methods in cast("Mapping[str, Mapping[str, Any]]", document["paths"]).items()
        for method, route in methods.items()
    ]
    return _fill("routes.html", rows="\n".join(rows), version=version())


@cache
def _read(name: str) -> str:
    return (files("server.web") / "assets" / name).read_text("utf-8")


def _fill(name: str, **values: str) -> str:
    """Fill a page; every value is HTML already."""
    return Template(_read(name)).substitute(values)
