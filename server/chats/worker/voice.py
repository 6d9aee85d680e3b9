"""What a turn says before it is stored, put where its chat's listeners hear it.

Source: reference, chats, sections 2.7 and 5.3.
"""

from typing import assert_never

import structlog

from coder_cli.kit.clock import Clock
from server.chats.actions.streaming import telling
from server.chats.actions.streaming.feed import Feed
from server.chats.model import Chat
from server.chats.worker.metrics import Reading
from server.llm import (
    Finished,
    Json,
    Part,
    PartDone,
    Reasoning,
    ReasoningDelta,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
)
from server.loop import Retrying

log = structlog.get_logger()

WARN_EVERY = 10.0


class FeedVoice:
    """The voice of one turn. It falls silent when the feed goes on without this turn."""

    def __init__(self, feed: Feed, chat: Chat, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._history = chat.history_version
        self._attempt = chat.generation_attempt
        self._episode = 0
        self._warned = float("-inf")
        self._asked, self._silent = clock.monotonic(), False
        self.reading: Reading | None = None
        """The meter of the turn, once its model is known."""
        # What another runner said of the same step is void.
        self._begin(void=True)

    def went_on(self, history_version: int) -> None:
        """Begin the next step: what was said so far is stored, and made this history."""
        if self._speaks:
            self._history, self._attempt = history_version, 0
            self._begin()

    def asked(self) -> None:
        """Take note that the model is called now."""
        self._asked = self._clock.monotonic()
        self._silent = True

    def say(self, event: StreamEvent) -> None:
        """Tell a delta of the model's."""
        if self._silent:
            self._silent = False
            if self.reading is not None:
                self.reading.spoke(self._clock.monotonic() - self._asked)
        match event:
            case TextDelta(_, text):
                self._tell("assistant", {"type": "text", "text": text})
            case ReasoningDelta(_, text):
                self._tell("assistant", {"type": "reasoning", "text": text})
            case ToolCallDelta():
                self._tell("assistant", _call_delta(event))
            case PartDone(_, Text() | Reasoning()) | Finished():
                pass  # Its words were told as they came.
            case PartDone(_, part):
                self._tell("assistant", part)
            case _:
                assert_never(event)

    def call(self, call: ToolCall) -> None:
        """Tell a call that no stream told."""
        self._tell("assistant", call)

    def result(self, result: ToolResult) -> None:
        """Tell what a tool answered."""
        self._tell("tool", result)

    def retrying(self, retrying: Retrying) -> None:
        """Tell that what was said of this step is void, and when it is tried again."""
        if self.reading is not None:
            self.reading.retried(retrying.error)
        if self._speaks:
            self._attempt += 1
            self._begin()
            self._feed.say(telling.retry_event(self._feed.chat_id, retrying))

    @property
    def _speaks(self) -> bool:
        return self._feed.parts.episode == self._episode

    def _begin(self, *, void: bool = False) -> None:
        self._feed.begin(self._history, self._attempt, void=void)
        self._episode = self._feed.parts.episode

    def _tell(self, role: str, part: Part | dict[str, Json]) -> None:
        if not self._speaks:
            return
        stamp = (self._history, self._attempt, self._feed.parts.said + 1)
        event = telling.part_event(self._feed.chat_id, role, part, stamp)
        if not self._feed.say(event) and self._clock.monotonic() - self._warned > WARN_EVERY:
            self._warned = self._clock.monotonic()
            log.warning(
                "a step says more than is kept for those who join late",
                chat_id=str(self._feed.chat_id),
            )


def _call_delta(event: ToolCallDelta) -> dict[str, Json]:
    told: dict[str, Json] = {
        "type": "tool-call",
        "tool_call_id": event.id,
        "tool_name": event.name,
        "args_delta": event.args,
    }
    if event.provider_executed:
        told["provider_executed"] = True
    return told
