"""The agent's own log."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.kit import logs


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger, given back as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield root
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def test_the_log_goes_to_a_file_and_to_each_sink(tmp_path: Path) -> None:
    human, lines = tmp_path / "human", tmp_path / "json"
    logs.set_up(tmp_path / "logs", human=str(human), json_lines=str(lines))
    logging.getLogger("agent.test").info("hello %d", 7)
    kept = (tmp_path / "logs" / "coder-agent.log").read_text()
    assert kept == human.read_text()
    assert kept.endswith("Z [info] agent.test: hello 7\n")
    assert json.loads(lines.read_text())["msg"] == "hello 7"


def test_errors_keep_their_traceback(tmp_path: Path) -> None:
    lines = tmp_path / "json"
    logs.set_up(tmp_path, human="", json_lines=str(lines))
    try:
        int("boom")
    except ValueError:
        logging.getLogger("agent.test").exception("failed")
    assert "boom" in json.loads(lines.read_text())["error"]
    assert "Traceback" in (tmp_path / "coder-agent.log").read_text()


def test_a_log_directory_that_cannot_be_used_does_not_stop_the_agent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    human = tmp_path / "human"
    logs.set_up(tmp_path / "file" / "logs", human=str(human), json_lines="")
    assert "no log file" in human.read_text()
