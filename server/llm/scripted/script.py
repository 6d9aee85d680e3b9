"""The instructions that the scripted model understands, read out of a person's message.

Pure. A message is read line by line. Lines that are no instruction are prose around them and are
passed over, unless there is no instruction at all.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from server.llm.errors import ErrorKind
from server.llm.parts import Json

HELP = """\
$ COMMAND                       run a command in the workspace
read PATH                       read a file; PATH begins with / or ~/
write PATH TEXT                 write a file; or put its lines below, fenced or indented
edit PATH OLD => NEW            replace text in a file
diff [DIRECTORY]                show what changed in a git repository
create workspace [from TEMPLATE] [named NAME]
start workspace | stop workspace
spawn PROMPT | explore PROMPT   start a sub-agent
wait [SECONDS]                  wait for the sub-agents
call TOOL {JSON}                use any tool
& INSTRUCTION                   at the same time as the line before
think TEXT | say TEXT           reason, or speak
words N [every SECONDS]         speak N words, slowly if you like
sleep SECONDS                   pause in the middle of the answer
fail KIND [N times]             fail as a provider does: rate_limit, overloaded, timeout, ..."""


@dataclass(frozen=True, slots=True)
class Use:
    """Use a tool with these arguments."""

    tool: str
    args: Mapping[str, Json] = field(default_factory=dict[str, Json])
    child: bool = False
    """Once for each sub-agent that was started, with its ``chat_id``."""


@dataclass(frozen=True, slots=True)
class Create:
    """Make a workspace, from a template by name or from whichever is recommended."""

    template: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak, with a pause between the words."""

    text: str
    pace: float = 0


@dataclass(frozen=True, slots=True)
class Think:
    """Reason."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """Fail as a provider does; ``times`` 0 is always."""

    kind: ErrorKind
    times: int = 0


Instruction: TypeAlias = Use | Create | Say | Think | Pause | Fail


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be done: one inner tuple after the other, all of one at the same time."""

    steps: tuple[tuple[Instruction, ...], ...]


_LINE = re.compile(r"(?P<also>& )?(?P<verb>\$|[a-z]+)(?: +(?P<rest>.*))?$")
_FENCE = re.compile(r"`{3,}")
_CREATE = re.compile(r"workspace(?: +from +(?P<template>\S+))?(?: +named +(?P<name>\S+))?$")
_WORDS = re.compile(r"(?P<count>\d{1,6})(?: +every +(?P<pace>\d+(?:\.\d+)?))?$")
_FAIL = re.compile(r"(?P<kind>[a-z_]+)(?: +(?P<times>\d{1,4}) +times?)?$")
_NUMBER = re.compile(r"\d+(?:\.\d+)?$")
_CALL = re.compile(r"(?P<tool>[\w-]+)(?: +(?P<args>\{.*\}))?$")

_DIFF = "git{} add --intent-to-add . && git{} --no-pager diff"


def parse(text: str) -> Script:
    """Return the script in a message; without steps if there is none."""
    lines = text.splitlines()
    steps: list[tuple[Instruction, ...]] = []
    at = 0
    while at < len(lines):
        found = _LINE.match(lines[at].strip())
        at += 1
        if found is None:
            continue
        rest = found["rest"] or ""
        if found["verb"] == "write":
            made, at = _write(rest, lines, at)
        else:
            made = _read_instruction(found["verb"], rest)
        if made is None:
            continue
        if found["also"] and steps and isinstance(made, Use) and isinstance(steps[-1][-1], Use):
            steps[-1] = (*steps[-1], made)
        else:
            steps.append((made,))
    return Script(tuple(steps))


def _read_instruction(verb: str, rest: str) -> Instruction | None:
    read = _VERBS.get(verb)
    return read(rest.strip()) if read else None


def _write(rest: str, lines: list[str], at: int) -> tuple[Instruction | None, int]:
    """Return the writing of a file, and where the message goes on after its lines."""
    path, _, text = rest.strip().partition(" ")
    if not path:
        return None, at
    if text:
        return Use("write_file", {"path": path, "content": text + "\n"}), at
    if at < len(lines) and (fence := _FENCE.match(lines[at])):
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[0]), None)
        body = lines[at + 1 : end]
        at = len(lines) if end is None else end + 1
    else:
        begin = at
        while at < len(lines) and (lines[at].startswith(("    ", "\t")) or not lines[at].strip()):
            at += 1
        body = [line[1:] if line.startswith("\t") else line[4:] for line in lines[begin:at]]
        while body and not body[-1]:
            body.pop()
    return Use("write_file", {"path": path, "content": "".join(f"{line}\n" for line in body)}), at


def _run(rest: str) -> Instruction | None:
    return Use("execute", {"command": rest}) if rest else None


def _read(rest: str) -> Instruction | None:
    # "read the docs" is prose; a path has no space in it here.
    return Use("read_file", {"path": rest}) if rest and " " not in rest else None


def _edit(rest: str) -> Instruction | None:
    path, _, change = rest.partition(" ")
    old, arrow, new = change.partition(" => ")
    if not arrow:
        return None
    edits: list[Json] = [{"old_text": old, "new_text": new}]
    return Use("edit_files", {"files": [{"path": path, "edits": edits}]})


def _diff(rest: str) -> Instruction | None:
    if " " in rest:
        return None
    home = rest if rest == "~" else "~/" * rest.startswith("~/")  # The shell's, so not quoted.
    under = rest.removeprefix(home)
    where = f" -C {home}" + (f"'{under}'" if under else "") if rest and "'" not in rest else ""
    return Use("execute", {"command": _DIFF.format(where, where)})


def _create(rest: str) -> Instruction | None:
    found = _CREATE.match(rest)
    return Create(found["template"] or "", found["name"] or "") if found else None


def _on_workspace(tool: str) -> Callable[[str], Instruction | None]:
    return lambda rest: Use(tool) if rest == "workspace" else None


def _spawn(kind: str) -> Callable[[str], Instruction | None]:
    return lambda rest: Use("spawn_agent", {"type": kind, "prompt": rest}) if rest else None


def _wait(rest: str) -> Instruction | None:
    if rest and not _NUMBER.match(rest):
        return None
    return Use("wait_agent", {"timeout_seconds": int(float(rest or 300))}, child=True)


def _call(rest: str) -> Instruction | None:
    found = _CALL.match(rest)
    if found is None:
        return None
    import json

    try:
        args = json.loads(found["args"] or "{}")
    except ValueError:
        return None
    return Use(found["tool"], args)


def _say(rest: str) -> Instruction | None:
    return Say(rest) if rest else None


def _think(rest: str) -> Instruction | None:
    return Think(rest) if rest else None


def _words(rest: str) -> Instruction | None:
    found = _WORDS.match(rest)
    if found is None:
        return None
    spoken = " ".join(f"word{number}" for number in range(1, int(found["count"]) + 1))
    return Say(spoken, float(found["pace"] or 0))


def _sleep(rest: str) -> Instruction | None:
    return Pause(float(rest)) if _NUMBER.match(rest) else None


def _fail(rest: str) -> Instruction | None:
    found = _FAIL.match(rest)
    if found is None or found["kind"] not in set(ErrorKind):
        return None
    return Fail(ErrorKind(found["kind"]), int(found["times"] or 0))


_VERBS: Mapping[str, Callable[[str], Instruction | None]] = {
    "$": _run,
    "read": _read,
    "edit": _edit,
    "diff": _diff,
    "create": _create,
    "start": _on_workspace("start_workspace"),
    "stop": _on_workspace("stop_workspace"),
    "spawn": _spawn("general"),
    "explore": _spawn("explore"),
    "wait": _wait,
    "call": _call,
    "say": _say,
    "think": _think,
    "words": _words,
    "sleep": _sleep,
    "fail": _fail,
}
