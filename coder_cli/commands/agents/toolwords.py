"""Tools in one line: what a model asks for, and what came of it, for a person who looks on."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

WIDTH = 120
"""Characters of a line that says what a tool is given."""
LINES = 8
"""Lines shown of what a command printed or a file's change."""

Json = Mapping[str, Any]

WANTS_INPUT = frozenset({"ask_user_question", "propose_plan"})
"""Tools after which a chat waits for a person."""


def asked(name: str, args: object) -> str:
    """Return what a call asks for, in one line."""
    said = _fields(args)
    read = _ASKED.get(name)
    words = read(said) if read and said is not None else _compact(args)
    return _cut(f"{name}  {words}".rstrip())


def came(name: str, result: object) -> tuple[str, list[str]]:
    """Return what came of a call that went well: a few words, and lines worth showing."""
    told = _fields(result)
    read = _CAME.get(name)
    return read(told) if read and told is not None else ("", [])


def failed(result: object) -> str:
    """Return why a call did not go well, in one line."""
    told = _fields(result)
    words = result if told is None else told.get("error") or told.get("message") or _compact(told)
    return _cut(words if isinstance(words, str) else _compact(words))


def questions(args: object) -> list[str]:
    """Return the lines that put a model's questions to a person."""
    said = _fields(args) or {}
    lines: list[str] = []
    for asked_for in _listed(said.get("questions")):
        header, question = asked_for.get("header", ""), asked_for.get("question", "")
        lines.append(f"{header}: {question}" if header else str(question))
        for number, option in enumerate(_listed(asked_for.get("options")), 1):
            about = option.get("description", "")
            label = f"  {number}. {option.get('label', '')}"
            lines.append(f"{label}: {about}" if about else label)
    return lines


def _execute(result: Json) -> tuple[str, list[str]]:
    code, process = result.get("exit_code"), result.get("background_process_id")
    words = [f"runs on as process {process}"] if process else [f"exit {code}"]
    error = str(result.get("error") or "")
    if error and "exited with code" not in error:
        words.append(error)
    return ", ".join(words), _first(str(result.get("output") or ""))


def _edited(result: Json) -> tuple[str, list[str]]:
    diffs = "\n".join(str(one.get("diff", "")) for one in _listed(result.get("files")))
    return "", _first(diffs)


def _read(result: Json) -> tuple[str, list[str]]:
    lines = result.get("lines_read")
    return (f"{lines} lines" if lines is not None else ""), []


def _workspace(result: Json) -> tuple[str, list[str]]:
    name, state = result.get("workspace_name", ""), result.get("status") or result.get("message")
    return (f"{name} ({state})" if state else str(name)), []


def _child(result: Json) -> tuple[str, list[str]]:
    title, status = result.get("title", ""), result.get("status", "")
    if result.get("timed_out"):
        status = "still at work"
    return f"{title} ({status})" if title else str(status), []


def _field(*names: str) -> Callable[[Json], str]:
    def read(args: Json) -> str:
        return next((str(args[name]) for name in names if args.get(name)), "")

    return read


def _paths(args: Json) -> str:
    return " ".join(str(one.get("path", "")) for one in _listed(args.get("files")))


_ASKED: dict[str, Callable[[Json], str]] = {
    "execute": _field("command"),
    "read_file": _field("path"),
    "write_file": _field("path"),
    "edit_files": _paths,
    "process_output": _field("process_id"),
    "process_signal": _field("process_id"),
    "process_list": lambda _: "",
    "list_templates": _field("query"),
    "read_template": _field("template_id"),
    "create_workspace": _field("name", "template_id"),
    "spawn_agent": _field("title", "prompt"),
    "wait_agent": _field("chat_id"),
    "message_agent": _field("message", "chat_id"),
    "propose_plan": _field("path"),
    "ask_user_question": lambda _: "",
    "attach_file": _field("path"),
    "read_skill": _field("name"),
    "web_search": _field("query"),
}
_CAME: dict[str, Callable[[Json], tuple[str, list[str]]]] = {
    "execute": _execute,
    "process_output": _execute,
    "edit_files": _edited,
    "read_file": _read,
    "create_workspace": _workspace,
    "start_workspace": _workspace,
    "stop_workspace": _workspace,
    "spawn_agent": _child,
    "wait_agent": _child,
}


def _fields(value: object) -> Json | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return cast("Json", value) if isinstance(value, dict) else None


def _listed(value: object) -> list[Json]:
    rows = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Json", row) for row in rows if isinstance(row, dict)]


def _first(text: str) -> list[str]:
    lines = text.rstrip().splitlines()
    if len(lines) <= LINES + 1:
        return lines
    return [*lines[:LINES], f"… {len(lines) - LINES} more lines"]


def _compact(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value in (None, {}) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    first, _, rest = text.strip().partition("\n")
    return f"{first[:WIDTH]} …" if rest or len(first) > WIDTH else first
