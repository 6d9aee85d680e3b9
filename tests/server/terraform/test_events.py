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
