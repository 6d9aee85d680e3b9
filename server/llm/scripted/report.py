"""The scripted model's own words: what came of the tools, who it is, titles and summaries."""

from collections.abc import Mapping, Sequence
from typing import cast

from server.llm.model import Request
from server.llm.parts import Json, Message, Role, Text, ToolCall, ToolResult
from server.llm.scripted.script import HELP

SHOWN = 4000
"""Characters of a tool's answer that are repeated in words."""

_STATUSES = ("created", "started", "stopped", "status", "workspace_name", "report", "error")


def introduction(request: Request) -> str:
    """Return the answer to a message without instructions."""
    tools = ", ".join(tool.name for tool in request.tools) or "none"
    return (
        "I am the scripted model: an offline stand-in, not a language model. "
        "I follow simple instructions, one on each line of your message:\n\n"
        f"```\n{HELP}\n```\n\n"
        "In your last message I found none of them. "
        "Without a workspace I make one first, if a tool needs it.\n\n"
        f"Tools that I have here: {tools}.\n"
    )


def closing(results: Sequence[ToolResult]) -> str:
    """Return what came of the tools that a script used."""
    return "\n\n".join(_told(result) for result in results)


def _told(result: ToolResult) -> str:
    value = result.result
    if result.is_error or not isinstance(value, dict):
        outcome = "failed" if result.is_error else "answered"
        return f"{result.name} {outcome}: {_cut(words_of(result))}"
    match value:
        case {"diff": str(diff)}:
            return f"{result.name}:\n\n{_fenced(diff)}"
        case {"files": [{"diff": str(diff)}, *_]}:
            return f"{result.name}:\n\n{_fenced(diff)}"
        case {"output": str(output)}:
            code = value.get("exit_code")
            told = f"{result.name} ended with exit code {code}."
            return f"{told}\n\n{_fenced(output)}" if output.strip() else told
        case {"content": str(content)}:
            return f"{result.name}:\n\n{_fenced(content)}"
        case _:
            return f"{result.name}: {_statuses(value)}"


def _statuses(value: Mapping[str, Json]) -> str:
    told = [f"{name} {value[name]}" for name in _STATUSES if value.get(name) is not None]
    return _cut(", ".join(told)) or "done."


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{_cut(text).rstrip()}\n{fence}"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text) - SHOWN} characters more)"


def words_of(result: ToolResult) -> str:
    """Return a result as words, whichever shape it has."""
    match result.result:
        case str() as text:
            return text
        case {"error": str(error)}:
            return error
        case other:
            return str(other)


def template_in(listed: ToolResult | None, wish: str) -> str:
    """Return the id of the template to use: the wished one, the recommended, or the first."""
    value = listed.result if listed is not None else None
    if not isinstance(value, dict) or not isinstance(value.get("templates"), list):
        return ""
    templates = [item for item in cast("list[Json]", value["templates"]) if isinstance(item, dict)]
    named = [
        str(item.get("id"))
        for item in templates
        if wish and wish in (item.get("name"), item.get("id"), item.get("display_name"))
    ]
    if wish:
        return named[0] if named else ""
    if value.get("recommended_template_id"):
        return str(value["recommended_template_id"])
    return str(templates[0].get("id", "")) if templates else ""


def summary(messages: Sequence[Message]) -> str:
    """Return a summary of a conversation; it names the calls that are done, by their ids."""
    asked = [
        " ".join(part.text.split())[:200]
        for message in messages
        if message.role is Role.USER
        for part in message.parts
        if isinstance(part, Text) and part.text.strip()
    ]
    calls = [
        part.id for message in messages for part in message.parts if isinstance(part, ToolCall)
    ]
    lines = ["Summary by the scripted model.", *(f"- asked: {text}" for text in asked[-20:])]
    if calls:
        lines.append(f"- done: {' '.join(dict.fromkeys(calls))}")
    return "\n".join(lines)


def fill(schema: Mapping[str, Json], messages: Sequence[Message]) -> Json:
    """Return JSON of a schema: the first words of the newest message wherever text is wanted."""
    said = [
        part.text
        for message in messages
        if message.role is Role.USER
        for part in message.parts
        if isinstance(part, Text) and part.text.strip()
    ]
    words = " ".join((said[-1] if said else "New chat").split()[:6])
    return _filled(schema, words)


def _filled(schema: Mapping[str, Json], words: str) -> Json:
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"type": "object"}:
            properties = cast("dict[str, dict[str, Json]]", schema.get("properties") or {})
            return {name: _filled(inner, words) for name, inner in properties.items()}
        case {"type": str(kind)} if kind in _EMPTY:
            return _EMPTY[kind]
        case _:
            return words


_EMPTY: Mapping[str, Json] = {
    "array": [],
    "integer": 0,
    "number": 0,
    "boolean": False,
    "null": None,
}
