"""Wait until a workspace is built, its agent answers, and its scripts have run."""

from collections.abc import Callable
from typing import Final

from coder_cli.sdk.builds import WorkspaceStatus
from coder_cli.sdk.words import AgentLifecycle
from server import provisioning
from server.llm import Json
from server.loop import Result
from server.network import Unreachable
from server.tools.bench import Bench
from server.tools.capped import head_and_tail
from server.tools.context.discover import workspace_context
from server.tools.link import choose
from server.tools.sentences import (
    AmbiguousAgent,
    DialTimeout,
    ExternalAgentOffline,
    NoAgent,
    ToolError,
)
from server.workspaces import Standing, topic

UNDER_WAY: Final = frozenset(
    {
        WorkspaceStatus.PENDING,
        WorkspaceStatus.STARTING,
        WorkspaceStatus.STOPPING,
        WorkspaceStatus.CANCELING,
        WorkspaceStatus.DELETING,
    }
)
TAIL_LINES: Final = 60
TAIL_CHARACTERS: Final = 6000
INSTRUCTIONS: Final = 12_000
MOST_INSTRUCTIONS: Final = 3
_SCRIPTS: Final = {
    AgentLifecycle.START_ERROR: "startup_scripts_failed",
    AgentLifecycle.START_TIMEOUT: "startup_scripts_timeout",
}


async def settled(bench: Bench) -> Standing:
    """Return how the workspace stands once no build of it is under way.

    Raises:
        ToolError: the build does not end.
    """
    return await _until(
        bench,
        lambda now: now.build.status not in UNDER_WAY,
        bench.means.patience.build,
        "the workspace's build has not ended within {:g}s; it goes on. "
        "Call start_workspace later to wait for it",
    )


async def _until(
    bench: Bench, done: Callable[[Standing], bool], seconds: float, late: str
) -> Standing:
    clock, link = bench.means.clock, bench.link
    end = clock.monotonic() + seconds
    assert link.workspace_id is not None
    with bench.means.pubsub.bell(topic(link.workspace_id)) as bell:
        while True:
            now = await link.look()
            if done(now):
                return now
            if clock.monotonic() >= end:
                raise ToolError(late.format(seconds))
            await bell.wait(timeout=bench.means.patience.pause)


async def failure(bench: Bench, now: Standing, what: str) -> Result:
    """Return the result of a build that did not succeed: its error, and the end of its log."""
    async with bench.means.database.tx(bench.facts.owner) as tx:
        lines = await provisioning.log_tail(tx, now.build.job_id, TAIL_LINES)
    why = now.build.job_error or f"it is {now.build.status}"
    value: dict[str, Json] = {
        "error": f"{what} failed: {head_and_tail(why, 2000)}",
        "workspace_name": now.build.workspace_name,
        "build_id": str(now.build.build_id),
        "build_log_tail": head_and_tail("\n".join(lines), TAIL_CHARACTERS),
    }
    return Result(value, is_error=True)


async def readiness(bench: Bench, now: Standing) -> dict[str, Json]:
    """Return what is to be said of a workspace that runs: what is not well, and how to work in it.

    The prompt of this turn was made before the workspace was there, so its instructions come here.
    """
    said = await _agent(bench, now)
    if "agent_status" in said:
        return said
    found = await workspace_context(bench.means, bench.link)
    if found is not None and found.files:
        said["instructions"] = [
            {"path": each.path, "content": head_and_tail(each.content, INSTRUCTIONS)}
            for each in found.files[:MOST_INSTRUCTIONS]
        ]
    if found is not None and found.skills:
        said["skills"] = [
            {"name": each.name, "description": each.description} for each in found.skills[:100]
        ]
    return said


async def _agent(bench: Bench, now: Standing) -> dict[str, Json]:
    try:
        choose(now.agents)
    except NoAgent:
        return {"agent_status": "no_agent"}
    except AmbiguousAgent as error:
        return {"agent_status": "selection_error", "agent_error": error.message}
    trouble = await _connected(bench)
    if trouble:
        return {"agent_status": "not_ready", "agent_error": trouble}
    return await _scripts(bench)


async def _connected(bench: Bench) -> str:
    """Dial until the agent answers; return why it did not, or nothing."""
    clock, patience = bench.means.clock, bench.means.patience
    end = clock.monotonic() + patience.agent
    assert bench.link.workspace_id is not None
    with bench.means.pubsub.bell(topic(bench.link.workspace_id)) as bell:
        while True:
            try:
                left = max(end - clock.monotonic(), patience.attempt)
                async with bench.link.open(within=left):
                    return ""
            except (DialTimeout, ExternalAgentOffline, Unreachable) as error:
                # Of an external agent this is always what its user must do (seed 002).
                trouble = error.message
            except NoAgent as error:
                return error.message
            if clock.monotonic() >= end:
                return trouble
            await bell.wait(timeout=patience.pause)


async def _scripts(bench: Bench) -> dict[str, Json]:
    """Wait for the startup scripts; return how they ended, unless well."""
    try:
        now = await _until(
            bench,
            lambda now: not choose(now.agents).lifecycle.starting,
            bench.means.patience.scripts,
            "the startup scripts have not ended within {:g}s",
        )
        agent = choose(now.agents)
    except ToolError as error:
        return {"startup_scripts": "startup_scripts_unknown", "message": error.message}
    if agent.lifecycle is AgentLifecycle.READY:
        return {}
    outcome = _SCRIPTS.get(agent.lifecycle, "startup_scripts_unknown")
    return {"startup_scripts": outcome, "lifecycle_state": agent.lifecycle.value}
