"""What a template's new rules mean for workspaces that exist: times of theirs, nothing else."""

from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx

USE_ALL: LiteralString = """
    UPDATE workspaces SET last_used_at = %(now)s WHERE template_id = %(id)s AND NOT deleted
"""

BEGIN_DORMANCY_ANEW: LiteralString = """
    UPDATE workspaces SET dormant_at = %(now)s
     WHERE template_id = %(id)s AND NOT deleted AND dormant_at IS NOT NULL
"""

SET_DELETION: LiteralString = """
    UPDATE workspaces
       SET deleting_at = CASE WHEN %(rest_ms)s::bigint > 0
                              THEN dormant_at + %(rest_ms)s::bigint * interval '1 millisecond'
                               END
     WHERE template_id = %(id)s AND NOT deleted AND dormant_at IS NOT NULL
"""


async def use_all(tx: Tx, template_id: UUID) -> None:
    """Let the time until dormancy begin anew for every workspace of a template."""
    await tx.run(USE_ALL, {"id": template_id, "now": tx.now})


async def begin_dormancy_anew(tx: Tx, template_id: UUID) -> None:
    """Let dormant workspaces of a template be dormant from now on."""
    await tx.run(BEGIN_DORMANCY_ANEW, {"id": template_id, "now": tx.now})


async def set_deletion(tx: Tx, template_id: UUID, rest_ms: int) -> None:
    """Write when dormant workspaces of a template are deleted: so long after they became so."""
    await tx.run(SET_DELETION, {"id": template_id, "rest_ms": rest_ms})
