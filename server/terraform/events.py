"""Terraform's machine-readable output: log lines, diagnostics and timings. Pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from server.terraform.model import Diagnostic, LogLevel, Timing
from server.terraform.variables import VALUES_FILE

Object = dict[str, Any]
Step = Literal["init", "plan", "graph", "apply"]

_LEVELS: dict[str, LogLevel] = {
    "debug": "debug",
    "info": "info",
    "warn": "warn",
    "error": "error",
}
_COMFORT = ("Terraform encountered problems during init", "OpenTofu encountered problems during")
_BEGINS = {"refresh_start", "apply_start", "provision_start"}
_SECRET_WORDS = ("token", "secret", "password", "private_key", "credential")
_DOES = {"apply_start", "provision_start", "change_summary"}
_ENDS = {
    "refresh_complete",
    "apply_complete",
    "apply_errored",
    "provision_complete",
    "provision_errored",
}


@dataclass(slots=True)
class Listener:
    """Take the lines of one terraform command: pass them on, and remember what matters."""

    step: Step
    say: Callable[[LogLevel, str], None]
    complete: Callable[[Diagnostic], Diagnostic] = field(default=lambda found: found)
    """Adds the place to a complaint that names none."""
    planned: Callable[[], None] = field(default=lambda: None)
    """Called when the plan is carried out from here on."""
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    timings: list[Timing] = field(default_factory=list[Timing])
    dumped: Object | None = field(default=None, repr=False)
    """The state, when terraform could write it nowhere but here."""
    _summed_up: bool = False
    _begun: dict[tuple[str, str], datetime] = field(default_factory=dict[tuple[str, str], datetime])

    def line(self, text: str) -> None:
        """Take one line of output."""
        event = _parse(text)
        if event is None:
            if text.strip():
                self.say("info", text.rstrip())
            return
        kind = str(event.get("type", ""))
        if kind == "diagnostic":
            self._diagnostic(cast("Object", event.get("diagnostic") or {}))
            return
        if "state" in event and isinstance(event["state"], dict):
            # It is full of secrets, and no line for a log.
            self.dumped = cast("Object", event["state"])
            return
        self._follow(kind, event)
        self._time(kind, event)
        level = _LEVELS.get(str(event.get("@level", "")))
        message = str(event.get("@message", "")).rstrip()
        if level is not None and message and not self._dull(kind, event):
            self.say(level, message)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics that made the command fail."""
        return tuple(d for d in self.diagnostics if d.severity == "error")

    def _follow(self, kind: str, event: Object) -> None:
        """Notice where a plan turns into an apply.

        A plan that fails tells what it would have done, too, before its complaints. So the summary
        of the plan is not the turn, but the first thing that is done after it.
        """
        changes = cast("Object", event.get("changes") or {})
        if kind == "change_summary" and changes.get("operation") == "plan":
            self._summed_up = True
        elif self._summed_up and kind in _DOES:
            self._summed_up = False
            self.planned()

    def _dull(self, kind: str, event: Object) -> bool:
        # An apply repeats its plan, and init has advice for people at a terminal.
        repeated = self.step == "apply" and kind == "planned_change"
        advice = event.get("message_code") == "output_init_success_cli_message"
        quiet = str(event.get("@message", "")).endswith("Suppressed by quiet=true")
        # The agent's token is new at every start. That is no drift that anybody should look at.
        change = cast("Object", event.get("change") or {})
        resource = cast("Object", change.get("resource") or {})
        ours = kind == "resource_drift" and resource.get("implied_provider") == "coder"
        return repeated or advice or quiet or ours or kind == "outputs"

    def _diagnostic(self, raw: Object) -> None:
        found = self.complete(diagnostic(raw))
        # An init that fails adds a paragraph of comfort, and sometimes says a thing twice.
        if found in self.diagnostics or found.summary.startswith(_COMFORT):
            return
        self.diagnostics.append(found)
        if self.dumped is not None and "state" in found.summary:
            return  # How to save it is advice for somebody at a terminal.
        level: LogLevel = "error" if found.severity == "error" else "warn"
        for text in f"{found.severity.capitalize()}: {found.sentence}".splitlines():
            self.say(level, text)

    def _time(self, kind: str, event: Object) -> None:
        if kind not in _BEGINS | _ENDS:
            return
        hook = cast("Object", event.get("hook") or {})
        address = str(cast("Object", hook.get("resource") or {}).get("addr", ""))
        action = _action(kind, hook)
        at = datetime.fromisoformat(str(event["@timestamp"]))
        if kind in _BEGINS:
            self._begun[address, action] = at
        elif begun := self._begun.pop((address, action), None):
            source = str(cast("Object", hook["resource"]).get("implied_provider", ""))
            self.timings.append(Timing(begun, at, self.step, source, action, address))


def _action(kind: str, hook: Object) -> str:
    if kind.startswith("refresh"):
        return "read"
    if kind.startswith("provision"):
        return f"provision {hook.get('provisioner', '')}".strip()
    return str(hook.get("action", ""))


def _parse(text: str) -> Object | None:
    if not text.startswith("{"):
        return None
    try:
        event: object = json.loads(text)
    except ValueError:
        return None
    return cast("Object", event) if isinstance(event, dict) else None


def _value(value: Object) -> str:
    name = str(value.get("traversal", ""))
    # Terraform knows what is marked as secret; not every provider marks it.
    secret = any(word in name.lower() for word in _SECRET_WORDS)
    return f"{name} {'is a secret' if secret else value.get('statement', '')}"


def _line(line: int, snippet: Object) -> int:
    """Return the line of a complaint; one about the end of a file is about its last lines."""
    first = int(snippet.get("start_line") or 0)
    last = first + str(snippet.get("code", "")).rstrip("\n").count("\n")
    return line if not first or first <= line <= last else first


def diagnostic(raw: Object) -> Diagnostic:
    """Return a diagnostic of terraform's JSON."""
    place = cast("Object", raw.get("range") or {})
    snippet = cast("Object", raw.get("snippet") or {})
    start = cast("Object", place.get("start") or {})
    if place.get("filename") == VALUES_FILE:
        # Its lines are values, and some are secret; the name is all that may be said.
        name = str(snippet.get("code", "")).partition(":")[0].strip(' "')
        place, snippet, start = {}, {"context": f'variable "{name}"'}, {}
    return Diagnostic(
        severity="error" if raw.get("severity") == "error" else "warning",
        summary=str(raw.get("summary", "")),
        detail=str(raw.get("detail", "")),
        file=str(place.get("filename", "")),
        line=_line(int(start.get("line", 0)), snippet),
        source=str(snippet.get("code", "")),
        source_line=int(snippet.get("start_line") or 0),
        values=tuple(_value(value) for value in cast("list[Object]", snippet.get("values") or [])),
        block=str(snippet.get("context") or ""),
        resource=str(raw.get("address", "")),
    )
