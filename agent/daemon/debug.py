"""What helps to find out what is wrong with an agent, for whoever may open port 4.

The manifest holds secrets, and scripts, metadata and URLs may: what is told of it is what it is
made of, by name.
"""

import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.kit.aside import aside
from agent.kit.logs import FILE_COUNT, FILE_NAME
from agent.network.http import Answer, Content, Refusal, Reply, Request, Table
from agent.processes import Environment
from coder_cli.sdk.agentapi import Json, Manifest

MOST_LOGS: Final = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Debug:
    """The routes below ``/debug``."""

    environment: Environment
    log_dir: Path

    def mount(self, table: Table) -> None:
        """Add the routes."""
        table.add("GET", "/debug/manifest", self._manifest)
        table.add("GET", "/debug/logs", self._logs)

    async def _manifest(self, _: Request) -> Reply:
        manifest = self.environment.manifest
        if manifest is None:
            raise Refusal(404, "The server has not told the agent yet who it is.")
        return Answer(200, _told(manifest))

    async def _logs(self, _: Request) -> Reply:
        pieces = await aside(_newest, self.log_dir)
        return Content(_each(pieces), "text/plain; charset=utf-8", sum(map(len, pieces)))


def _told(manifest: Manifest) -> Json:
    return {
        "agent_id": str(manifest.agent_id),
        "agent_name": manifest.agent_name,
        "workspace_id": str(manifest.workspace_id),
        "workspace_name": manifest.workspace_name,
        "owner_username": manifest.owner_username,
        "parent_id": str(manifest.parent_id) if manifest.parent_id else None,
        "directory": manifest.directory,
        "motd_path": manifest.motd_path,
        "environment_variables": sorted(manifest.environment_variables),
        "secrets": sorted(one.env_name or one.file_path for one in manifest.secrets),
        "scripts": [one.display_name for one in manifest.scripts],
        "apps": [one.slug for one in manifest.apps],
        "metadata": [one.key for one in manifest.metadata],
        "devcontainers": [one.workspace_folder for one in manifest.devcontainers],
    }


def _newest(log_dir: Path) -> list[bytes]:
    """Return the end of the log, the older files before the newer ones, whole lines."""
    names = [FILE_NAME, *(f"{FILE_NAME}.{number}" for number in range(1, FILE_COUNT + 1))]
    pieces: list[bytes] = []
    room = MOST_LOGS
    for name in names:
        try:
            with (log_dir / name).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - room, 0))
                piece = file.read(room)
        except OSError:
            break
        if size > room:
            pieces.insert(0, piece.partition(b"\n")[2])
            break
        pieces.insert(0, piece)
        room -= size
    return pieces


async def _each(pieces: list[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece
