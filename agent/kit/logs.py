"""The agent's own log: a rotating file in the log directory, and a stream beside it."""

import json
import logging
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from typing_extensions import override

FILE_NAME = "coder-agent.log"
FILE_SIZE = 5 * 1024 * 1024
FILE_COUNT = 10


class _Human(logging.Formatter):
    """``2026-11-21T12:00:00.123Z [info] agent.upstream: connected``."""

    converter = time.gmtime

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", self.converter(record.created))
        return f"{stamp}.{int(record.msecs):03d}Z"

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        level = record.levelname.lower()
        return f"{self.formatTime(record)} [{level}] {record.name}: {record.message}"


class _Json(_Human):
    """One object per line."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up(log_dir: Path, *, human: str, json_lines: str) -> None:
    """Send the log to a file in ``log_dir``, and to the sinks ``human`` and ``json_lines``.

    A sink is a path; empty means none, ``/dev/stderr`` the standard error stream. A log file that
    cannot be opened is a warning: no agent may fail to start for want of its log.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for name in ("asyncssh", "websockets", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if human:
        root.addHandler(_sink(human, _Human()))
    if json_lines:
        root.addHandler(_sink(json_lines, _Json()))
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        path = log_dir / FILE_NAME
        file = RotatingFileHandler(path, maxBytes=FILE_SIZE, backupCount=FILE_COUNT)
    except OSError as error:
        logging.getLogger("agent").warning("no log file in %s: %s", log_dir, error.strerror)
        return
    file.setFormatter(_Human())
    root.addHandler(file)


def _sink(path: str, formatter: logging.Formatter) -> logging.Handler:
    handler: logging.Handler
    if path == "/dev/stderr":
        handler = logging.StreamHandler(sys.stderr)
    elif path == "/dev/stdout":
        handler = logging.StreamHandler(sys.stdout)
    else:
        handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(formatter)
    return handler
