"""Seal every key of this room anew, or forget them all: what a change of keys does to them."""

from server.kit.db import Tx
from server.kit.sealing import Sealer, reseal
from server.models.store import providers


async def reseal_keys(tx: Tx, opens: Sealer, seals: Sealer) -> int:
    """Seal every stored key with ``seals``; return how many there are.

    Raises:
        CannotUnseal: one does not open; nothing is changed.
    """
    await providers.lock(tx)
    values = await reseal(tx, await providers.sealed(tx), opens, seals)
    await providers.reseal(tx, values)
    return len(values)


async def forget_keys(tx: Tx) -> int:
    """Forget every stored key; return how many there were."""
    await providers.lock(tx)
    return await providers.forget_keys(tx)
