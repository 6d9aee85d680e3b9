"""Every statement of every store is known to the real schema: a misspelt column fails here."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString, cast

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
_STATEMENT = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
_PARAMETER = re.compile(r"%\((\w+)\)s")


def stores() -> Iterator[Path]:
    for path in sorted((ROOT / "server").rglob("*.py")):
        if path.stem == "store" or "store" in path.parent.parts[-1:]:
            yield path


def statements(path: Path) -> dict[str, str]:
    """Return the module's upper-case SQL constants."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    module = importlib.import_module(name)
    constants = {key: value for key, value in vars(module).items() if key.isupper()}
    return {
        f"{name}.{key}": value
        for key, value in constants.items()
        if isinstance(value, str) and _STATEMENT.match(value)
    }


def prepared(sql: str) -> str:
    """Number the parameters, as PREPARE wants them."""
    order: dict[str, int] = {}
    numbered = _PARAMETER.sub(lambda match: f"${order.setdefault(match[1], len(order) + 1)}", sql)
    return numbered.replace("%%", "%")


def test_every_statement_prepares(dsn: str) -> None:
    found = {key: sql for path in stores() for key, sql in statements(path).items()}
    assert found
    wrong: list[str] = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        for key, sql in found.items():
            try:
                connection.execute(cast("LiteralString", f"PREPARE checked AS {prepared(sql)}"))
                connection.execute("DEALLOCATE checked")
            except psycopg.errors.IndeterminateDatatype:
                continue  # A parameter whose type only a value decides.
            except psycopg.Error as error:
                wrong.append(f"{key}: {error}")
    assert wrong == []


@pytest.mark.parametrize("path", sorted(stores()), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_store_keeps_its_sql_in_constants(path: Path) -> None:
    inline = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"one", "all", "value", "run", "many", "execute"}
        and any(isinstance(arg, ast.JoinedStr) for arg in node.args)
    ]
    assert inline == []
