"""Boundaries' accesses in the server's log, and their counters."""

from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from coder_cli.sdk.agentapi import Method
from coder_cli.sdk.agentapi.boundary import BoundaryLog, BoundaryLogs, HttpAccess
from server.agents import BoundaryCollector
from tests.server.agents.house import Replica, scripted
from tests.server.agents.rows import AgentRows

WHEN = datetime(2025, 12, 23, 18, 31, 46, tzinfo=UTC)
ALLOWED = BoundaryLog(
    allowed=True, time=WHEN, http_request=HttpAccess("GET", "https://a/", "domain=a")
)
DENIED = BoundaryLog(
    allowed=False, time=WHEN, http_request=HttpAccess("POST", "https://b/\nforged=1")
)


async def test_each_access_is_one_line_of_the_servers_log(
    replica: Replica, agent: AgentRows
) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        async with scripted(replica, agent) as line:
            assert await line.call(Method.BOUNDARY_LOGS, BoundaryLogs((ALLOWED, DENIED), "s")) == {}
    allowed, denied = [e for e in lines if e["event"] == "coderd.agentrpc: boundary_request"]
    assert allowed.pop("request_id")
    assert allowed == {
        "event": "coderd.agentrpc: boundary_request",
        "log_level": "info",
        "owner": "alice",
        "workspace_name": "dev",
        "agent_name": "main",
        "decision": "allow",
        "workspace_id": str(agent.workspace_id),
        "http_method": "GET",
        "http_url": "https://a/",
        "event_time": "2025-12-23T18:31:46Z",
        "matched_rule": "domain=a",
    }
    assert denied["decision"] == "deny"
    assert denied["http_url"] == "https://b/?forged=1"
    assert "matched_rule" not in denied


async def test_forwards_and_drops_are_counted(replica: Replica, agent: AgentRows) -> None:
    dropped = {"buffer_full": 3, "boundary_batch_full": 2, "made_up": 9, "forward_failed": -5}
    async with scripted(replica, agent) as line:
        await line.call(Method.BOUNDARY_LOGS, BoundaryLogs((ALLOWED, DENIED), dropped=dropped))
    registry = CollectorRegistry()
    registry.register(BoundaryCollector(replica.board.boundaries))
    text = generate_latest(registry).decode()
    assert "coderd_boundary_batches_forwarded_total 1.0" in text
    assert 'coderd_boundary_requests_total{decision="deny"} 1.0' in text
    assert 'coderd_boundary_logs_dropped_total{reason="buffer_full"} 3.0' in text
    assert 'coderd_boundary_logs_dropped_total{reason="boundary_batch_full"} 2.0' in text
    assert 'coderd_boundary_logs_dropped_total{reason="forward_failed"} 0.0' in text
    assert "made_up" not in text


async def test_a_batch_that_is_too_large_is_refused(replica: Replica, agent: AgentRows) -> None:
    async with scripted(replica, agent) as line:
        answer = await line.call(Method.BOUNDARY_LOGS, BoundaryLogs((ALLOWED,) * 4097))
    assert "more than 4096" in answer.message
