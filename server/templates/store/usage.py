"""How templates are used: people by the day. Rooms above write the hours, we count them."""

from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx
from server.templates.model.usage import Day

DAYS: LiteralString = """
    SELECT (hour + %(offset)s::int * interval '1 hour')::date AS date,
           count(DISTINCT user_id)::int AS users
      FROM template_usage
     WHERE template_id = %(id)s AND hour > %(now)s::timestamptz - interval '30 days'
     GROUP BY 1
     ORDER BY 1
"""


async def days(tx: Tx, template_id: UUID, hours_from_utc: int) -> list[Day]:
    """Return the days of the last month on which a template was used, in a zone of the world."""
    return await tx.all(Day, DAYS, {"id": template_id, "offset": hours_from_utc, "now": tx.now})
