"""Upstream: the line to the server, and everything that is reported over it. See README.md."""

from agent.upstream.lifecycle import Life
from agent.upstream.line import CallFailed, Line, LineDown
from agent.upstream.logsender import LogSender
from agent.upstream.outbox import Outbox
from agent.upstream.streams import Streams

__all__ = ["CallFailed", "Life", "Line", "LineDown", "LogSender", "Outbox", "Streams"]
