"""What live forms are evaluated from, by version. Written once, by the version's import."""

from dataclasses import dataclass, field
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx
from server.terraform import FormSlice

SAVE: LiteralString = """
    INSERT INTO template_version_forms (template_version_id, slice, problem)
    VALUES (%(version_id)s, %(slice)s, %(problem)s)
    ON CONFLICT (template_version_id) DO UPDATE SET slice = excluded.slice,
                                                    problem = excluded.problem
"""

GET: LiteralString = """
    SELECT slice, problem FROM template_version_forms WHERE template_version_id = %(version_id)s
"""


@dataclass(frozen=True, slots=True)
class _Row:
    slice: bytes = field(repr=False)
    problem: str


async def save(tx: Tx, version_id: UUID, form: FormSlice) -> None:
    """Write what a version's form is evaluated from, or why it cannot be."""
    args = {"version_id": version_id, "slice": form.content, "problem": form.problem}
    await tx.run(SAVE, args)


async def get(tx: Tx, version_id: UUID) -> FormSlice | None:
    """Return what a version's form is evaluated from; None for versions of older releases."""
    row = await tx.one(_Row, GET, {"version_id": version_id})
    return None if row is None else FormSlice(bytes(row.slice), row.problem)
