"""The relay's figures for Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from server.network.relay import Relay


class RelayCollector(Collector):
    """Reads the counters when they are asked for; register it with a ``CollectorRegistry``."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield what the relay did so far."""
        counts = self._relay.counts()
        for name, text, value in (
            ("lines", "Control lines of agents that end at this replica.", counts.lines),
            ("streams", "Streams that clients of this replica have open.", counts.streams),
        ):
            yield GaugeMetricFamily(f"coderd_relay_{name}", text, value=value)
        for name, text, value in (
            ("opened", "Streams that were opened.", counts.opened),
            ("failed", "Streams that could not be opened.", counts.failed),
            ("hops", "Requests and streams that went by way of another replica.", counts.hops),
        ):
            yield CounterMetricFamily(f"coderd_relay_{name}", text, value=value)
        carried = CounterMetricFamily("coderd_relay_bytes", "Bytes of streams.", labels=["to"])
        carried.add_metric(["agent"], counts.bytes_up)
        carried.add_metric(["client"], counts.bytes_down)
        yield carried
