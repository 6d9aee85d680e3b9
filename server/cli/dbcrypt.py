"""``coder server dbcrypt``: seal the secrets of other services anew, or forget them.

All of it is one transaction: either everything is sealed with the new key, or nothing is changed.
"""

from collections.abc import Awaitable, Callable, Sequence

from coder_cli.kit.refused import Refused
from server.cli.admin import with_database
from server.kit.authz import as_system
from server.kit.db import Database, Tx
from server.kit.sealing import CannotUnseal, Sealer
from server.settings import Settings


def rotate(settings: Settings, new: Sequence[bytes], old: Sequence[bytes]) -> int:
    """Seal every secret with ``new``; without a new key, with the deployment's own.

    What the deployment's own key sealed opens without being given.

    Returns:
        How many secrets there are.

    Raises:
        Refused: the database cannot be reached, or a secret opens with none of the keys.
    """
    from server import identity, models

    opens, seals = Sealer([*new, *old]), Sealer(new)

    async def act(tx: Tx) -> int:
        tokens = await identity.reseal_links(tx, opens, seals)
        return tokens + await models.reseal_keys(tx, opens, seals)

    return _done(settings, act)


def delete(settings: Settings) -> int:
    """Forget every secret: keys of model providers, and linked accounts.

    Returns:
        How many there were.

    Raises:
        Refused: the database cannot be reached.
    """
    from server import identity, models

    async def act(tx: Tx) -> int:
        return await identity.forget_links(tx) + await models.forget_keys(tx)

    return _done(settings, act)


def _done(settings: Settings, act: Callable[[Tx], Awaitable[int]]) -> int:
    async def run(database: Database) -> int:
        async with database.tx(as_system("dbcrypt")) as tx:
            return await act(tx)

    try:
        return with_database(settings, run)
    except CannotUnseal as broken:
        raise Refused(f"Nothing was changed: {broken}") from None
