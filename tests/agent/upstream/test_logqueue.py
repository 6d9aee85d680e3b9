"""Log lines on their way: in order, bounded, with honest losses."""

from datetime import UTC, datetime
from uuid import UUID

from agent.upstream.logqueue import LIMIT, OVERHEAD, LogQueue, cost
from coder_cli.sdk.agentapi import LogLine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)


def _line(text: str) -> LogLine:
    return LogLine(NOW, text)


def _texts(queue: LogQueue) -> list[tuple[UUID, list[str]]]:
    return [(each.log_source_id, [line.output for line in each.logs]) for each in queue.batches()]


def test_a_batch_holds_the_lines_of_one_source_in_order() -> None:
    queue = LogQueue()
    for source, text in ((ONE, "a"), (TWO, "x"), (ONE, "b")):
        assert queue.add(source, _line(text))
    assert _texts(queue) == [(ONE, ["a", "b"]), (TWO, ["x"])]


def test_what_was_sent_is_forgotten_and_what_came_meanwhile_is_not() -> None:
    queue = LogQueue()
    queue.add(ONE, _line("a"))
    (batch,) = queue.batches()
    queue.add(ONE, _line("b"))
    queue.sent(batch)
    assert _texts(queue) == [(ONE, ["b"])]
    assert queue.size == cost(_line("b"))
    queue.sent(queue.batches()[0])
    assert (queue.batches(), queue.size) == ([], 0)


def test_a_line_costs_its_bytes_and_an_overhead() -> None:
    assert cost(_line("é")) == 2 + OVERHEAD


def test_the_queue_is_bounded_and_its_losses_are_told_once() -> None:
    queue = LogQueue(limit=100)
    accepted = [queue.add(ONE, _line("x" * 19)) for _ in range(5)]
    assert accepted == [True, True, False, False, False]
    assert queue.losses() == [(ONE, 3)]
    assert queue.losses() == []
    queue.add(TWO, _line("x" * 19))
    assert queue.losses() == [(TWO, 1)]


def test_the_limit_is_a_mebibyte() -> None:
    queue = LogQueue()
    size = 64 * 1024 - OVERHEAD
    assert sum(queue.add(ONE, _line("x" * size)) for _ in range(17)) == LIMIT // (64 * 1024)


def test_a_source_at_the_servers_limit_is_silent_from_then_on() -> None:
    queue = LogQueue()
    for text in ("a", "b"):
        queue.add(ONE, _line(text))
    queue.refuse(ONE)
    assert not queue.add(ONE, _line("c"))
    assert queue.add(TWO, _line("x"))
    assert _texts(queue) == [(TWO, ["x"])]
    assert queue.size == cost(_line("x"))
    assert queue.losses() == []
