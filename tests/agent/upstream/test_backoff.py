"""The wait between attempts."""

from agent.upstream.backoff import Backoff


def test_the_wait_doubles_from_100_ms_to_10_s() -> None:
    backoff = Backoff()
    waits = [round(backoff.failed(luck=1.0), 3) for _ in range(9)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_chance_takes_up_to_half_of_it() -> None:
    assert [round(Backoff().failed(luck), 3) for luck in (0.0, 0.5, 1.0)] == [0.05, 0.075, 0.1]


def test_a_line_that_worked_begins_anew() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.failed(1.0)
    backoff.succeeded()
    assert backoff.failed(1.0) == 0.1


def test_after_a_refusal_nobody_hurries() -> None:
    backoff = Backoff()
    assert [backoff.refused(luck) for luck in (0.0, 1.0)] == [15.0, 30.0]
    assert backoff.failed(1.0) == 10.0
