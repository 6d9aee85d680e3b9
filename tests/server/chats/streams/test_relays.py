"""Words across replicas: heard once, by whoever listens elsewhere."""

import asyncio
from collections.abc import AsyncGenerator

from coder_cli.kit.clock import SystemClock
from server.chats.actions.relaying import Relays
from server.kit.db import Database
from server.llm import Finish, Finished, PartDone, Request, StreamEvent, Text, TextDelta, Usage
from server.network import Closed, Relay
from tests.server.chats.worker.world import Heard, Replica, World, opened


class Line:
    """A line to a replica that listens, until it does not."""

    def __init__(self) -> None:
        self.spoke, self.gone = asyncio.Event(), asyncio.Event()

    async def receive(self) -> bytes:
        await self.gone.wait()
        raise Closed(1001, "going away")

    async def send(self, frame: bytes) -> None:
        assert frame
        self.spoke.set()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.gone.set()


async def joined(world: World, *, works: bool) -> tuple[Replica, Relays]:
    """Start a replica that talks to others."""
    relay = Relay(world.database)
    task = asyncio.ensure_future(relay.run())
    await relay.listening.wait()
    replica = await world.replica(works=works, worker_id=relay.id)
    relays = Relays(replica.feeds, relay, SystemClock())
    replica.tasks += [task, asyncio.ensure_future(relays.run())]
    return replica, relays


async def test_whoever_stops_listening_is_waited_for_no_more(database: Database) -> None:
    hold = asyncio.Event()

    async def slow(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "one")
        await hold.wait()
        part = Text("one")
        yield PartDone(0, part)
        yield Finished((part,), Usage(), Finish.STOP)

    async with opened(database) as world:
        world.model.script = slow
        here, relays = await joined(world, works=True)
        chat_id = await world.chat("go")
        heard = Heard(here, chat_id)
        await heard.until(lambda events: parts(events) == ["one"])
        line = Line()
        telling = asyncio.ensure_future(relays.tell(chat_id, line))
        await line.spoke.wait()
        assert here.crew.turns == 1
        line.gone.set()
        # Looked at again only after five seconds: a server that stops would wait for that.
        done, _ = await asyncio.wait([telling], timeout=2)
        hold.set()
        await heard.stop()
        assert done


async def test_edge_case_16_a_listener_elsewhere_hears_each_word_once(database: Database) -> None:
    hold = asyncio.Event()

    async def slow(request: Request) -> AsyncGenerator[StreamEvent]:
        for word in ("one", "two"):
            yield TextDelta(0, word)
        await hold.wait()
        yield TextDelta(0, "three")
        part = Text("onetwothree")
        yield PartDone(0, part)
        yield Finished((part,), Usage(), Finish.STOP)

    async with opened(database) as world:
        world.model.script = slow
        here, _ = await joined(world, works=True)
        there, _ = await joined(world, works=False)
        chat_id = await world.chat("go")
        far = Heard(there, chat_id)
        await far.until(lambda events: parts(events) == ["one", "two"])
        late = Heard(there, chat_id)
        await late.until(lambda events: parts(events) == ["one", "two"])
        hold.set()
        for heard in (far, late):
            await heard.until(lambda events: events[-1].get("status") == {"status": "waiting"})
            assert parts(heard.events) == ["one", "two", "three"]
            assert len(heard.of("message")) == 2
            seqs = [event["message_part"]["seq"] for event in heard.of("message_part")]
            assert seqs == [1, 2, 3]
            await heard.stop()
        assert here.crew.turns == 0


def parts(events: object) -> list[str]:
    """Return the words that were heard."""
    assert isinstance(events, list)
    return [
        event["message_part"]["part"]["text"]
        for event in events  # pyright: ignore[reportUnknownVariableType]
        if event["type"] == "message_part"
    ]
