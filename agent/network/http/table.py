"""Which function answers which method and path; what went wrong becomes a sentence."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import unquote

from agent.network.http.messages import Answer, Gone, Refusal, Reply, Request
from coder_cli.sdk.agentapi import BadShape

Handler: TypeAlias = Callable[[Request], Awaitable[Reply]]
log = logging.getLogger("agent.http")


class Table:
    """The routes of an API; an ``App``. Rooms add theirs before the first request."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, tuple[str, ...], Handler]] = []

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Let ``handler`` answer; ``{name}`` in ``path`` stands for one part of it.

        A handler returns a reply or raises ``Refusal``. What else it raises is logged, and a 500.
        """
        self._routes.append((method, tuple(path.split("/")), handler))

    async def __call__(self, request: Request) -> Reply:
        """Answer one request; every refusal is a sentence in ``message``."""
        try:
            handler, params = self._find(request)
            return await handler(replace(request, params=params))
        except Refusal as no:
            more = {"detail": no.detail} if no.detail else {}
            return Answer(no.status, {"message": str(no), **more})
        except BadShape as no:
            return Answer(400, {"message": "Request body must be valid.", "detail": str(no)})
        except Gone:
            raise
        except Exception:  # A bug in one answer must not end the agent.
            log.exception("%s %s failed", request.method, request.path)
            return Answer(500, {"message": "The agent failed to answer; its log says why."})

    def _find(self, request: Request) -> tuple[Handler, dict[str, str]]:
        parts = request.path.split("/")
        methods: list[str] = []
        for method, pattern, handler in self._routes:
            params = _match(pattern, parts)
            if params is None:
                continue
            if method == request.method:
                return handler, params
            methods.append(method)
        if methods:
            raise Refusal(405, f"{request.path} takes {', '.join(methods)} only.")
        raise Refusal(404, f"There is no {request.path!r} here.")


def _match(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    params: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{") and part:
            params[wanted[1:-1]] = unquote(part, errors="surrogateescape")
        elif wanted != part:
            return None
    return params
