"""From a name to an agent that can be reached: start, build, connect, start-up scripts.

Every wait says what it waits for, and ends.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from coder_cli import ui
from coder_cli.commands.connections.target import Name, find_workspace, pick_agent
from coder_cli.kit.refused import Refused
from coder_cli.sdk.direct import Direct, Json

BUILD_PATIENCE = 3600.0
RECONNECT_PATIENCE = 60.0
POLL = (0.2, 1.0)
"""Seconds between two looks: at first, and at most."""

Nap = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """How patient a command is."""

    autostart: bool = True
    wait: str = "auto"
    """For start-up scripts: yes, no, or auto (when a script blocks log-ins)."""
    quiet: bool = False


class Waiter:
    """Bring one workspace to the point where a stream can be opened."""

    def __init__(self, api: Direct, name: Name, wish: Wish, nap: Nap = time.sleep) -> None:  # noqa: TID251 - the default of a parameter
        self._api, self._name, self._wish, self._nap = api, name, wish, nap
        self.workspace_id = ""
        """The workspace that was found; empty before that."""

    def agent(self) -> Json:
        """Return the JSON of the agent, connected and ready enough for ``wish``.

        Raises:
            Refused: the workspace cannot be used; the message says why and what to do.
        """
        workspace = self._running(find_workspace(self._api, self._name))
        self.workspace_id = str(workspace["id"])
        agent = pick_agent(workspace, self._name.agent)
        agent = self._connected(agent)
        return self._started(agent)

    def _running(self, workspace: Json) -> Json:
        began, told, delay = time.monotonic(), "", POLL[0]
        started = False
        while (status := str(workspace["latest_build"]["status"])) != "running":
            if status in ("stopped", "canceled", "failed") and not started:
                self._start(workspace, status)
                started = True
            elif status in ("pending", "starting", "stopping", "canceling"):
                if told != status:
                    self._note(f"Workspace {self._name} is {status} ...")
                told = status
                started = started and status != "stopping"
            else:
                raise Refused(self._hopeless(status))
            if time.monotonic() - began > BUILD_PATIENCE:
                raise Refused(f"Workspace {self._name} is still {status}; see coder logs.")
            self._nap(delay)
            delay = min(delay * 1.5, POLL[1])
            workspace = find_workspace(self._api, self._name)
        return workspace

    def _start(self, workspace: Json, status: str) -> None:
        build = workspace["latest_build"]
        if status == "failed" and build["transition"] == "start":
            raise Refused(self._hopeless(status))
        if not self._wish.autostart:
            raise Refused(
                f"Workspace {self._name} is {status}. Start it with: coder start {self._name}"
            )
        self._note(f"Workspace {self._name} is {status}; starting it ...")
        self._api.post(
            f"/workspaces/{workspace['id']}/builds",
            {"transition": "start", "reason": "ssh_connection"},
        )

    def _hopeless(self, status: str) -> str:
        if status == "failed":
            return (
                f"The last build of workspace {self._name} failed. See why with:"
                f" coder logs {self._name}\nThen try: coder start {self._name}"
            )
        return f"Workspace {self._name} is {status}."

    def _connected(self, agent: Json) -> Json:
        began, told, delay = time.monotonic(), False, POLL[0]
        while agent["status"] != "connected":
            if agent["status"] == "timeout":
                raise Refused(self._unreachable(agent))
            waited = time.monotonic() - began
            if agent["status"] == "disconnected" and waited > RECONNECT_PATIENCE:
                raise Refused(self._unreachable(agent))
            if not told:
                self._note(f"Waiting for the agent of {self._name} to connect ...")
                told = True
            self._nap(delay)
            delay = min(delay * 1.5, POLL[1])
            agent = self._look(agent)
        return agent

    def _unreachable(self, agent: Json) -> str:
        help_url = agent.get("troubleshooting_url") or ""
        return (
            f"The agent of {self._name} is not connected ({agent['status']})."
            f" See its log with: coder logs {self._name}"
            + (f"\nMore help: {help_url}" if help_url else "")
        )

    def _started(self, agent: Json) -> Json:
        if agent["lifecycle_state"] not in ("created", "starting") or self._wish.wait == "no":
            return self._warned(agent)
        if self._wish.wait == "auto" and not _blocks(agent):
            self._note("Start-up scripts are still running; your environment may be incomplete.")
            return agent
        self._note("Waiting for start-up scripts; do not wait with --wait=no ...")
        after, delay = 0, POLL[0]
        while agent["lifecycle_state"] in ("created", "starting"):
            after = self._show_logs(agent, after)
            self._nap(delay)
            delay = min(delay * 1.5, POLL[1])
            agent = self._connected(self._look(agent))
        self._show_logs(agent, after)
        return self._warned(agent)

    def _warned(self, agent: Json) -> Json:
        if agent["lifecycle_state"] in ("start_error", "start_timeout") and not self._wish.quiet:
            what = "failed" if agent["lifecycle_state"] == "start_error" else "took too long"
            ui.warn(f"A start-up script {what}. See: coder logs {self._name}")
        return agent

    def _show_logs(self, agent: Json, after: int) -> int:
        path = f"/workspaceagents/{agent['id']}/logs?after={after}"
        for line in cast("list[Json]", self._api.get(path) or []):
            after = max(after, int(line["id"]))
            self._note(str(line["output"]))
        return after

    def _look(self, agent: Json) -> Json:
        return self._api.get(f"/workspaceagents/{agent['id']}")

    def _note(self, text: str) -> None:
        if not self._wish.quiet:
            ui.note(text)


def _blocks(agent: Json) -> bool:
    return any(
        script.get("start_blocks_login") and script.get("run_on_start")
        for script in cast("list[Json]", agent.get("scripts") or [])
    )
