"""A server is killed in the middle of an answer: how soon another one goes on, and what is lost.

    python -m tests.bench.show_killed_chat [--times 3]

Two servers on one database. A chat runs on one of them, and somebody listens to it on the other;
the first is killed with SIGKILL while words come. Shown are the seconds until the turn runs again,
until its answer is whole, and what the listener was told: messages by id, none missing, none twice.
"""

import argparse
import asyncio
import json
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from websockets.asyncio.client import connect

from tests.support.house import House
from tests.support.postgres import TestPostgres, cloned

PASSWORD = "Correct-Horse-9-Battery"
SCRIPT = "words 60 every 0.1"


@dataclass
class Heard:
    """What a listener was told, and when."""

    ids: list[int] = field(default_factory=list[int])
    words: int = 0
    """Pieces of the answer since the last time that it began."""
    resets: int = 0
    first_again: float = 0
    whole: float = 0
    text: str = ""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: dict[str, Any], killed: float) -> None:
        """Take an event down."""
        match event["type"]:
            case "message_part":
                self.words += 1
                if self.words >= 10:
                    self.begun.set()
                if killed and not self.first_again:
                    self.first_again = time.monotonic() - killed
            case "preview_reset":
                self.resets += 1
                self.words = 0
            case "message":
                self.ids.append(event["message"]["id"])
                if event["message"]["role"] == "assistant":
                    self.text = "".join(
                        part.get("text", "") for part in event["message"]["content"]
                    )
            case "status" if event["status"]["status"] == "waiting" and self.text:
                self.whole = time.monotonic() - killed
                self.over.set()
            case _:
                pass


class Show:
    """Two servers and somebody who uses both."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.houses: list[House] = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            self.houses.append(House(folder / name, dsn))
        self.dsn = self.houses[0].env["CODER_PG_CONNECTION_URL"]

    def start(self, house: House) -> None:
        house.start("--provisioner-daemons", "0", "--dangerous-disable-rate-limits")

    async def run(self, times: int) -> None:
        """Kill a server as often as asked."""
        for house in self.houses:
            self.start(house)
        client = httpx.AsyncClient(timeout=60)
        first = {"email": "ann@example.com", "username": "ann", "password": PASSWORD}
        base = f"{self.houses[0].url}/api/v2"
        (await client.post(f"{base}/users/first", json=first)).raise_for_status()
        login = await client.post(f"{base}/users/login", json=first)
        client.headers["Coder-Session-Token"] = login.json()["session_token"]
        home = (await client.get(f"{base}/organizations")).json()[0]["id"]
        for number in range(times):
            await self._once(client, home, number)
        await client.aclose()

    async def _once(self, client: httpx.AsyncClient, home: str, number: int) -> None:
        house = self.houses[0]
        chat = await client.post(
            f"{house.url}/api/v2/chats",
            json={"organization_id": home, "content": [{"type": "text", "text": SCRIPT}]},
        )
        chat_id = chat.json()["id"]
        runner = await self._runner(chat_id)
        other = next(one for one in self.houses if self._id(one) != runner)
        dying = next(one for one in self.houses if one is not other)
        heard = Heard()
        url = f"{other.url.replace('http', 'ws')}/api/v2/chats/{chat_id}/stream"
        token = client.headers["Coder-Session-Token"]
        async with connect(url, additional_headers={"Coder-Session-Token": token}) as socket:
            killed = 0.0

            async def listen() -> None:
                async for frame in socket:
                    for event in json.loads(frame):
                        heard.take(event, killed)

            listening = asyncio.ensure_future(listen())
            await asyncio.wait_for(heard.begun.wait(), 30)
            before = heard.words
            assert dying.process is not None
            dying.process.send_signal(signal.SIGKILL)
            dying.process.wait()
            dying.process = None
            killed = time.monotonic()
            await asyncio.wait_for(heard.over.wait(), 90)
            listening.cancel()
        stored = (
            await client.get(f"{other.url}/api/v2/chats/{chat_id}/messages", params={"limit": 200})
        ).json()["messages"]
        ids = sorted(message["id"] for message in stored)
        print(
            f"#{number + 1}: killed after {before} words; runs again after "
            f"{heard.first_again:.1f} s, whole after {heard.whole:.1f} s; preview void "
            f"{heard.resets} time(s); heard messages {heard.ids}, stored {ids}, "
            f"words in the answer {len(heard.text.split())}"
        )
        assert heard.ids == ids, "the listener heard something else than is stored"
        assert len(ids) == 2, "something is missing or twice"
        self.start(dying)

    def _id(self, house: House) -> str:
        """Return the id of a server's replica, as its log says it last."""
        said = [line for line in house.said().splitlines() if "replica joined" in line]
        return said[-1].partition("replica=")[2].split()[0]

    async def _runner(self, chat_id: str) -> str:
        with psycopg.connect(self.dsn, autocommit=True) as db:
            while True:
                row = db.execute(
                    "SELECT worker_id::text FROM chats WHERE id = %s", (chat_id,)
                ).fetchone()
                if row and row[0]:
                    return row[0]
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        for house in self.houses:
            house.stop()


def main() -> None:
    """Show it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    postgres = TestPostgres()
    try:
        with cloned(postgres.start()) as dsn, tempfile.TemporaryDirectory(prefix="k") as folder:
            show = Show(Path(folder), dsn)
            try:
                asyncio.run(show.run(options.times))
            finally:
                show.stop()
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()
