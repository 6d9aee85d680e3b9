"""The environment of every process of a workspace, in its six layers, in one place."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.kit.paths import expand_path, expand_variables, home
from coder_cli.sdk import agentsocket
from coder_cli.sdk.agentapi import Manifest


class NoManifest(Exception):
    """The server has not told the agent yet who it is."""

    def __init__(self) -> None:
        super().__init__("no manifest")


@dataclass(slots=True)
class Environment:
    """Builds environments. ``manifest`` is set when it arrives, and anew when it changes."""

    base: Mapping[str, str] = field(repr=False)
    """The agent's own environment."""
    token: str = field(repr=False)
    executable: str
    bin_dir: Path
    manifest: Manifest | None = None
    socket_path: str = ""
    """The agent's socket, by which processes find it; empty when it has none."""
    boundary_path: str = ""
    """The agent's socket for boundaries."""
    display: Mapping[str, str] = field(default_factory=dict[str, str])
    """What names the workspace's desktop, once there is one; a session's own goes before."""
    auth: str = ""
    """How processes log in as the agent when it has no token of its own."""

    def build(self, additions: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a new process.

        ``additions`` belong to its session or script; they do not override what the product sets.

        Raises:
            NoManifest: it is too early.
        """
        manifest = self._known()
        env = {**self.base, **self.display, **(additions or {})}
        # An agent that was started in a workspace has inherited the way to that one's agent.
        env.pop(agentsocket.VARIABLE, None)
        if self.auth:
            env.pop("CODER_AGENT_TOKEN", None)
        env |= self._product(manifest)
        for name, value in manifest.environment_variables.items():
            env[name] = expand_variables(value, env)
        for secret in manifest.secrets:
            if secret.env_name:
                env[secret.env_name] = secret.value
        env["GIT_ASKPASS"] = self.executable
        env["PATH"] = self._path(env.get("PATH", os.defpath))
        return env

    def usual(self) -> Mapping[str, str]:
        """Return the environment of the agent's own tools: its own one while it is too early."""
        return self.base if self.manifest is None else self.build()

    def directory(self) -> str:
        """Return where processes start: the manifest's directory, or home if there is none.

        Raises:
            NoManifest: it is too early.
        """
        wanted = self.expanded_directory()
        return wanted if os.path.isdir(wanted) else self.home()  # noqa: PTH112 — a str stays one

    def expanded_directory(self) -> str:
        """Return the manifest's directory as an absolute path, whether or not it exists."""
        base = self.home()
        return expand_path(self._known().directory or base, self.build(), base)

    def show_on(self, display: Mapping[str, str]) -> None:
        """Let processes that start from now on find the desktop by ``display``."""
        self.display = display

    def home(self) -> str:
        """Return the user's home directory."""
        return home(self.base)

    def _known(self) -> Manifest:
        if self.manifest is None:
            raise NoManifest
        return self.manifest

    def _product(self, manifest: Manifest) -> dict[str, str]:
        ours = {
            "CODER": "true",
            "CODER_WORKSPACE_NAME": manifest.workspace_name,
            "CODER_WORKSPACE_AGENT_NAME": manifest.agent_name,
            "CODER_WORKSPACE_OWNER_NAME": manifest.owner_username,
            "GIT_SSH_COMMAND": f"{shlex.quote(self.executable)} gitssh --",
            "CS_DISABLE_GETTING_STARTED_OVERRIDE": "true",
        }
        # A token of an exchange may be another tomorrow: processes make the exchange themselves.
        if self.auth:
            ours["CODER_AGENT_AUTH"] = self.auth
        else:
            ours["CODER_AGENT_TOKEN"] = self.token
        if self.boundary_path:
            ours["CODER_AGENT_BOUNDARY_LOG_PROXY_SOCKET_PATH"] = self.boundary_path
        if self.socket_path:
            ours[agentsocket.VARIABLE] = self.socket_path
        if manifest.vs_code_port_proxy_uri:
            ours["VSCODE_PROXY_URI"] = manifest.vs_code_port_proxy_uri
        return ours

    def _path(self, path: str) -> str:
        own = str(Path(self.executable).parent)
        parts = path.split(os.pathsep)
        if own not in parts and own != ".":
            parts.append(own)
        return os.pathsep.join([str(self.bin_dir), *parts])
