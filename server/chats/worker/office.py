"""All that runs for chats on one replica, built and not yet running."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.registry import CollectorRegistry

from server.chats.actions import keeping
from server.chats.actions.admitting import Till
from server.chats.actions.diffs import Diffs
from server.chats.actions.gitsync import GitSync
from server.chats.actions.relaying import Relays
from server.chats.actions.streaming.feeds import Feeds
from server.chats.actions.titles import Titles
from server.chats.actions.watching import Watches
from server.chats.model.accounts import GitAccounts
from server.chats.worker.closing import Closer
from server.chats.worker.crew import Crew, CrewOptions
from server.chats.worker.ledger import Books
from server.chats.worker.loading import Loader
from server.chats.worker.metrics import LiveCollector
from server.chats.worker.naming import ChatNamers
from server.chats.worker.preparing import Pantry, RealKitchen
from server.chats.worker.sweeper import Sweeper
from server.chats.worker.titling import TitleDesk
from server.chats.worker.turning import Shop
from server.kit.asking import forgetful
from server.kit.pubsub import Pubsub
from server.kit.tasks import Loop
from server.network import Relay


@dataclass(frozen=True, slots=True)
class Ground:
    """What chats stand on."""

    pantry: Pantry
    pubsub: Pubsub
    relay: Relay
    accounts: GitAccounts
    options: CrewOptions


class Office:
    """The running side of chats: what routes use of it, and the loops that the server keeps."""

    def __init__(self, ground: Ground) -> None:
        pantry = ground.pantry
        database, clock = pantry.database, pantry.database.clock
        self._database, self._pubsub = database, ground.pubsub
        self._clients = pantry.clients
        self.feeds = Feeds(database, ground.pubsub, clock=clock)
        self.watches = Watches(database, ground.pubsub)
        self._relays = Relays(self.feeds, ground.relay, clock)
        till = Till(database, ground.pubsub, clock)
        client = forgetful()
        self.titles = Titles(database, ChatNamers(database, pantry.sealer, pantry.clients))
        self.diffs = Diffs(database, ground.accounts, client)
        self._gitsync = GitSync(database, ground.accounts, client)
        self._desk = TitleDesk(self.titles)
        self._kitchen = RealKitchen(pantry, self._desk)
        shop = Shop(Books(database, self.feeds, till), self._kitchen, clock)
        self.crew = Crew(shop, ground.pubsub, ground.relay.id, ground.options)
        self._meter = shop.meter
        self._sweeper = Sweeper(database, clock, self.crew.runners)
        self._closer = Closer(database, ground.pubsub, pantry.means)

    def register(self, registry: CollectorRegistry) -> None:
        """Show the figures of chats."""
        self._meter.register(registry)
        live = LiveCollector(self.feeds, lambda: self.crew.turns, lambda: self._relays.followed)
        registry.register(live)

    async def _keep(self) -> None:
        await keeping.run(self._database)

    def loops(self) -> Mapping[str, Loop]:
        """Return what has to run as long as the server does."""
        return {
            "chats": self.crew.run,
            "chat leases": self._sweeper.run,
            "chat ends": self._closer.run,
            "chat streams": self.feeds.run,
            "chat relays": self._relays.run,
            "model libraries": Loader(self._database, self._pubsub, self._clients).run,
            "chat settings": self._kitchen.run,
            "chat titles": self._desk.run,
            "chat retention": self._keep,
            "chat pull requests": self._gitsync.run,
        }
