"""How much of a log is kept, and what is said about the rest."""

from datetime import UTC, datetime

from server.provisioning.model import LOG_LIMIT, Line, fit, left_out
from server.provisioning.model.logs import FULL


def line(output: str) -> Line:
    return Line(datetime(2026, 1, 1, tzinfo=UTC), "provisioner", "info", "stage", output)


def test_lines_that_fit_are_all_kept() -> None:
    fitted = fit([line("a"), line("é")], 10)
    assert (len(fitted.lines), fitted.length, fitted.overflowed) == (2, 15, False)


def test_the_first_line_over_the_limit_ends_the_log_and_says_so() -> None:
    fitted = fit([line("x" * 10), line("y" * 20), line("z")], LOG_LIMIT - 16)
    assert [kept.output for kept in fitted.lines] == ["x" * 10, FULL]
    assert (fitted.length, fitted.overflowed) == (LOG_LIMIT - 5, True)
    assert (fitted.cut_lines, fitted.cut_bytes) == (2, 23)


def test_a_full_log_stays_full_without_saying_so_again() -> None:
    fitted = fit([line("a")], LOG_LIMIT, overflowed=True)
    assert fitted.lines == ()
    assert left_out(fitted.cut_lines, fitted.cut_bytes) == (
        "[1 lines (2 bytes) were left out of this log.]"
    )
