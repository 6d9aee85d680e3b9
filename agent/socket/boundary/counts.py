"""What became of batches and their logs, for Prometheus. Pure."""

from collections import Counter
from enum import StrEnum


class Loss(StrEnum):
    """Why logs did not arrive; the last two are the boundary's own words."""

    BUFFER_FULL = "buffer_full"
    FORWARD_FAILED = "forward_failed"
    CHANNEL_FULL = "boundary_channel_full"
    BATCH_FULL = "boundary_batch_full"


BATCH_LOSSES = (Loss.BUFFER_FULL, Loss.FORWARD_FAILED)
_PREFIX = "agent_boundary_log_proxy"


class Counts:
    """Counters of one agent's proxy."""

    def __init__(self) -> None:
        self.forwarded = 0
        self.batches: Counter[str] = Counter()
        self.logs: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def drop(self, why: Loss, logs: int) -> None:
        """Count a batch that is lost, with its logs."""
        self.batches[why] += 1
        self.logs[why] += logs

    def lost_before(self, why: Loss, logs: int) -> None:
        """Count logs that the boundary says it could not send."""
        self.logs[why] += logs

    def news(self) -> dict[str, int]:
        """Return the lost logs that the server has not heard of."""
        return dict(self.logs - self._told)

    def tell(self, news: dict[str, int]) -> None:
        """Note that the server has heard of them."""
        self._told.update(news)

    def exposition(self) -> str:
        """Return the counters in Prometheus' text form."""
        lines = [
            f"# HELP {_PREFIX}_batches_dropped_total Batches of boundary logs that were lost.",
            f"# TYPE {_PREFIX}_batches_dropped_total counter",
            *(
                f'{_PREFIX}_batches_dropped_total{{reason="{why}"}} {self.batches[why]}'
                for why in BATCH_LOSSES
            ),
            f"# HELP {_PREFIX}_logs_dropped_total Boundary logs that were lost.",
            f"# TYPE {_PREFIX}_logs_dropped_total counter",
            *(f'{_PREFIX}_logs_dropped_total{{reason="{why}"}} {self.logs[why]}' for why in Loss),
            f"# HELP {_PREFIX}_batches_forwarded_total Batches that the server has taken.",
            f"# TYPE {_PREFIX}_batches_forwarded_total counter",
            f"{_PREFIX}_batches_forwarded_total {self.forwarded}",
        ]
        return "\n".join(lines) + "\n"
