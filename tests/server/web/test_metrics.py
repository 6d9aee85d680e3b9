"""Numbers for Prometheus."""

import httpx

from server import web
from server.kit.db import Database


async def test_requests_are_counted_by_route_not_by_path(database: Database) -> None:
    metrics = web.Metrics()
    for seconds in (0.002, 0.2):
        metrics.observe("GET", "/api/v2/users/{user}", 200, seconds)
    metrics.observe("GET", "", 404, 0.001)
    metrics.observe("WS", "/api/v2/debug/ws", 101, 3.0)
    app = web.metrics_app(metrics, database)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://metrics.test"
    ) as client:
        page = (await client.get("/metrics")).text
    labels = 'code="200",method="GET",path="/api/v2/users/{user}"'
    assert f"coderd_api_request_latencies_seconds_count{{{labels}}} 2.0" in page
    assert 'path="none"' in page
    assert 'coderd_provisioner_jobs_current{state="pending"} 0.0' in page
    assert "coderd_agents_up 0.0" in page
    assert 'coderd_db_pool{name="pool_size"}' in page
