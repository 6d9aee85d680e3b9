"""What has come of an answer so far, and what stays of it when it is cut off.

Pure. Source: reference, chats, sections 1.5 and 3.8. An interrupted answer keeps

- blocks that were whole;
- text and reasoning as far as they came, unless there is nothing but space in them; such reasoning
  is complete from the moment of the interrupt on, and carries no signature, so it is shown to
  people and never sent to a model again;
- a half-written call of one of our tools, with the arguments as far as they came: people see what
  was about to be done. Nothing of it ran, and whoever stores it adds a result that says so. The
  half-written call of a provider's own tool is dropped: nothing could ever answer it.

Nothing is kept for the sake of a retry: that begins anew with a new draft.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from server.llm.model import (
    Finished,
    PartDone,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
)
from server.llm.parts import Part, Reasoning, Text, ToolCall, ToolResult


@dataclass(slots=True)
class _Block:
    """One block under way; pieces are joined once, at the end."""

    kind: type[Text | Reasoning | ToolCall]
    began: datetime
    pieces: list[str] = field(default_factory=list[str])
    id: str = ""
    name: str = ""
    provider_executed: bool = False

    def cut_off(self, now: datetime) -> Part | None:
        """Return what stays of the block, if anything."""
        text = "".join(self.pieces)
        if self.kind is ToolCall:
            if self.provider_executed or not (self.id and self.name):
                return None
            return ToolCall(self.id, self.name, text, created_at=self.began)
        if not text.strip():
            return None
        if self.kind is Reasoning:
            return Reasoning(text, created_at=self.began, completed_at=now)
        return Text(text, created_at=self.began)


@dataclass(slots=True)
class Draft:
    """An answer as it comes in: give it every event, and ask for its parts at any time."""

    open: dict[int, _Block] = field(default_factory=dict[int, _Block])
    done: dict[int, Part] = field(default_factory=dict[int, Part])
    """Whole blocks, with the times at which they began and ended."""
    finished: Finished | None = None

    def add(self, event: StreamEvent, now: datetime) -> None:
        """Take the next event of the stream, which came at ``now``."""
        match event:
            case TextDelta():
                self._block(event.index, Text, now).pieces.append(event.text)
            case ReasoningDelta():
                self._block(event.index, Reasoning, now).pieces.append(event.text)
            case ToolCallDelta():
                block = self._block(event.index, ToolCall, now)
                block.id, block.name = event.id or block.id, event.name or block.name
                block.provider_executed = event.provider_executed
                block.pieces.append(event.args)
            case PartDone():
                block = self.open.pop(event.index, None)
                began = block.began if block else now
                if event.index in self.done:  # Told once more, with what came after its end.
                    began = getattr(self.done[event.index], "created_at", None) or began
                self.done[event.index] = _timed(event.part, began, now)
            case Finished():
                self.finished = event

    def parts(self, now: datetime) -> tuple[Part, ...]:
        """Return the whole answer with its times, once ``Finished`` has come."""
        if self.finished is None:
            return self.interrupted(now)
        timed = [self.done[index] for index in sorted(self.done)]
        if len(timed) == len(self.finished.parts):
            return tuple(timed)
        return tuple(_timed(part, now, now) for part in self.finished.parts)

    def interrupted(self, now: datetime) -> tuple[Part, ...]:
        """Return what stays of the answer when it is cut off at ``now``, in its order."""
        kept: dict[int, Part | None] = {
            index: block.cut_off(now) for index, block in self.open.items()
        }
        kept.update(self.done)
        parts = [kept[index] for index in sorted(kept)]
        return tuple(part for part in parts if part is not None)

    def _block(self, index: int, kind: type[Text | Reasoning | ToolCall], now: datetime) -> _Block:
        block = self.open.get(index)
        if block is None:
            block = self.open[index] = _Block(kind, now)
        return block


def _timed(part: Part, began: datetime, ended: datetime) -> Part:
    """Return a part that says when it came, where it does not yet."""
    match part:
        case Reasoning() if part.completed_at is None:
            return replace(part, created_at=part.created_at or began, completed_at=ended)
        case Text() | ToolCall() | ToolResult() if part.created_at is None:
            return replace(part, created_at=began)
        case _:
            return part
