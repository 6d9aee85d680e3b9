"""What the scripted model does next: a pure function of the messages and the tools.

Nothing is remembered between two calls: which instructions are done is told by the ids of the tool
calls in the history, so any replica may continue. An id holds a digest of the script, which
repetition of it this is, and the number of the instruction.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeAlias, cast

from server.llm.model import Request, ToolChoice
from server.llm.parts import Json, Message, Role, Text, ToolCall, ToolResult
from server.llm.scripted import report
from server.llm.scripted.script import Create, Fail, Pause, Say, Script, Think, Use, parse

_NO_WORKSPACE = "no workspace is associated"
_NOT_RUNNING = "start_workspace"
_MARKER = re.compile(r"call_[0-9a-f]{10}_[0-9]+[a-z0-9]*")


@dataclass(frozen=True, slots=True)
class Step:
    """One answer: what is said first, and the tools that are used then."""

    said: tuple[Say | Think | Pause | Fail, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    key: str = ""
    """Names this answer: how often it failed already is counted under it."""


@dataclass(frozen=True, slots=True)
class _Past:
    """What was called before, and what came of it (None: it is not known)."""

    results: Mapping[str, ToolResult | None]
    tools: frozenset[str]

    def done(self, id_: str) -> bool:
        return id_ in self.results

    def began(self, key: str) -> bool:
        """Tell whether a step of the script has called anything."""
        ends = (id_.removeprefix(key) for id_ in self.results if id_.startswith(key))
        return any(end[:1].isalpha() for end in ends)

    def lacks(self, id_: str, hint: str) -> bool:
        """Tell whether a call failed for a reason that we can mend."""
        result = self.results.get(id_)
        return result is not None and result.is_error and hint in report.words_of(result)


Words: TypeAlias = Say | Think | Pause | Fail


def next_step(request: Request) -> Step:
    """Return what to answer to a request."""
    if request.schema is not None:
        return Step((Say(json.dumps(report.fill(request.schema, request.messages))),))
    if request.tool_choice is ToolChoice.NONE:  # So asks who wants a summary.
        return Step((Say(report.summary(request.messages)),))
    script, key = _newest_script(request.messages)
    if not script.steps:
        return Step((Say(report.introduction(request)),))
    past = _Past(_results(request.messages), frozenset(tool.name for tool in request.tools))
    return _advance(script, key, past)


def _advance(script: Script, key: str, past: _Past) -> Step:
    said: list[Words] = []
    uses: list[str] = []
    for number, together in enumerate(script.steps):
        first = together[0]
        if not isinstance(first, Use | Create):
            said.append(first)
            continue
        turn = _Turn(f"{key}_{number}", together, past)
        calls = turn.calls()
        if calls:
            if past.began(turn.key):  # Its templates are known, or its workspace is there now.
                return Step((), calls, turn.key)
            return Step((*said, *map(Say, turn.missing)), calls, turn.key)
        if turn.ids:  # What was to be said before these tools were used was said with them.
            said.clear()
        else:
            said.extend(map(Say, turn.missing))
        said.extend(map(Say, turn.refused))
        uses.extend(turn.ids)
    results = [past.results.get(id_) for id_ in uses]
    closing = report.closing([result for result in results if result is not None])
    return Step((*said, *((Say(closing),) if closing else ())), (), f"{key}_end")


@dataclass(slots=True)
class _Turn:
    """The tools of one step of a script: which are to be called now."""

    key: str
    together: Sequence[object]
    past: _Past
    ids: list[str] = field(default_factory=list[str])
    """The calls whose results tell what came of it."""
    missing: list[str] = field(default_factory=list[str])
    """Tools that are wanted and not there, as sentences."""
    refused: list[str] = field(default_factory=list[str])
    """What turned out not to work, as sentences."""

    def calls(self) -> tuple[ToolCall, ...]:
        first = self.together[0]
        if isinstance(first, Create):
            return self._create(first)
        wanted = dict(self._wanted())
        fresh = [call for id_, call in wanted.items() if not self.past.done(id_)]
        if fresh:
            return tuple(fresh)
        return self._mended(wanted)

    def _wanted(self) -> Iterator[tuple[str, ToolCall]]:
        for number, use in enumerate(self.together):
            assert isinstance(use, Use)
            if use.tool not in self.past.tools:
                self.missing.append(f"I have no tool {use.tool} here.\n\n")
                continue
            for copy, args in enumerate(self._arguments(use)):
                id_ = f"{self.key}x{number}x{copy}"
                self.ids.append(id_)
                yield id_, _call(id_, use.tool, args)

    def _arguments(self, use: Use) -> list[Mapping[str, Json]]:
        if not use.child:
            return [use.args]
        spawned = (result for result in self.past.results.values() if result is not None)
        children = dict.fromkeys(
            str(result.result["chat_id"])
            for result in spawned
            if result.name == "spawn_agent"
            and isinstance(result.result, dict)
            and "chat_id" in result.result
        )
        return [{"chat_id": child, **use.args} for child in children]

    def _mended(self, wanted: Mapping[str, ToolCall]) -> tuple[ToolCall, ...]:
        """Make or start the workspace that was missing, and try again once."""
        for hint, mend in ((_NO_WORKSPACE, self._create), (_NOT_RUNNING, self._start)):
            failed = [id_ for id_ in wanted if self.past.lacks(id_, hint)]
            if not failed:
                continue
            calls = mend(Create())
            if calls or not self._mending_worked():
                return calls
            again = {f"{id_}r": wanted[id_] for id_ in failed}
            self.ids = [f"{id_}r" if id_ in failed else id_ for id_ in self.ids]
            return tuple(
                _call(id_, call.name, json.loads(call.args))
                for id_, call in again.items()
                if not self.past.done(id_)
            )
        return ()

    def _mending_worked(self) -> bool:
        results = [self.past.results.get(f"{self.key}{end}") for end in ("c", "s")]
        return any(result is not None and not result.is_error for result in results)

    def _create(self, wish: Create) -> tuple[ToolCall, ...]:
        listed, made = f"{self.key}t", f"{self.key}c"
        if not {"list_templates", "create_workspace"} <= self.past.tools:
            self.refused.append("I cannot make a workspace here.\n\n")
            return ()
        self.ids.insert(0, made if self.past.done(made) else listed)
        if self.past.done(made):
            return ()
        if not self.past.done(listed):
            query = {"query": wish.template} if wish.template else {}
            return (_call(listed, "list_templates", query),)
        template = report.template_in(self.past.results[listed], wish.template)
        if not template:
            self.refused.append("I found no template to make a workspace from.\n\n")
            return ()
        args = {"template_id": template} | ({"name": wish.name} if wish.name else {})
        return (_call(made, "create_workspace", args),)

    def _start(self, _wish: Create) -> tuple[ToolCall, ...]:
        started = f"{self.key}s"
        if self.past.done(started) or "start_workspace" not in self.past.tools:
            return ()
        return (_call(started, "start_workspace", {}),)


def _call(id_: str, tool: str, args: Mapping[str, Json] | Mapping[str, str]) -> ToolCall:
    return ToolCall(id_, tool, json.dumps(args, ensure_ascii=False))


def _newest_script(messages: Sequence[Message]) -> tuple[Script, str]:
    """Return the newest script, and a key that no other one in this chat has.

    Rows count before messages that are made for one call only (notices).
    """
    said = [message for message in messages if message.role is Role.USER and text_of(message)]
    rows = [message for message in said if message.id] or said
    if not rows:
        return Script(()), ""
    script = parse(text_of(rows[-1]))
    same = sum(1 for message in rows if parse(text_of(message)) == script)
    digest = blake2b(repr((script, same)).encode("utf-8", "replace"), digest_size=5).hexdigest()
    return script, f"call_{digest}"


def text_of(message: Message) -> str:
    """Return what is said in a message."""
    return "\n".join(part.text for part in message.parts if isinstance(part, Text))


def _results(messages: Sequence[Message]) -> Mapping[str, ToolResult | None]:
    """Return every call of the history with its result; a summary tells calls by their ids."""
    results: dict[str, ToolResult | None] = {}
    for message in messages:
        for part in message.parts:
            match part:
                case ToolCall():
                    results.setdefault(part.id, None)
                case ToolResult():
                    results[part.id] = part
                case Text() if message.role is Role.USER:
                    results.update(dict.fromkeys(cast("list[str]", _MARKER.findall(part.text))))
                case _:
                    pass
    return results
