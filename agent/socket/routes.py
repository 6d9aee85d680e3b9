"""What may be asked on the socket: one function for each method and path."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from agent.network.http import Answer, Gone, Refusal, Request
from agent.socket.board import LONGEST_WAIT, Board, Ending, Unready
from agent.units import Dependency, TooMany, Unit, UnitError, UnknownUnit, WrongName
from agent.upstream import CallFailed, LineDown
from coder_cli.sdk import agentapi, agentsocket
from coder_cli.sdk.agentapi import AppStatus, BadShape, Json

Shape = TypeVar("Shape")
ENDING: Final = "the agent is shutting down; it forgets all units"
log = logging.getLogger("agent.socket")


@dataclass(frozen=True, slots=True)
class Want:
    unit: str
    depends_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """``wait`` is for how many seconds the answer may be held back."""

    unit: str
    wait: float = 0


@dataclass(frozen=True, slots=True)
class Complete:
    unit: str


class Routes:
    """Answer requests; ``tell`` forwards what an app does to the server."""

    def __init__(self, board: Board, tell: Callable[[AppStatus], Awaitable[object]]) -> None:
        self._board = board
        self._tell = tell
        self._table: Mapping[tuple[str, str], Callable[[Request], Awaitable[Json]]] = {
            ("GET", agentsocket.PING): self._ping,
            ("POST", agentsocket.WANT): self._want,
            ("POST", agentsocket.START): self._start,
            ("POST", agentsocket.COMPLETE): self._complete,
            ("GET", agentsocket.READY): self._ready,
            ("GET", agentsocket.STATUS): self._status,
            ("GET", agentsocket.LIST): self._list,
            ("PATCH", agentsocket.APP_STATUS): self._app_status,
        }

    async def __call__(self, request: Request) -> Answer:
        """Answer one request; every refusal is a sentence in ``message``."""
        found = self._table.get((request.method, request.path))
        if found is None:
            return self._unknown(request)
        try:
            return Answer(200, await found(request))
        except (UnitError, BadShape, CallFailed, LineDown, Ending, Refusal) as no:
            return _refusal(no)
        except Gone:
            raise
        except Exception:  # A bug in one answer must not end the agent.
            log.exception("%s %s failed", request.method, request.path)
            return Answer(500, {"message": "the agent failed to answer; its log says why"})

    def _unknown(self, request: Request) -> Answer:
        methods = [method for method, path in self._table if path == request.path]
        if methods:
            return Answer(405, {"message": f"{request.path} takes {methods[0]} only"})
        known = "; ".join(f"{method} {path}" for method, path in self._table)
        return Answer(404, {"message": f"there is no {request.path!r} here, only: {known}"})

    async def _ping(self, _: Request) -> Json:
        return {}

    async def _want(self, request: Request) -> Json:
        want = await _read(Want, request)
        if not want.depends_on:
            raise BadShape("Want.depends_on names at least one unit")
        self._board.want(want.unit, want.depends_on)
        return {}

    async def _start(self, request: Request) -> Json:
        start = await _read(Start, request)
        if not 0 <= start.wait <= LONGEST_WAIT:
            raise BadShape(f"Start.wait is from 0 to {LONGEST_WAIT:.0f} seconds")
        return {"waited_for": list(await self._board.start(start.unit, start.wait))}

    async def _complete(self, request: Request) -> Json:
        self._board.complete((await _read(Complete, request)).unit)
        return {}

    async def _ready(self, request: Request) -> Json:
        return {"ready": self._asked(request).ready}

    async def _status(self, request: Request) -> Json:
        unit = self._asked(request)
        return {**_unit(unit), "dependencies": [_dependency(one) for one in unit.dependencies]}

    async def _list(self, _: Request) -> Json:
        return {"units": [_unit(unit) for unit in self._board.all()]}

    async def _app_status(self, request: Request) -> Json:
        await self._tell(await _read(AppStatus, request))
        return {}

    def _asked(self, request: Request) -> Unit:
        if set(request.query) != {"unit"}:
            raise BadShape(f"{request.path} needs ?unit=<name>, and nothing else")
        return self._board.get(request.query["unit"])


async def _read(shape: type[Shape], request: Request) -> Shape:
    content = await request.read()
    try:
        body: Json = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadShape(f"the body is not JSON: {error}") from None
    if isinstance(body, dict):
        known = agentapi.to_json(cast("dict[str, Json]", body))
        _refuse_others(shape, known)
    return agentapi.from_json(shape, body)


def _refuse_others(shape: type[object], keys: Iterable[str]) -> None:
    known = set(getattr(shape, "__dataclass_fields__", ()))
    if others := sorted(set(keys) - known):
        raise BadShape(f"{others[0]!r} is unknown here; known are {', '.join(sorted(known))}")


def _refusal(no: Exception) -> Answer:
    words, more = str(no), dict[str, Json]()
    match no:
        case Refusal():
            status = no.status
        case WrongName() | BadShape() | CallFailed():
            status = 400
        case UnknownUnit():
            status = 404
        case TooMany():
            status = 429
        case LineDown():
            status, words = 503, f"the agent is not connected to the server ({no}); try again"
        case Ending():
            status, words = 503, ENDING
        case Unready():
            status, more = 409, {"missing": [_dependency(one) for one in no.missing]}
        case _:
            status = 409
    return Answer(status, {"message": words, **more})


def _unit(unit: Unit) -> dict[str, Json]:
    return {"unit_name": unit.name, "status": unit.status.value, "is_ready": unit.ready}


def _dependency(one: Dependency) -> dict[str, Json]:
    return {
        "depends_on": one.on,
        "required_status": one.required.value,
        "current_status": one.current.value,
        "is_satisfied": one.satisfied,
    }
