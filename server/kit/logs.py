"""The log: one stream of events, written as people, machines and Stackdriver read it.

Secrets do not get in: fields that are named like one, session tokens and passwords in URLs are
struck out before anything is written.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import structlog
from structlog.typing import EventDict, WrappedLogger
from typing_extensions import override

from server.settings import Settings, SettingsError

_STRUCK = "***"
_SECRET_NAMES = re.compile(r"(?i)(token|secret|password|passwd|cookie|authorization|api_key)$")
_SECRET_TEXT = (
    (re.compile(r"(?i)\b([a-z_]*(?:token|secret|password))=[^&\s\"']+"), rf"\1={_STRUCK}"),
    (re.compile(r"(\w+://[^:/@\s]+):[^@/\s]+@"), rf"\1:{_STRUCK}@"),
    (re.compile(r"\b[A-Za-z0-9]{10}-[A-Za-z0-9]{22}\b"), _STRUCK),
)
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_SEVERITIES = {"warning": "WARNING", "critical": "CRITICAL"}
_QUIET = ("uvicorn", "websockets", "asyncio", "httpx", "httpcore", "asyncssh", "psycopg", "hpack")
"""Libraries whose information is noise at our level; their warnings are not."""


class Stream(Protocol):
    """Somewhere to write lines."""

    def write(self, text: str, /) -> object:
        """Write ``text``."""
        ...

    def flush(self) -> object:
        """Hand on what was written."""
        ...


_REFUSED_HANDSHAKE = "ASGI callable returned without completing handshake."
"""What uvicorn takes for an error when a WebSocket is answered with 401, 403 or 404: anybody could
fill the log with it."""

Render = Callable[[Mapping[str, Any]], str]
Sink = tuple[Render, Stream]


def configure(settings: Settings, worker: int | None = None) -> None:
    """Send every event of this process where the settings say.

    Args:
        settings: the paths, the level and the filter.
        worker: this process's number among several; it stands in every line.

    Raises:
        SettingsError: a log file cannot be opened.
    """
    chosen = settings.logging
    sinks = [
        (render, _open(flag, path))
        for flag, path, render in (
            ("--log-human", chosen.human, human),
            ("--log-json", chosen.json, as_json),
            ("--log-stackdriver", chosen.stackdriver, stackdriver),
        )
        if path
    ]
    install(sinks, level="debug" if chosen.verbose else "info", debug=_patterns(chosen.filter))
    structlog.contextvars.clear_contextvars()
    if worker is not None:
        structlog.contextvars.bind_contextvars(worker=worker)


def install(
    sinks: Sequence[Sink], *, level: str = "info", debug: Sequence[re.Pattern[str]] = ()
) -> None:
    """Send every event of at least ``level`` to ``sinks``, and those that match ``debug``."""

    def choose(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
        wanted = _LEVELS.get(method, 20) >= _LEVELS[level]
        if not wanted and not any(one.search(str(event.get("event", ""))) for one in debug):
            raise structlog.DropEvent
        return event

    def write(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        for render, stream in sinks:
            try:
                stream.write(render(event) + "\n")
                stream.flush()
            except (OSError, ValueError):  # a closed terminal or a full disk must not stop work
                continue
        raise structlog.DropEvent

    structlog.configure(
        processors=[
            choose,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            strike,
            write,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0 if debug else _LEVELS[level]),
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(logging.DEBUG if level == "debug" else logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Forward(logging.Handler):
    """Hand what libraries say to the same log."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        write = structlog.get_logger()
        method = record.levelname.lower()
        if record.name == "uvicorn.error" and record.msg == _REFUSED_HANDSHAKE:
            method = "debug"
        say = getattr(write, method if method in _LEVELS else "info")
        say(record.getMessage(), logger=record.name, exc_info=record.exc_info)


def _patterns(words: Sequence[str]) -> list[re.Pattern[str]]:
    try:
        return [re.compile(word) for word in words]
    except re.error as refused:
        raise SettingsError(f"--log-filter: not a regular expression: {refused}.") from None


def _open(flag: str, path: str) -> Stream:
    match path:
        case "/dev/stderr":
            return sys.stderr
        case "/dev/stdout":
            return sys.stdout
        case _:
            try:
                return Path(path).expanduser().open("a", encoding="utf-8")
            except OSError as refused:
                raise SettingsError(
                    f"{flag}: {path} cannot be written: {refused.strerror}."
                ) from None


def strike(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Strike secrets out of an event."""
    for name, value in event.items():
        event[name] = _STRUCK if value and _SECRET_NAMES.search(name) else _without_secrets(value)
    return event


def _without_secrets(value: object) -> Any:
    match value:
        case str():
            for pattern, instead in _SECRET_TEXT:
                value = pattern.sub(instead, value)
            return value
        case dict():
            inner = dict(cast("MutableMapping[str, Any]", value))
            return strike(None, "", inner)
        case list() | tuple():
            return [_without_secrets(one) for one in cast("Sequence[object]", value)]
        case _:
            return value


def human(event: Mapping[str, Any]) -> str:
    """Return the line that people read: time, level, event, fields, and a traceback below."""
    fields = dict(event)
    when = str(fields.pop("timestamp", "")).replace("T", " ")[:23]
    level, name = fields.pop("level", "info"), fields.pop("event", "")
    trace = fields.pop("exception", "")
    words = [f"{key}={_quoted(value)}" for key, value in fields.items()]
    line = "  ".join([f"{when} [{level}]", str(name), *([" ".join(words)] if words else [])])
    return f"{line}\n{trace}" if trace else line


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    return json.dumps(text, ensure_ascii=False) if not text or re.search(r"[\s\"=]", text) else text


def as_json(event: Mapping[str, Any]) -> str:
    """Return the event as one JSON object."""
    return json.dumps(dict(event), default=str, ensure_ascii=False)


def stackdriver(event: Mapping[str, Any]) -> str:
    """Return the event as Google's Stackdriver reads it."""
    fields = dict(event)
    level = str(fields.pop("level", "info"))
    known = {
        "severity": _SEVERITIES.get(level, level.upper()),
        "message": fields.pop("event", ""),
        "timestamp": fields.pop("timestamp", ""),
    }
    return json.dumps({**known, **fields}, default=str, ensure_ascii=False)
