"""Terraform's machine-readable output becomes log lines, diagnostics and timings."""

import json
from typing import Any

import pytest

from server.terraform.events import Listener, Step
from server.terraform.model import LogLevel


def heard(
    *events: dict[str, Any] | str, step: Step = "apply"
) -> tuple[Listener, list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []

    def say(level: LogLevel, text: str) -> None:
        said.append((level, text))

    listener = Listener(step, say)
    for event in events:
        listener.line(event if isinstance(event, str) else json.dumps(event))
    return listener, said


def hook(kind: str, second: int, action: str = "create", **more: Any) -> dict[str, Any]:
    resource = {"addr": "docker_image.x", "implied_provider": "docker"}
    return {
        "@level": "info",
        "@message": kind,
        "@timestamp": f"2026-11-21T10:00:{second:02}.5Z",
        "type": kind,
        "hook": {"resource": resource, "action": action, **more},
    }


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        ("trace", []),
        ("debug", [("debug", "hello")]),
        ("info", [("info", "hello")]),
        ("warn", [("warn", "hello")]),
        ("error", [("error", "hello")]),
    ],
)
def test_levels(level: str, logged: list[tuple[str, str]]) -> None:
    assert heard({"@level": level, "@message": "hello", "type": "log"})[1] == logged


def test_text_that_is_not_json_is_passed_on() -> None:
    assert heard("panic: oh", "", "{broken")[1] == [("info", "panic: oh"), ("info", "{broken")]


def drift(provider: str) -> dict[str, Any]:
    return {
        "@level": "info",
        "@message": "Drift detected",
        "type": "resource_drift",
        "change": {"resource": {"implied_provider": provider}},
    }


def test_drift_of_real_things_is_told() -> None:
    assert heard(drift("docker"))[1] == [("info", "Drift detected")]


def test_what_nobody_wants_to_read() -> None:
    assert (
        heard(
            {"@level": "info", "@message": "x: Plan to create", "type": "planned_change"},
            {"@level": "info", "@message": "Outputs: 1", "type": "outputs"},
            drift("coder"),
            {
                "@level": "info",
                "@message": "x (local-exec): Executing: Suppressed by quiet=true",
                "type": "provision_progress",
            },
        )[1]
        == []
    )


def test_a_diagnostic_names_file_line_source_and_block() -> None:
    listener, said = heard(
        {
            "@level": "error",
            "@message": "Error: Unsupported argument",
            "type": "diagnostic",
            "diagnostic": {
                "severity": "error",
                "summary": "Unsupported argument",
                "detail": 'An argument named "foo" is not expected here.',
                "range": {"filename": "main.tf", "start": {"line": 12, "column": 3}},
                "snippet": {"context": 'resource "coder_agent" "main"', "code": "  foo = bar"},
            },
        }
    )
    (error,) = listener.errors
    assert error.sentence == (
        'main.tf:12, in resource "coder_agent" "main": Unsupported argument\n'
        "  12: foo = bar\n"
        'An argument named "foo" is not expected here.'
    )
    assert [level for level, _ in said] == ["error"] * 3
    assert said[0][1].startswith("Error: main.tf:12")


def test_a_diagnostic_without_a_place() -> None:
    listener, said = heard(
        {
            "type": "diagnostic",
            "diagnostic": {"severity": "warning", "summary": "Old", "address": "a.b"},
        }
    )
    assert listener.errors == ()
    assert said == [("warn", "Warning: a.b: Old")]


def test_timings_of_resources_and_their_provisioners() -> None:
    listener, _ = heard(
        hook("apply_start", 1),
        hook("provision_start", 2, "", provisioner="local-exec"),
        hook("provision_complete", 3, "", provisioner="local-exec"),
        hook("apply_errored", 4),
        hook("refresh_start", 5),
        hook("refresh_complete", 6),
        hook("apply_complete", 7, "delete"),
    )
    assert [(t.action, (t.ended_at - t.started_at).seconds) for t in listener.timings] == [
        ("provision local-exec", 1),
        ("create", 3),
        ("read", 1),
    ]
    assert {(t.source, t.stage, t.resource) for t in listener.timings} == {
        ("docker", "apply", "docker_image.x")
    }


def test_what_an_expression_was_made_of_is_told_but_for_secrets() -> None:
    values = [
        {"traversal": "var.size", "statement": "is 30"},
        {"traversal": "data.coder_workspace_owner.me.session_token", "statement": 'is "hunter2"'},
        {"traversal": "var.hidden", "statement": "has a sensitive value"},
    ]
    snippet = {"code": "  condition = a\n  && b", "start_line": 7, "values": values}
    place = {"filename": "main.tf", "start": {"line": 8}}
    listener, _ = heard(
        {
            "type": "diagnostic",
            "diagnostic": {
                "severity": "error",
                "summary": "No",
                "range": place,
                "snippet": snippet,
            },
        }
    )
    assert listener.errors[0].sentence == (
        "main.tf:8: No\n  7: condition = a\n  8: && b\n  where var.size is 30\n"
        "  where data.coder_workspace_owner.me.session_token is a secret\n"
        "  where var.hidden has a sensitive value"
    )


def summary(operation: str) -> dict[str, Any]:
    return {"@level": "info", "type": "change_summary", "changes": {"operation": operation}}


@pytest.mark.parametrize(
    ("events", "turned"),
    [
        ([summary("plan")], False),
        ([hook("apply_start", 1, "read"), summary("plan")], False),
        ([summary("plan"), {"type": "diagnostic", "diagnostic": {"severity": "error"}}], False),
        ([summary("plan"), hook("apply_start", 1)], True),
        ([summary("plan"), summary("apply")], True),
    ],
)
def test_a_plan_turns_into_an_apply_with_the_first_thing_done(
    events: list[dict[str, Any]], turned: bool
) -> None:
    turns: list[None] = []

    def say(level: LogLevel, text: str) -> None: ...

    listener = Listener("plan", say, planned=lambda: turns.append(None))
    for event in events:
        listener.line(json.dumps(event))
    assert turns == [None] * turned


def test_a_state_that_could_not_be_written_is_kept_and_not_said() -> None:
    advice = {"severity": "error", "summary": "Failed to persist state to backend"}
    other = {"severity": "error", "summary": "Disk on fire"}
    dump = {
        "@level": "info",
        "@message": "Emergency state dump",
        "type": "log",
        "state": {"a": "s"},
    }
    listener, said = heard(
        dump,
        {"type": "diagnostic", "diagnostic": advice},
        {"type": "diagnostic", "diagnostic": other},
    )
    assert listener.dumped == {"a": "s"}
    assert said == [("error", "Error: Disk on fire")]
