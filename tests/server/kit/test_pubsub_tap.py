"""Taps hear every fact in the moment it comes, and that some may have been lost."""

import asyncio
from contextlib import suppress
from typing import Any

from typing_extensions import override

from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.facts import Fact
from server.kit.pubsub import Pubsub


class Happened(Fact):
    what: str

    @override
    def topics(self) -> tuple[str, ...]:
        return ("things",)


async def test_a_tap_hears_facts_and_that_some_may_be_lost(database: Database) -> None:
    pubsub = Pubsub(database.dsn)
    heard: list[dict[str, Any] | None] = []
    two = asyncio.Event()

    def hear(fact: dict[str, Any] | None) -> None:
        heard.append(fact)
        if len(heard) == 2:
            two.set()

    with pubsub.tap("things", hear):
        listening = asyncio.ensure_future(pubsub.run())
        await pubsub.listening.wait()
        async with database.tx(as_system("test")) as tx:
            await tx.announce(Happened(what="kept"))
        async with asyncio.timeout(10):
            await two.wait()
    async with database.tx(as_system("test")) as tx:
        await tx.announce(Happened(what="nobody listens"))
    assert heard == [None, {"what": "kept"}]
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
