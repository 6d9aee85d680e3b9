"""Figures of chats for Prometheus. Source: reference, chats, section 5.7."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from typing_extensions import override

from server.chats.actions.streaming.feeds import Feeds
from server.llm import ModelError, ToolResult, encode
from server.loop import Row

PREFIX = "coderd_chatd_"
OF_MODEL = ("provider", "model")
OF_TOOL = ("provider", "model", "tool_name")
_POWERS = tuple(float(2**power) for power in range(11))
_RESULTS = tuple(float(2 ** (6 + 2 * power)) for power in range(9))
_TTFT = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Meter:
    """Counts what turns do."""

    def __init__(self) -> None:
        self.steps = Counter(f"{PREFIX}steps", "Steps that were stored.", OF_MODEL, registry=None)
        self.retries = Counter(
            f"{PREFIX}stream_retries",
            "Calls of models that failed and were made again.",
            (*OF_MODEL, "kind"),
            registry=None,
        )
        self.errors = Counter(
            f"{PREFIX}tool_errors", "Tools that answered with an error.", OF_TOOL, registry=None
        )
        self.first_word = Histogram(
            f"{PREFIX}ttft_seconds",
            "From the call of a model to its first word.",
            OF_MODEL,
            buckets=_TTFT,
            registry=None,
        )
        self.messages = Histogram(
            f"{PREFIX}message_count",
            "Messages of the prompt that a turn begins with.",
            OF_MODEL,
            buckets=_POWERS,
            registry=None,
        )
        self.results = Histogram(
            f"{PREFIX}tool_result_size_bytes",
            "Bytes of what a tool answered.",
            OF_TOOL,
            buckets=_RESULTS,
            registry=None,
        )

    def register(self, registry: CollectorRegistry) -> None:
        """Show the figures."""
        shown = (self.steps, self.retries, self.errors)
        for one in (*shown, self.first_word, self.messages, self.results):
            registry.register(one)

    def of(self, provider: str, model: str) -> "Reading":
        """Return the meter of one turn's model."""
        return Reading(self, provider, model)


class Reading:
    """The meter of one turn."""

    def __init__(self, meter: Meter, provider: str, model: str) -> None:
        self._meter = meter
        self._model = (provider, model)

    def began(self, messages: int) -> None:
        """Take note of how long the prompt of a turn is."""
        self._meter.messages.labels(*self._model).observe(messages)

    def spoke(self, seconds: float) -> None:
        """Take note of how long a model took to its first word."""
        self._meter.first_word.labels(*self._model).observe(seconds)

    def retried(self, error: ModelError) -> None:
        """Take note of a call that is made again."""
        self._meter.retries.labels(*self._model, error.kind.value).inc()

    def stored(self, rows: Sequence[Row]) -> None:
        """Take note of a step."""
        self._meter.steps.labels(*self._model).inc()
        for row in rows:
            for part in row.parts:
                if isinstance(part, ToolResult):
                    name = part.name[:64]
                    size = len(encode([part]))
                    self._meter.results.labels(*self._model, name).observe(size)
                    if part.is_error:
                        self._meter.errors.labels(*self._model, name).inc()


class LiveCollector(Collector):
    """What is open and under way on this replica, read when it is asked for."""

    def __init__(self, feeds: Feeds, turns: Callable[[], int], relays: Callable[[], int]) -> None:
        self._feeds = feeds
        self._turns = turns
        self._relays = relays

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        listeners = sum(feed.listeners for feed in self._feeds.all())
        for name, text, value in (
            ("turns", "Turns of chats that run on this replica.", self._turns()),
            ("streams", "Listeners of chats on this replica.", listeners),
            ("relays", "Chats of other replicas that are listened to here.", self._relays()),
        ):
            yield GaugeMetricFamily(f"{PREFIX}{name}", text, value=value)
        yield CounterMetricFamily(
            f"{PREFIX}stream_rereads",
            "Reads of messages that listeners had to make from the database.",
            value=self._feeds.rereads,
        )
