"""The routes of containers on the agent's API. Off, or in a sub-agent, all of them say so."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from typing import Final, TypeAlias
from uuid import UUID

from agent.containers.tools import ToolFailed
from agent.containers.yard import Busy, NotKnown, Yard
from agent.kit.child import within
from agent.network.frames import Ended, Frames
from agent.network.http import Answer, Refusal, Reply, Request, Table, Upgrade
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import Json, to_json
from coder_cli.sdk.agentapi import containers as api

Handler: TypeAlias = Callable[[Request], Awaitable[Reply]]
LONGEST_WAIT: Final = 15.0
"""Less than the server's patience with an answer."""
MOST_WATCHERS: Final = 50
_ROUTES: Final = (
    ("GET", api.CONTAINERS),
    ("GET", api.WATCH),
    ("POST", api.RECREATE),
    ("DELETE", api.DEVCONTAINER),
)
NOT_ENABLED: Final = Refusal(
    403,
    "Dev Container feature not enabled.",
    "To enable this feature, set CODER_AGENT_DEVCONTAINERS_ENABLE=true in your template.",
)
NOT_SUPPORTED: Final = Refusal(
    403,
    "Dev Container feature not supported.",
    "Dev Container integration inside other Dev Containers is explicitly not supported.",
)


class ContainerRoutes:
    """Answers about a yard. ``nested`` says whether we are in a dev container ourselves."""

    def __init__(self, yard: Yard, clock: Clock) -> None:
        self._yard = yard
        self._clock = clock
        self._watchers = 0
        self.nested = False

    def mount(self, table: Table) -> None:
        """Add the routes."""
        answers = (self._list, self._watch, self._recreate, self._delete)
        for (method, path), answer in zip(_ROUTES, answers, strict=True):
            table.add(method, path, partial(self._unless_nested, answer))

    async def _unless_nested(self, answer: Handler, request: Request) -> Reply:
        if self.nested:
            raise _again(NOT_SUPPORTED)
        return await answer(request)

    async def _list(self, request: Request) -> Answer:
        """Tell what is known; ``unlike=<digest>`` waits a while for something else."""
        unlike = request.query.get("unlike")
        with self._yard.watched() as bell:
            told = to_json(self._yard.told())
            while unlike and _digest(told) == unlike:
                bell.clear()
                if not await within(bell.wait(), LONGEST_WAIT, self._clock):
                    break
                told = to_json(self._yard.told())
        return Answer(200, told)

    async def _watch(self, _: Request) -> Upgrade:
        if self._watchers >= MOST_WATCHERS:
            raise Refusal(503, f"{MOST_WATCHERS} watch the containers already.")
        return Upgrade(self._serve)

    async def _serve(self, frames: Frames) -> None:
        self._watchers += 1
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_until_gone(frames))
                with self._yard.watched() as bell:
                    last = ""
                    while True:
                        text = json.dumps(to_json(self._yard.told()))
                        if text != last:
                            await frames.send(text)
                            last = text
                        await bell.wait()
                        bell.clear()
        except* Ended:
            pass
        finally:
            self._watchers -= 1

    async def _recreate(self, request: Request) -> Answer:
        wanted = request.params["devcontainer"]
        try:
            one = self._yard.recreate(_id(wanted))
        except NotKnown:
            raise _missing(wanted) from None
        except Busy as busy:
            raise Refusal(
                409,
                "Devcontainer recreation already in progress",
                f'Recreation for Dev Container "{busy}" is already underway.',
            ) from None
        detail = f'Recreation process for Dev Container "{one.name}" has started.'
        return Answer(202, {"message": "Devcontainer recreation initiated", "detail": detail})

    async def _delete(self, request: Request) -> Answer:
        wanted = request.params["devcontainer"]
        try:
            await self._yard.delete(_id(wanted))
        except NotKnown:
            raise _missing(wanted) from None
        except Busy as busy:
            raise Refusal(
                409, "Devcontainer is starting", f'Dev Container "{busy}" is being made now.'
            ) from None
        except ToolFailed as error:
            raise Refusal(
                500, "An error occurred deleting the Dev Container.", str(error)
            ) from None
        return Answer(200, {"message": "Dev Container deleted."})


def no_containers(table: Table) -> None:
    """Add routes that say that the feature is off."""

    async def refuse(_: Request) -> Reply:
        raise _again(NOT_ENABLED)

    for method, path in _ROUTES:
        table.add(method, path, refuse)


def _digest(told: Json) -> str:
    return sha256(json.dumps(told).encode()).hexdigest()


def _again(no: Refusal) -> Refusal:
    return Refusal(no.status, str(no), no.detail)


def _missing(wanted: str) -> Refusal:
    return Refusal(
        404, "Devcontainer not found.", f'Could not find Dev Container with ID: "{wanted[:100]}"'
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _missing(text) from None


async def _until_gone(frames: Frames) -> None:
    while True:
        await frames.recv()
