"""Lists: as a table for people, as JSON for programs."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from coder_cli.kit.refused import Refused
from coder_cli.ui.printer import note, result, result_json

if TYPE_CHECKING:
    from pydantic import BaseModel

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its name as ``-c`` takes it, and how to read it off a row."""

    name: str
    read: Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """What a list command can show."""

    columns: Sequence[Column[Row]]
    default: Sequence[str]
    empty: str = ""
    """Said on stderr in place of an empty table."""

    def names(self) -> str:
        """Return the columns' names as a help text lists them."""
        return ", ".join(column.name for column in self.columns)

    def show(
        self,
        rows: Sequence[Row],
        *,
        output: str,
        columns: str = "",
        shapes: "Sequence[BaseModel] | None" = None,
    ) -> None:
        """Print ``rows``.

        Args:
            rows: What a table shows.
            output: ``table`` or ``json``.
            columns: Comma-separated names; empty for the default ones.
            shapes: What JSON shows, where that is not the rows themselves.
        """
        chosen = self._choose(columns)
        if check_output(output, "table", "json") == "json":
            result_json(rows if shapes is None else shapes)
        elif not rows and self.empty:
            note(self.empty)
        else:
            show_table(
                [column.name.upper() for column in chosen],
                [[column.read(row) for column in chosen] for row in rows],
            )

    def _choose(self, columns: str) -> list[Column[Row]]:
        known = {column.name: column for column in self.columns}
        wanted = [name.strip().lower() for name in columns.split(",") if name.strip()]
        for name in wanted:
            if name not in known:
                raise Refused(f"There is no column {name!r}. Choose from: {', '.join(known)}.")
        return [known[name] for name in wanted or self.default]


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a header, aligned by spaces; cells are cut at a terminal's edge only."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in header:
        table.add_column(Text(name), no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout, width=None if terminal else 10_000, highlight=False, soft_wrap=False
    )
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        result(line.rstrip())


def check_output(output: str, *allowed: str) -> str:
    """Return ``output`` if a command can print that.

    Raises:
        Refused: it cannot.
    """
    if output not in allowed:
        raise Refused(
            f"--output {output!r} is not possible here. Choose from: {', '.join(allowed)}."
        )
    return output
