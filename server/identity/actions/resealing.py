"""Seal tokens of linked accounts anew, or forget them: what a change of keys does to them."""

from server.identity.store import links
from server.kit.db import Tx
from server.kit.sealing import Sealer, reseal


async def reseal_links(tx: Tx, opens: Sealer, seals: Sealer) -> int:
    """Seal every token with ``seals``; return how many there are.

    Raises:
        CannotUnseal: one does not open; nothing is changed.
    """
    values = await reseal(tx, await links.sealed(tx), opens, seals)
    await links.reseal(tx, values)
    return len(values)


async def forget_links(tx: Tx) -> int:
    """Forget every linked account; return how many there were."""
    return await links.forget(tx)
