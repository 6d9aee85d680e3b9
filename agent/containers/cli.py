"""``@devcontainers/cli``: make dev containers, and read their configurations."""

import json
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from agent.containers.tools import Ran, ToolFailed, ToolMissing, Tools
from coder_cli.sdk.agentapi import BadShape, from_json
from coder_cli.sdk.agentapi.subagents import SubAgentApp

PROGRAM: Final = "devcontainer"
UP_WITHIN: Final = 3600.0
READ_WITHIN: Final = 60.0
_MISSING: Final = (
    "The devcontainer CLI is not installed in the workspace: npm install -g @devcontainers/cli."
)
_DISPLAYED: Final = ("vscode", "vscode_insiders", "web_terminal", "ssh_helper")


@dataclass(frozen=True, slots=True)
class Customization:
    """What a configuration says for us: ``customizations.coder``."""

    name: str = ""
    ignore: bool = False
    auto_start: bool = False
    display_apps: tuple[str, ...] = ("vscode", "web_terminal", "ssh_helper")
    apps: tuple[SubAgentApp, ...] = ()
    folder: str = ""
    """Where the work is inside the container."""


class DevcontainerCli(Protocol):
    """Whoever makes dev containers."""

    async def up(self, folder: str, config: str, *, anew: bool) -> str:
        """Make one and return the container's id. Raises ``ToolFailed``."""
        ...

    async def read(self, folder: str, config: str) -> Customization:
        """Return what a configuration says for us. Raises ``ToolFailed``."""
        ...


class Cli:
    """The program ``devcontainer``, if there is one."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def up(self, folder: str, config: str, *, anew: bool) -> str:
        """Make the container of a configuration; ``anew`` removes the one it has."""
        words = ["up", *(["--remove-existing-container"] if anew else [])]
        ran = await self._run(words, folder, config, UP_WITHIN)
        last = _last(ran.output)
        if last.get("outcome") == "success" and last.get("containerId"):
            return str(last["containerId"])
        why = last.get("description") or last.get("message") or _end(ran)
        raise ToolFailed(f"devcontainer up: {str(why)[:500]}")

    async def read(self, folder: str, config: str) -> Customization:
        """Read a configuration; it needs no container, nor anybody who could run one."""
        # The program asks docker which container it has. We know that already.
        words = ["read-configuration", "--docker-path", "true"]
        ran = await self._run(words, folder, config, READ_WITHIN)
        last = _last(ran.output)
        if ran.code != 0 or "configuration" not in last:
            raise ToolFailed(f"devcontainer read-configuration: {_end(ran)}")
        return customization(last)

    async def _run(self, words: list[str], folder: str, config: str, patience: float) -> Ran:
        place = ["--workspace-folder", folder, *(["--config", config] if config else [])]
        argv = [PROGRAM, *words, "--log-format", "json", *place]
        try:
            return await self._tools.run(argv, patience, folder)
        except ToolMissing:
            raise ToolFailed(_MISSING) from None


def customization(said: dict[str, Any]) -> Customization:
    """Return what the program's answer means for us; parts of a wrong kind are left out."""
    configuration: dict[str, Any] = _dict(said.get("configuration"))
    workspace: dict[str, Any] = _dict(said.get("workspace"))
    coder: dict[str, Any] = _dict(_dict(configuration.get("customizations")).get("coder"))
    shown: dict[str, Any] = _dict(coder.get("displayApps"))
    usual = Customization().display_apps
    apps: list[SubAgentApp] = []
    for row in cast("list[Any]", coder.get("apps") or []) if _is_list(coder.get("apps")) else []:
        try:
            app: dict[str, Any] = {**_dict(row)}
            app["display_name"] = app.get("displayName", "")
            app["open_in"] = app.get("openIn", "slim-window")
            apps.append(from_json(SubAgentApp, app))
        except BadShape:
            continue
    return Customization(
        name=str(coder.get("name") or ""),
        ignore=coder.get("ignore") is True,
        auto_start=coder.get("autoStart") is True,
        display_apps=tuple(name for name in _DISPLAYED if shown.get(name, name in usual) is True),
        apps=tuple(apps),
        folder=str(workspace.get("workspaceFolder") or ""),
    )


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _dict(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _last(output: str) -> dict[str, Any]:
    for line in reversed(output.splitlines()):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    return {}


def _end(ran: Ran) -> str:
    for line in reversed(ran.errors.splitlines()):
        said = _last(line).get("text") if line.startswith("{") else line.strip()
        if said:
            return str(said)[:500]
    return f"it ended with {ran.code}"
