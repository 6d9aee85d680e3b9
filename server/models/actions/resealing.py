"""Seal every key of this room anew: what a rotation of the deployment's keys does."""

from dataclasses import replace

from server.kit.db import Tx
from server.kit.sealing import Sealer
from server.models.store import providers


async def rotate(tx: Tx, sealer: Sealer) -> int:
    """Seal every stored key with the first key of ``sealer``; return how many there are.

    Raises:
        CannotUnseal: one does not open; nothing is changed.
    """
    await providers.lock(tx)
    values = [
        replace(
            value,
            blob=await sealer.seal(
                tx, await sealer.open(tx, bytes(value.blob), value.place), value.place
            ),
        )
        for value in await providers.sealed(tx)
    ]
    await providers.reseal(tx, values)
    return len(values)
