"""Network: byte streams between clients, replicas and agents. See README.md."""

from server.network.channel import Channel, SocketChannel, Stream
from server.network.errors import Closed, NoSuchStream, Unreachable
from server.network.metrics import RelayCollector
from server.network.pump import first
from server.network.relay import Place, Relay, Service
from server.network.store import Replica, all_alive

__all__ = [
    "Channel",
    "Closed",
    "NoSuchStream",
    "Place",
    "Relay",
    "RelayCollector",
    "Replica",
    "Service",
    "SocketChannel",
    "Stream",
    "Unreachable",
    "all_alive",
    "first",
]
