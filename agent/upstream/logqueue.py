"""Log lines on their way to the server: bounded, in order per source, losses counted. Pure."""

from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from coder_cli.sdk.agentapi import LogLine, Logs

LIMIT = 1024 * 1024
"""What the queue holds, and what one batch holds, in bytes."""
OVERHEAD = 21
"""What a line costs beside its text."""


def cost(line: LogLine) -> int:
    """Return the bytes that ``line`` takes of the limit."""
    return len(line.output.encode(errors="replace")) + OVERHEAD


@dataclass(slots=True)
class _Source:
    lines: deque[LogLine] = field(default_factory=deque[LogLine])
    dropped: int = 0
    told: int = 0
    refused: bool = False


class LogQueue:
    """Lines by source. ``batches`` shows the next ones, ``sent`` forgets them."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._sources: dict[UUID, _Source] = {}
        self.size = 0

    def add(self, source_id: UUID, line: LogLine) -> bool:
        """Queue ``line``; return False if it was dropped: no room, or the server wants no more."""
        source = self._sources.setdefault(source_id, _Source())
        size = cost(line)
        if source.refused or self.size + size > self._limit:
            source.dropped += 1
            return False
        source.lines.append(line)
        self.size += size
        return True

    def batches(self) -> list[Logs]:
        """Return what to send next: of each source the lines that fit one batch."""
        return [
            Logs(source_id, tuple(self._fitting(source)))
            for source_id, source in self._sources.items()
            if source.lines
        ]

    def sent(self, batch: Logs) -> None:
        """Forget the lines of ``batch``."""
        source = self._sources[batch.log_source_id]
        for _ in batch.logs:
            self.size -= cost(source.lines.popleft())

    def losses(self) -> list[tuple[UUID, int]]:
        """Return how many lines of which source were lost since the last time."""
        news: list[tuple[UUID, int]] = []
        for source_id, source in self._sources.items():
            if source.dropped > source.told and not source.refused:
                news.append((source_id, source.dropped - source.told))
                source.told = source.dropped
        return news

    def refuse(self, source_id: UUID) -> None:
        """Drop what waits of a source, and all that will come: the server's limit is reached."""
        source = self._sources[source_id]
        source.refused = True
        source.dropped += len(source.lines)
        self.size -= sum(cost(line) for line in source.lines)
        source.lines.clear()

    def _fitting(self, source: _Source) -> list[LogLine]:
        lines: list[LogLine] = []
        size = 0
        for line in source.lines:
            size += cost(line)
            if lines and size > self._limit:
                break
            lines.append(line)
        return lines
