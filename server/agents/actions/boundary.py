"""Write what boundaries in workspaces let through, or stopped, into the server's own log."""

from collections.abc import Iterator
from typing import Final

import structlog
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from coder_cli.sdk.agentapi import BadShape, Empty, to_json
from coder_cli.sdk.agentapi.boundary import BoundaryLogs, HttpAccess
from server.agents.actions.caller import Caller
from server.agents.model import BoundaryCounts, clip

log = structlog.get_logger()

EVENT: Final = "coderd.agentrpc: boundary_request"
MOST_LOGS: Final = 4096
"""Of one batch; a frame of the agent's socket holds fewer."""
REASONS: Final = (
    "buffer_full",
    "forward_failed",
    "boundary_channel_full",
    "boundary_batch_full",
)


async def report(caller: Caller, batch: BoundaryLogs) -> Empty:
    """Write one line for each access.

    Raises:
        BadShape: there are too many.
    """
    if len(batch.logs) > MOST_LOGS:
        raise BadShape(f"more than {MOST_LOGS} logs of a boundary")
    counts, identity = caller.board.boundaries, caller.identity
    counts.batches += 1
    for reason in REASONS:
        counts.dropped[reason] += max(0, batch.dropped.get(reason, 0))
    for entry in batch.logs:
        decision = "allow" if entry.allowed else "deny"
        counts.requests[decision] += 1
        access = entry.http_request or HttpAccess()
        rule = {"matched_rule": _word(access.matched_rule)} if access.matched_rule else {}
        log.info(
            EVENT,
            owner=identity.owner_name,
            workspace_name=identity.workspace_name,
            agent_name=identity.agent_name,
            decision=decision,
            workspace_id=str(identity.workspace_id),
            http_method=_word(access.method),
            http_url=_word(access.url),
            event_time=to_json(entry.time),
            **rule,
        )
    return Empty()


def _word(text: str) -> str:
    """Return ``text`` as it may stand in a log: short, and on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in clip(text))


class BoundaryCollector(Collector):
    """The counters for Prometheus; register it with a ``CollectorRegistry``."""

    def __init__(self, counts: BoundaryCounts) -> None:
        self._counts = counts

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield what boundaries have told so far."""
        yield CounterMetricFamily(
            "coderd_boundary_batches_forwarded",
            "Batches of boundary logs that agents have forwarded.",
            value=self._counts.batches,
        )
        requests = CounterMetricFamily(
            "coderd_boundary_requests",
            "Accesses that boundaries let through or stopped.",
            labels=["decision"],
        )
        for decision in ("allow", "deny"):
            requests.add_metric([decision], self._counts.requests[decision])
        yield requests
        dropped = CounterMetricFamily(
            "coderd_boundary_logs_dropped",
            "Boundary logs that were lost before they reached the server.",
            labels=["reason"],
        )
        for reason in REASONS:
            dropped.add_metric([reason], self._counts.dropped[reason])
        yield dropped
