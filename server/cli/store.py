"""The one thing that a start asks of the database: may somebody log in already?"""

from typing import LiteralString

from server.kit.db import Tx

HAS_USERS: LiteralString = (
    "SELECT EXISTS (SELECT FROM users WHERE NOT deleted AND NOT is_system) AS found"
)


async def has_users(tx: Tx) -> bool:
    """Tell whether somebody can log in."""
    return bool(await tx.value(HAS_USERS))
