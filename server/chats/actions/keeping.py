"""Put idle chats away, delete what is away for long, and files that no chat uses."""

from datetime import timedelta
from uuid import UUID

from server.chats.actions import archiving, files
from server.chats.model.config import Kept, Setting, kept
from server.chats.store import chats, config, keeping
from server.kit.authz import as_system
from server.kit.db import Database, Tx

CYCLE = timedelta(minutes=10)
AT_ONCE = 1000


async def keep(database: Database) -> None:
    """Do what is due, a bounded part of it; the rest is for the next cycle."""
    async with database.tx(as_system("chat retention")) as tx:
        rules = await _rules(tx)
        idle = await _idle(tx, rules)
    for chat_id in idle:
        async with database.tx(as_system("chat retention")) as tx:
            await _put_away(tx, chat_id)
    async with database.tx(as_system("chat retention")) as tx:
        if rules.retention_days:
            before = tx.now - timedelta(days=rules.retention_days)
            await keeping.delete(tx, before, AT_ONCE)
        await files.purge(tx)


async def run(database: Database) -> None:
    """Work until cancelled."""
    while True:
        await keep(database)
        await database.clock.sleep(CYCLE.total_seconds())


async def _rules(tx: Tx) -> Kept:
    return kept(await config.site(tx, [Setting.RETENTION_DAYS, Setting.AUTO_ARCHIVE_DAYS]))


async def _idle(tx: Tx, rules: Kept) -> list[UUID]:
    if not rules.auto_archive_days:
        return []
    return await keeping.idle(tx, tx.now - timedelta(days=rules.auto_archive_days), AT_ONCE)


async def _put_away(tx: Tx, chat_id: UUID) -> None:
    """Put a chat away that was idle when it was looked for; somebody may have come back."""
    chat = await chats.lock(tx, chat_id)
    if chat is not None and chat.idle and not chat.archived and not chat.pin_order:
        await archiving.archive(tx, chat)
