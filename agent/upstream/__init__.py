"""Upstream: the line to the server, and everything that is reported over it. See README.md."""

from agent.upstream.lifecycle import Life
from agent.upstream.line import CallFailed, Line, LineDown
from agent.upstream.logsender import LogSender
from agent.upstream.outbox import Outbox
from agent.upstream.reinit import NOBODY, until_claimed
from agent.upstream.streams import Streams

__all__ = [
    "NOBODY",
    "CallFailed",
    "Life",
    "Line",
    "LineDown",
    "LogSender",
    "Outbox",
    "Streams",
    "until_claimed",
]
