"""The scripted model itself: a stand-in of equal rank, for trials and tests without any key."""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Iterator, MutableMapping, Sequence

from coder_cli.kit.clock import Clock
from server.llm.codec import encode
from server.llm.failures import failure
from server.llm.model import (
    Finish,
    Finished,
    PartDone,
    ReasoningDelta,
    Request,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from server.llm.parts import Part, Reasoning, Text, ToolCall
from server.llm.scripted.play import Step, next_step
from server.llm.scripted.script import Fail, Pause, Say, Think

PROVIDER = "scripted"
MODEL = "scripted"
DISPLAY_NAME = "Scripted (offline stand-in)"

_WORD = re.compile(r"\s*\S+\s*")
_PIECE = 24
"""Characters of a call's arguments in one delta."""
_CHARS_PER_TOKEN = 4
_MOST_COUNTED = 10_000


class Scripted:
    """Follows simple instructions in the newest message; see ``script.HELP``.

    Args:
        clock: waits for ``sleep`` and ``words … every``.
        failed: counts what ``fail KIND N times`` did already; the one thing that a history cannot
            tell, because nothing of a failed call is stored. It belongs to one process.
        name: the name under which it is configured.
    """

    def __init__(
        self, clock: Clock, failed: MutableMapping[str, int] | None = None, name: str = MODEL
    ) -> None:
        self._clock = clock
        self._failed: MutableMapping[str, int] = {} if failed is None else failed
        self._name = name

    @property
    def provider(self) -> str:
        """Return the provider's name."""
        return PROVIDER

    @property
    def name(self) -> str:
        """Return the name of the model."""
        return self._name

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        """Answer, word by word.

        Raises:
            ModelError: the script says so.
        """
        step = next_step(request)
        parts: list[Part] = []
        index = 0
        for said in step.said:
            match said:
                case Pause():
                    await self._clock.sleep(said.seconds)
                case Fail():
                    self._fail(said, step)
                case Say() | Think():
                    async for event in self._speak(index, said):
                        yield event
                        if isinstance(event, PartDone):
                            parts.append(event.part)
                    index += 1
        for call in step.calls:
            for event in _write(index, call):
                yield event
                await asyncio.sleep(0)
            parts.append(call)
            index += 1
        finish = Finish.TOOL_CALLS if step.calls else Finish.STOP
        yield Finished(tuple(parts), _usage(request, parts), finish, raw_finish=finish.value)

    async def _speak(self, index: int, said: Say | Think) -> AsyncGenerator[StreamEvent]:
        pace = said.pace if isinstance(said, Say) else 0
        text = said.text if said.text.endswith("\n") else f"{said.text}\n"
        for word in _WORD.findall(text):
            yield TextDelta(index, word) if isinstance(said, Say) else ReasoningDelta(index, word)
            await self._clock.sleep(pace) if pace else await asyncio.sleep(0)
        yield PartDone(index, Text(text) if isinstance(said, Say) else Reasoning(text))

    def _fail(self, wish: Fail, step: Step) -> None:
        key = f"{step.key}:{wish.kind}"
        before = self._failed.get(key, 0)
        if wish.times and before >= wish.times:
            return
        if len(self._failed) >= _MOST_COUNTED:
            self._failed.clear()
        self._failed[key] = before + 1
        raise failure(PROVIDER, "The script asks for this failure.", kind=wish.kind)


def _write(index: int, call: ToolCall) -> Iterator[StreamEvent]:
    yield ToolCallDelta(index, call.id, call.name)
    for begin in range(0, len(call.args), _PIECE):
        yield ToolCallDelta(index, call.id, call.name, call.args[begin : begin + _PIECE])
    yield PartDone(index, call)


def _usage(request: Request, parts: Sequence[Part]) -> Usage:
    """Return plausible counts: a token is four characters."""
    sent = sum(_tokens(message.parts) for message in request.messages)
    sent += sum(len(tool.description) // _CHARS_PER_TOKEN for tool in request.tools)
    answered = _tokens(parts)
    thought = _tokens([part for part in parts if isinstance(part, Reasoning)])
    return Usage(sent, answered, sent + answered, reasoning_tokens=thought or None)


def _tokens(parts: Sequence[Part]) -> int:
    return math.ceil(len(encode(parts)) / _CHARS_PER_TOKEN) if parts else 0
