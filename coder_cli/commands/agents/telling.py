"""How a turn is shown: live text, one JSON object at its end, or a line of JSON for each event."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

from coder_cli import ui
from coder_cli.commands.agents.outcome import Ending, Outcome, open_questions, text_of
from coder_cli.commands.agents.toolwords import asked, came, failed, questions
from coder_cli.kit.clock import SystemClock
from coder_cli.ui.live import Live

if TYPE_CHECKING:
    from coder_cli.sdk.chats.chats import Chat
    from coder_cli.sdk.chats.events import ChatStreamEvent
    from coder_cli.sdk.chats.messages import ChatMessage
    from coder_cli.sdk.chats.parts import ChatMessagePart

QUIET = 1.0
"""Seconds of silence after which a terminal is told what is waited for."""


class Teller(Protocol):
    """Somebody who is told what happens in a turn."""

    def begun(self, chat: "Chat") -> None:
        """The chat is there, and its turn under way."""
        ...

    def event(self, event: "ChatStreamEvent") -> None:
        """Something happened; nothing is told twice."""
        ...

    def aside(self, words: str) -> None:
        """Something happened to us, not to the chat."""
        ...

    def moment(self) -> None:
        """Nothing happened for a moment."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """The turn is over."""
        ...


class Silent(Teller):
    """Say nothing until the turn is over, then the last words."""

    @override
    def begun(self, chat: "Chat") -> None: ...

    @override
    def event(self, event: "ChatStreamEvent") -> None: ...

    @override
    def aside(self, words: str) -> None:
        ui.note(words)

    @override
    def moment(self) -> None: ...

    @override
    def ended(self, outcome: Outcome) -> None:
        if outcome.text:
            ui.result(outcome.text)
        explain(outcome, ui.note)


class WholeJson(Silent):
    """One object when the turn is over."""

    @override
    def ended(self, outcome: Outcome) -> None:
        ui.result_json(summary(outcome))


class JsonLines(Silent):
    """Every event as it comes, in a line of its own: first ``chat``, last ``result``."""

    @override
    def begun(self, chat: "Chat") -> None:
        _line({"type": "chat", "chat_id": str(chat.id), "chat": chat.model_dump(mode="json")})

    @override
    def event(self, event: "ChatStreamEvent") -> None:
        _line(event.model_dump(mode="json"))

    @override
    def ended(self, outcome: Outcome) -> None:
        told = summary(outcome)
        del told["messages"]
        _line({"type": "result", **told})


class LiveText(Teller):
    """Text as it comes on stdout; tools, retries and waiting on stderr."""

    def __init__(self) -> None:
        """Show a turn from its begin."""
        self._live = Live()
        self._said = ""
        """What stdout has of the message that is being said."""
        self._preview = ""
        """What the model has said of it so far: the same, or less where it began anew."""
        self._calls: dict[str, str] = {}
        self._results: set[str] = set()
        self._doing = "waiting for the agent"
        self._since = self._told = _now()

    @override
    def begun(self, chat: "Chat") -> None:
        self._live.line(ui.styled(f"Chat {chat.id}: {chat.title}", "dim"))
        self._do("waiting for the agent")

    @override
    def aside(self, words: str) -> None:
        self._live.line(words)
        self._told = _now()

    @override
    def event(self, event: "ChatStreamEvent") -> None:
        self._told = _now()
        if event.message is not None:
            self._message(event.message)
        elif event.message_part is not None:
            self._part(event.message_part.part)
        elif event.retry is not None:
            again = event.retry
            self._preview = ""
            seconds = again.delay_ms / 1000
            words = f"{again.error} Trying again in {seconds:.0f}s (attempt {again.attempt})."
            self._live.line(ui.styled(words, "yellow"))
            self._do("waiting to try again")
        elif event.type in {"preview_reset", "history_reset"}:
            self._preview = ""
        elif event.queued_messages:
            count = len(event.queued_messages)
            self._live.line(ui.styled(f"{count} message{'s'[: count > 1]} in the queue", "dim"))
        elif event.status is not None and event.status.status == "running":
            self._do("thinking")

    @override
    def moment(self) -> None:
        now = _now()
        if now - self._told >= QUIET:
            self._live.move(f"{self._doing} {now - self._since:.0f}s")

    @override
    def ended(self, outcome: Outcome) -> None:
        self._live.end_line()
        self._live.still()
        explain(outcome, self._live.line)

    def _message(self, message: "ChatMessage") -> None:
        if message.role == "assistant":
            self._preview = text_of(message)
            self._catch_up()
            self._live.end_line()
            self._said = self._preview = ""
        for part in message.content:
            if part.type == "tool-call":
                self._call(part)
            elif part.type == "tool-result":
                self._result(part)
        if message.role in {"assistant", "tool"}:
            self._do(self._under_way() or "thinking")

    def _part(self, part: "ChatMessagePart") -> None:
        match part.type:
            case "text":
                self._preview += part.text or ""
                self._catch_up()
            case "reasoning":
                self._do("thinking")
            case "tool-call" if part.args is not None:
                self._call(part)
            case "tool-call":
                self._do(f"writing a call of {part.tool_name}")
            case "tool-result" if part.result is not None:
                self._result(part)
            case _:
                pass

    def _catch_up(self) -> None:
        """Print what stdout lacks; a retry that says the same again is not printed again."""
        if self._said.startswith(self._preview):
            return
        if not self._preview.startswith(self._said):
            self._live.end_line()
            self._said = ""
        self._live.say(self._preview[len(self._said) :])
        self._said = self._preview

    def _call(self, part: "ChatMessagePart") -> None:
        key, name = part.tool_call_id or "", part.tool_name or "?"
        if key in self._calls:
            return
        self._calls[key] = name
        self._live.line(f"{ui.styled('→', 'cyan')} {asked(name, part.args)}")
        self._do(f"running {name}")

    def _result(self, part: "ChatMessagePart") -> None:
        key, name = part.tool_call_id or "", part.tool_name or "?"
        if key in self._results:
            return
        self._results.add(key)
        if part.is_error:
            self._live.line(f"{ui.styled('✘', 'red')} {name}  {failed(part.result)}")
        else:
            words, lines = came(name, part.result)
            self._live.line(f"{ui.styled('✔', 'green')} {f'{name}  {words}'.rstrip()}")
            for line in lines:
                self._live.line(ui.styled(f"    {line}", "dim"))
        self._do(self._under_way() or "thinking")

    def _under_way(self) -> str:
        names = [name for key, name in self._calls.items() if key not in self._results]
        return f"running {', '.join(names)}" if names else ""

    def _do(self, what: str) -> None:
        if what != self._doing:
            self._doing, self._since = what, _now()


def summary(outcome: Outcome) -> dict[str, object]:
    """Return a turn as programs read it."""
    return {
        "chat_id": str(outcome.chat.id),
        "status": outcome.chat.status.value,
        "exit_code": int(outcome.ending),
        "text": outcome.text,
        "chat": outcome.chat.model_dump(mode="json"),
        "messages": [one.model_dump(mode="json") for one in outcome.messages],
    }


def explain(outcome: Outcome, tell: Callable[[str], None]) -> None:
    """Say why a turn did not simply finish, and what to type next."""
    chat = outcome.chat
    answer = f'coder agents chat --chat {chat.id} "…"'
    match outcome.ending:
        case Ending.NEEDS_INPUT:
            for name, args in open_questions(outcome.messages):
                for line in questions(args) if name == "ask_user_question" else [asked(name, args)]:
                    tell(line)
            if chat.status == "requires_action":
                tell("The agent waits for the results of tools that its client runs.")
            else:
                tell(f"The agent waits for you. Answer with: {answer}")
        case Ending.ERROR | Ending.LIMIT_REACHED:
            error = chat.last_error
            words = error.message if error else "The turn failed."
            tell(f"{ui.styled('error:', 'red')} {words}")
            if error and error.detail and error.detail != error.message:
                tell(error.detail)
        case Ending.INTERRUPTED:
            tell(f"Interrupted; what was written is kept. Go on with: {answer}")
        case Ending.FINISHED:
            pass


def _line(value: object) -> None:
    ui.result(json.dumps(value, ensure_ascii=False))


def _now() -> float:
    return SystemClock().monotonic()
