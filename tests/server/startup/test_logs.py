"""The log: levels, filters, shapes, and no secret in any of them."""

import io
import json
import logging
import re
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

from server.kit import logs
from server.settings import Given, SettingsError, load


@pytest.fixture(autouse=True)
def restored() -> Generator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_people_get_a_line_and_machines_an_object() -> None:
    people, machines, google = io.StringIO(), io.StringIO(), io.StringIO()
    logs.install([(logs.human, people), (logs.as_json, machines), (logs.stackdriver, google)])
    structlog.get_logger().warning("job lost", job="a b", attempt=2)
    assert re.fullmatch(
        r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[warning\]  job lost  job="a b" attempt=2\n',
        people.getvalue(),
    )
    event = json.loads(machines.getvalue())
    assert event["event"] == "job lost"
    assert event["level"] == "warning"
    assert event["attempt"] == 2
    assert json.loads(google.getvalue())["severity"] == "WARNING"


def test_a_refused_websocket_is_no_error() -> None:
    people = io.StringIO()
    logs.install([(logs.human, people)])
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.error("ASGI callable returned without completing handshake.")
    assert people.getvalue() == ""
    uvicorn.error("Exception in ASGI application")
    assert "Exception in ASGI application" in people.getvalue()


def test_a_crash_shows_its_traceback() -> None:
    people = io.StringIO()
    logs.install([(logs.human, people)])
    try:
        int("x")
    except ValueError:
        structlog.get_logger().exception("crashed")
    assert "Traceback (most recent call last)" in people.getvalue()


@pytest.mark.parametrize(
    ("level", "debug", "written"),
    [("info", [], False), ("debug", [], True), ("info", ["req.*"], True), ("info", ["x"], False)],
)
def test_debug_messages_are_written_when_asked_for(
    level: str, debug: list[str], written: bool
) -> None:
    people = io.StringIO()
    logs.install([(logs.human, people)], level=level, debug=[re.compile(one) for one in debug])
    structlog.get_logger().debug("request", path="/")
    assert ("request" in people.getvalue()) is written


def test_libraries_speak_to_the_same_log() -> None:
    people = io.StringIO()
    logs.install([(logs.human, people)])
    logging.getLogger("uvicorn.error").warning("odd %s", "thing")
    logging.getLogger("uvicorn.error").info("chatter")
    assert "odd thing  logger=uvicorn.error" in people.getvalue()
    assert "chatter" not in people.getvalue()


TOKEN = "abcdefghij-ABCDEFGHIJKLMNOPQRSTUV"


@pytest.mark.parametrize(
    "fields",
    [
        {"session_token": "hush"},
        {"password": "hush"},
        {"inner": {"secret": "hush"}},
        {"path": "/api/v2/x?coder_session_token=hush&a=1"},
        {"url": "postgresql://coder:hush@/coder"},
        {"words": ["password=hush"]},
        {"header": f"got {TOKEN}"},
    ],
)
def test_secrets_are_struck_out(fields: dict[str, object]) -> None:
    streams = [io.StringIO() for _ in range(3)]
    renders = (logs.human, logs.as_json, logs.stackdriver)
    logs.install(list(zip(renders, streams, strict=True)))
    structlog.get_logger().info("asked", **fields)
    for stream in streams:
        assert "***" in stream.getvalue()
        assert "hush" not in stream.getvalue()
        assert TOKEN not in stream.getvalue()


def test_files_are_named_by_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    flags = {"log-human": [""], "log-json": [str(path)]}
    logs.configure(load(Given(flags=flags)), worker=3)
    structlog.get_logger().info("up")
    assert json.loads(path.read_text())["worker"] == 3


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"log-json": ["/nowhere/at/all"]}, "--log-json: /nowhere/at/all cannot be written"),
        ({"log-filter": ["("]}, "--log-filter: not a regular expression"),
    ],
)
def test_a_log_that_cannot_be_is_one_sentence(flags: dict[str, list[str]], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        logs.configure(load(Given(flags=flags)))


def test_a_closed_terminal_does_not_stop_work() -> None:
    people = io.StringIO()
    people.close()
    logs.install([(logs.human, people)])
    structlog.get_logger().info("still here")
