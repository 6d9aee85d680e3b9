"""What a client sees that comes back, as pyte sees it, is what it saw before, and goes on so."""

import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.pty.model import HISTORY, Model
from agent.pty.parser import Parser
from agent.pty.redraw import redraw
from tests.agent.pty.judge import Judge, differences
from tests.agent.pty.recording import Step, record

CUTS = 12


def returned(said: bytes, columns: int = 80, lines: int = 24) -> tuple[Parser, Judge]:
    """Return what follows ``said``, and what a client sees that only comes then."""
    parser = Parser(Model(columns, lines))
    for start in range(0, len(said), 611):
        parser.feed(said[start : start + 611])
    judge = Judge(columns, lines)
    judge.feed(redraw(parser.model) + parser.rest)
    return parser, judge


def assert_same(output: bytes, columns: int = 80, lines: int = 24) -> None:
    """Come back at many places of ``output``: the same before, and the same at the end."""
    for part in range(1, CUTS + 1):
        cut = len(output) * part // CUTS
        stayed, (_, came) = Judge(columns, lines), returned(output[:cut], columns, lines)
        stayed.feed(output[:cut])
        assert differences(stayed.state(), came.state()) == []
        stayed.feed(output[cut:])
        came.feed(output[cut:])
        assert differences(stayed.state(), came.state()) == []


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.py"
    rows = [f"def function_{n}(): return {n} * 'x' # {'日本' * (n % 3)}" for n in range(200)]
    path.write_text("\n".join(rows))
    return path


async def test_vim(text: Path) -> None:
    needs("vim")
    keys = (b"\x06", b":set number\r", b"Ohello\x1b", b":split\r", b"\x04\x04", b"/_99\r")
    said = [Step(each + b":echo 'do'.'ne%d'\r" % n, b"done%d" % n) for n, each in enumerate(keys)]
    steps = [Step(b"", b"function_20"), *said]
    output = await record(["vim", "-u", "NONE", "-N", str(text)], steps)
    assert b"\x1b[?1049h" in output
    assert_same(output)


async def test_vim_and_back_to_the_shell(text: Path) -> None:
    needs("vim")
    shell = f"echo before; vim -u NONE -N {text}; echo afterwards; exec sleep 60"
    steps = (Step(b"", b"function_20"), Step(b":q!\r", b"afterwards"))
    output = await record(["sh", "-c", shell], steps)
    assert_same(output)
    _, came = returned(output)
    assert came.text[:2] == ["before", "afterwards"]


async def test_htop() -> None:
    needs("htop")
    steps = (Step(b"", b"Quit"), Step(b"\x1bOB\x1bOB", b"\x1b["), Step(b"\x1b[15~", b"\x1b["))
    assert_same(await record(["htop", "-d", "100"], steps, (100, 30)), 100, 30)


async def test_top() -> None:
    needs("top")
    output = await record(["top", "-d", "0.2"], (Step(b"", b"PID"), Step(b"z", b"PID")))
    assert_same(output)


async def test_less(text: Path) -> None:
    needs("less")
    steps = (Step(b"", b"text.py"), Step(b" ", b"function_30"), Step(b"G", b"END"))
    assert_same(await record(["less", str(text)], steps))


SHELL: dict[str, str] = {
    "colors": "".join(f"\x1b[38;5;{n}m{n:4}" for n in range(256))
    + "".join(f"\x1b[{n}mx\x1b[{n + 10}my" for n in (*range(30, 38), *range(90, 98)))
    + "\x1b[0;1;3;4;7;9mall\x1b[22;24mless\x1b[38;2;1;2;3;48;2;9;8;7mtrue\x1b[39;49m\x1b[Kend",
    "wide": "日本語テスト äöü e\u0301 中文 x\r\n" * 30
    + "中" * 41 + "x\r" + "a" * 79 + "文" + "\x1b[3D!",
    "alternate": "first\r\nsecond\x1b[3;7H\x1b[?1049h\x1b[2J\x1b[5;5Hover\x1b[31m\x1b[10;10H\x1b7"
    "\x1b[1;1Hx\x1b8here\x1b[?1049lback",
    "cursor": "\x1b[12;40Hx\x1b7\x1b[1;1H\x1b[?25l\x1b[20;80Hz\x1b[?25h\x1b8y\x1b[24;80HlastX",
    "wrap pending": "x" * 80,
    "no wrap": "\x1b[?7l" + "0123456789" * 12 + "\x1b[?7hyes",
    "region": "".join(f"row {n}\r\n" for n in range(22))
    + "\x1b[5;10r\x1b[10;1H" + "".join(f"scrolled {n}\n\r" for n in range(9))
    + "\x1b[5;1H\x1bM\x1bMup\x1b[?6h\x1b[2;3Horigin\x1b[6;1H\x1b[2L\x1b[1M",
    "edit": "abcdefghij\x1b[1;3H\x1b[2@\x1b[4hin\x1b[4lx\x1b[3P\x1b[2Xy\x1b[1K\x1b[2;1Hnext\x1b[1J",
    "tabs": "\ta\tb\x1b[3g\x1b[1;5H\x1bH\x1b[1;30H\x1bH\r\tx\ty",
    "lines": "\x1b(0lqqk\r\nx  x\x1b(B\r\n\x0e\x1b)0mqqj\x0f plain \x0e",
    "modes": "\x1b[?1h\x1b[?2004h\x1b=\x1b[5 q\x1b]0;a title\x07prompt$ ",
    "paper": "\x1b[44m\x1b[2J\x1b[5;5Hblue\x1b[K\x1b[41m\x1b[3L\x1b[0m\x1b[24;1H\n\n",
    "aligned": "\x1b#8\x1b[5;5Hx",
}  # fmt: skip


@pytest.mark.parametrize("name", SHELL)
def test_sequences(name: str) -> None:
    assert_same(SHELL[name].encode())
    assert_same((SHELL[name] + "\x1b[m and on\r\n\ttext" * 3).encode())


def test_what_has_left_the_screen_is_given_back_too() -> None:
    output = "".join(f"\x1b[3{n % 8}mrow {n}\x1b[0m\r\n" for n in range(3000)).encode()
    parser, _ = returned(output)
    rows = [row.text for row in parser.model.history]
    assert len(rows) == HISTORY
    assert rows[-1] == "row 2976"
    given_back = redraw(parser.model).decode()
    assert "row 1977\x1b" in given_back
    assert given_back.count("row ") == HISTORY + 23


@pytest.mark.parametrize("end", ["", "\x1b[31mlast", "\x1b[?1049hother"])
@pytest.mark.parametrize("line", ["line", "\x1b[0;1mline", "\x1b[4mli\x1b[mne", "日本"])
def test_a_flood_is_followed_in_part_and_ends_the_same(line: str, end: str) -> None:
    flood = "".join(f"\x1b[4{n % 8}m{line} {n}\r\n" for n in range(5_500)) + end
    slow, quick = Parser(Model(80, 24)), Parser(Model(80, 24))
    data = flood.encode()
    for start in range(0, len(data), 1000):
        slow.feed(data[start : start + 1000])
    for start in range(0, len(data), 100_000):
        quick.feed(data[start : start + 100_000])
    assert redraw(slow.model) == redraw(quick.model)


PIECES: Sequence[str] = (
    *SHELL.values(),
    "\x1b[", "\x1b]0;", "\x07", "\x1b\\", "\x1bP", "\x1b", "[", ";", "?", "1", "9", "h", "m", "日",
    "\r\n", "\n", "\b", "\t", "text", "\x1b[?1049h", "\x1b[?47l", "\x1bc", "\x1b[!p", "\x1b[3J",
    "\x1b[99999999999;5H", "\x1b[38;5m", "\x1b[38:2::1:2:3m", "\x1b[4:3m", "\x1b[9999b", "\x1b[5S",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.lists(st.integers(0, 400), max_size=6))
def test_where_the_output_is_cut_changes_nothing(pieces: list[str], cuts: list[int]) -> None:
    data = "".join(pieces).encode()
    whole, parts = Parser(Model(20, 6)), Parser(Model(20, 6))
    whole.feed(data)
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for start, end in pairwise(places):
        parts.feed(data[start:end])
    assert redraw(whole.model) == redraw(parts.model)
    assert whole.rest == parts.rest


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_a_screen_drawn_anew_draws_itself_anew(pieces: list[str]) -> None:
    first, second = Parser(Model(20, 6)), Parser(Model(20, 6))
    first.feed("".join(pieces).encode())
    first.model.history.clear()
    drawn = redraw(first.model)
    second.feed(drawn)
    assert redraw(second.model) == drawn


@given(st.binary(max_size=600))
def test_no_bytes_break_the_model(data: bytes) -> None:
    parser = Parser(Model(10, 4))
    parser.feed(data)
    model = parser.model
    assert [len(line.text) for line in model.grid.lines] == [10] * 4
    assert [len(line.styles) for line in model.grid.lines] == [10] * 4
    assert 0 <= model.cursor.x <= 10
    assert 0 <= model.cursor.y < 4


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.integers(1, 30), st.integers(1, 12))
def test_any_size_is_fine(pieces: list[str], columns: int, rows: int) -> None:
    parser = Parser(Model(20, 6))
    data = "".join(pieces).encode()
    parser.feed(data)
    parser.model.resize(columns, rows)
    parser.feed(data)
    model = parser.model
    assert [len(line.text) for line in model.grid.lines] == [columns] * rows
    assert [len(line.text) for line in model.main.lines] == [columns] * rows
    assert model.cursor.y < rows
    redraw(model)
