"""Dev containers that are known, and what is told of them. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final
from uuid import UUID, uuid4

from coder_cli.sdk.agentapi.containers import (
    Container,
    Devcontainer,
    DevcontainerAgent,
    DevcontainerStatus,
)

LOCAL_FOLDER: Final = "devcontainer.local_folder"
CONFIG_FILE: Final = "devcontainer.config_file"
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Definition:
    """A configuration somebody has told of, or that was found."""

    workspace_folder: str
    config_path: str = ""
    name: str = ""
    id: UUID = field(default_factory=uuid4)
    subagent_id: UUID | None = None
    from_template: bool = False


@dataclass(slots=True)
class Known:
    """One of them, and how it is now."""

    definition: Definition
    name: str
    status: DevcontainerStatus = DevcontainerStatus.STOPPED
    dirty: bool = False
    container: Container | None = None
    agent: DevcontainerAgent | None = None
    error: str = ""
    busy: bool = False
    """It is being made or removed: what is listed meanwhile says nothing."""

    def told(self) -> Devcontainer:
        """Return what others are told."""
        return Devcontainer(
            id=self.definition.id,
            name=self.name,
            workspace_folder=self.definition.workspace_folder,
            config_path=self.definition.config_path,
            status=self.status,
            dirty=self.dirty,
            container=self.container,
            agent=self.agent,
            error=self.error,
        )

    def belongs(self, container: Container) -> bool:
        """Say whether ``container`` was made from this configuration."""
        labels = container.labels
        if labels.get(LOCAL_FOLDER) != self.definition.workspace_folder:
            return False
        config = labels.get(CONFIG_FILE, "")
        return not self.definition.config_path or config in ("", self.definition.config_path)

    def see(self, containers: Sequence[Container], changed_at: float | None) -> None:
        """Take in what runs now; ``changed_at`` is when the configuration was last written."""
        if self.busy:
            return
        own = [one for one in containers if self.belongs(one)]
        newest = max(own, key=lambda one: (one.running, one.created_at), default=None)
        self.container = newest
        if newest is None:
            # Gone, and with it what was said of it.
            self.dirty = False
            if self.status is not DevcontainerStatus.ERROR:
                self.status = DevcontainerStatus.STOPPED
            return
        self.dirty = changed_at is not None and changed_at > newest.created_at.timestamp()
        if newest.running:
            self.status, self.error = DevcontainerStatus.RUNNING, ""
        elif self.status is not DevcontainerStatus.ERROR:
            self.status = DevcontainerStatus.STOPPED


def name_for(folder: str, taken: Collection[str]) -> str:
    """Return a name for the dev container of ``folder`` that no other has."""
    plain = re.sub(r"[^a-z0-9]+", "-", PurePath(folder).name.lower()).strip("-") or "devcontainer"
    plain = plain[:_LONGEST].strip("-")
    name, number = plain, 2
    while name in taken:
        suffix = f"-{number}"
        name, number = plain[: _LONGEST - len(suffix)].strip("-") + suffix, number + 1
    return name
