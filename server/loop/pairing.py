"""Calls and results, one to one: every call is answered at once, and nothing answers nobody."""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from server.llm import Message, Part, Reasoning, Role, Text, ToolCall, ToolResult
from server.loop.answers import local_calls

NO_RESULT = "tool call was interrupted and did not receive a result"
"""Source: reference, chats, section 3.12."""

SEARCH = "web_search"
"""The only tool of providers whose results are sent again."""

_ODD = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_ID = 64


@dataclass(slots=True)
class _Names:
    """Ids that every provider takes, each given once; the same history gets the same ones."""

    taken: set[str] = field(default_factory=set[str])

    def give(self, wanted: str) -> str:
        plain = plain_id(wanted)
        name, number = plain, 2
        while name in self.taken:
            suffix = f"_{number}"
            name, number = plain[: _LONGEST_ID - len(suffix)] + suffix, number + 1
        self.taken.add(name)
        return name


def plain_id(wanted: str) -> str:
    """Return an id of letters, digits, ``_`` and ``-`` only."""
    return _ODD.sub("_", wanted)[:_LONGEST_ID] or "call"


@dataclass(slots=True)
class _Results:
    """The results of a history by the id they name, and where they stand."""

    waiting: dict[str, deque[tuple[int, ToolResult]]]
    """In their order, without those that are taken."""
    calls: dict[str, list[int]]
    answered: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, messages: Sequence[Message]) -> "_Results":
        waiting: defaultdict[str, deque[tuple[int, ToolResult]]] = defaultdict(deque)
        calls: defaultdict[str, list[int]] = defaultdict(list)
        for place, message in enumerate(messages):
            if message.role is Role.ASSISTANT:
                for call in local_calls(message.parts):
                    calls[call.id].append(place)
            elif message.role is Role.TOOL:
                for part in message.parts:
                    if isinstance(part, ToolResult):
                        waiting[part.id].append((place, part))
        return cls(waiting, calls)

    def take(self, call: ToolCall, place: int) -> ToolResult | None:
        """Return the first result after ``place``, unless a later call of the same id is meant."""
        queue = self.waiting.get(call.id)
        if not queue or queue[0][0] < place:
            return None
        again = next((other for other in self.calls[call.id] if other > place), None)
        if again is not None and queue[0][0] > again:
            return None
        self.answered.add(call.id)
        return queue.popleft()[1]

    def orphans(self, message: Message, place: int) -> list[ToolResult]:
        """Return what answers no call; a second answer to one that has its own is none."""
        found: dict[str, ToolResult] = {}
        for part in message.parts:
            queue = self.waiting.get(part.id) if isinstance(part, ToolResult) else None
            while queue and queue[0][0] <= place:
                orphan = queue.popleft()[1]
                if orphan.id not in self.answered:
                    found.setdefault(orphan.id, orphan)
        self.answered.update(found)
        return list(found.values())


def paired(messages: Sequence[Message]) -> list[Message]:
    """Return messages in which each call of ours is followed by its result, under one good id."""
    results, names = _Results.of(messages), _Names()
    kept: list[Message] = []
    for place, message in enumerate(messages):
        if message.role is Role.TOOL:
            kept.extend(_adopted(results.orphans(message, place), names))
        elif message.role is Role.ASSISTANT:
            kept.extend(_answered(message, place, results, names))
        else:
            kept.append(message)
    return kept


def _answered(message: Message, place: int, results: _Results, names: _Names) -> list[Message]:
    parts: list[Part] = []
    answers: list[Part] = []
    for part in message.parts:
        if not isinstance(part, ToolCall) or part.provider_executed:
            parts.append(part)
            continue
        result = results.take(part, place)
        name = names.give(part.id)
        parts.append(part if part.id == name else replace(part, id=name))
        if result is None:
            answers.append(ToolResult(name, part.name, NO_RESULT, is_error=True))
        else:
            same = result.id == name and result.name == part.name
            answers.append(result if same else replace(result, id=name, name=part.name))
    if not answers:
        return [message]
    return [replace(message, parts=tuple(parts)), Message(Role.TOOL, tuple(answers))]


def _adopted(orphans: list[ToolResult], names: _Names) -> list[Message]:
    """Give results without a call one: it says only that a tool was used."""
    if not orphans:
        return []
    renamed = [replace(part, id=names.give(part.id), name=part.name or "tool") for part in orphans]
    calls = tuple(ToolCall(part.id, part.name) for part in renamed)
    return [Message(Role.ASSISTANT, calls), Message(Role.TOOL, tuple(renamed))]


def searched(parts: Iterable[Part], *, searching: bool, resuming: bool) -> list[Part]:
    """Return an answer's parts with whole searches only: a call without its result goes.

    No result is ever made up. One that cannot be sent becomes a sentence where the answer holds
    signed thinking, which must keep its place.

    Args:
        parts: an answer, without the thinking of others.
        searching: the tool is offered now; without it providers refuse what it left.
        resuming: the provider paused within this answer, and goes on with its open calls.
    """
    told = list(parts)
    whole = _whole(told) if searching else set[str]()
    signed = any(isinstance(part, Reasoning) for part in told)
    kept: list[Part] = []
    cut = False
    for part in told:
        if isinstance(part, ToolCall | ToolResult) and part.provider_executed:
            if part.id in whole or (resuming and searching and isinstance(part, ToolCall)):
                plain = plain_id(part.id)
                kept.append(part if plain == part.id else replace(part, id=plain))
                continue
            cut = True
            if signed and isinstance(part, ToolResult):
                kept.append(Text(left_out(part.name)))
        else:
            kept.append(part)
    if cut and kept and isinstance(kept[-1], Reasoning):
        kept.append(Text(left_out("a tool")))
    return kept


def left_out(name: str) -> str:
    """Return the sentence for what a provider's tool answered and cannot be sent."""
    return f"[What {_ODD.sub('_', name) if name != 'a tool' else name} found was left out.]"


def _whole(parts: Sequence[Part]) -> set[str]:
    """Return the ids of searches with exactly one call, and one result after it."""
    open_calls: set[str] = set()
    whole: set[str] = set()
    broken: set[str] = set()
    for part in parts:
        if not isinstance(part, ToolCall | ToolResult) or not part.provider_executed:
            continue
        if isinstance(part, ToolCall):
            if part.id in open_calls or part.id in whole:
                broken.add(part.id)
            open_calls.add(part.id)
        elif part.id in whole or part.id not in open_calls or part.name != SEARCH:
            broken.add(part.id)
        else:
            whole.add(part.id)
    return whole - broken
