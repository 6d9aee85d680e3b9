"""What containers there are, by ``docker ps`` and ``docker inspect``."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol, cast

from agent.containers.tools import Ran, ToolFailed, ToolMissing, Tools
from coder_cli.sdk.agentapi.containers import Container, ContainerPort

PATIENCE: Final = 5.0
MOST: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Runtime(Protocol):
    """Whoever knows of containers."""

    async def containers(self) -> list[Container]:
        """Return all of them; none where nothing can run any.

        Raises:
            ToolFailed: they cannot be listed; the message says why.
        """
        ...

    async def remove(self, container: str) -> None:
        """Stop a container and delete it. Raises ``ToolFailed``."""
        ...


class Docker:
    """The program ``docker``, if there is one."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def containers(self) -> list[Container]:
        """Return what docker tells; without docker there are none, which is no trouble."""
        try:
            listed = await self._done(["ps", "--all", "--quiet", "--no-trunc"])
            ids = listed.split()[:MOST]
            if not ids:
                return []
            # One that goes meanwhile is missing in the answer, and fails the whole command.
            found = await self._tools.run(["docker", "inspect", *ids], PATIENCE)
        except ToolMissing:
            return []
        return inspected(found.output)

    async def remove(self, container: str) -> None:
        """Stop a container and delete it, its anonymous volumes too."""
        try:
            await self._done(["rm", "--force", "--volumes", container], 60.0)
        except ToolMissing:
            raise ToolFailed("docker is not installed in the workspace.") from None

    async def _done(self, words: Sequence[str], patience: float = PATIENCE) -> str:
        ran = await self._tools.run(["docker", *words], patience)
        if ran.code != 0:
            raise ToolFailed(_said(ran) or f"docker {words[0]} ended with {ran.code}")
        return ran.output


def _said(ran: Ran) -> str:
    return ran.errors.strip().rpartition("\n")[2][:500]


def inspected(text: str) -> list[Container]:
    """Return what ``docker inspect`` printed.

    Raises:
        ToolFailed: it is something else.
    """
    try:
        rows: Any = json.loads(text or "[]")
        return [_container(row) for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ToolFailed(f"docker inspect said what cannot be read: {error!r}") from None


def _container(row: dict[str, Any]) -> Container:
    state, config = row["State"], row["Config"]
    running = bool(state.get("Running"))
    labels: dict[str, Any] = config.get("Labels") or {}
    mounts: list[dict[str, str]] = row.get("Mounts") or []
    return Container(
        id=str(row["Id"]),
        name=str(row.get("Name") or row["Id"]).removeprefix("/"),
        image=str(config.get("Image") or ""),
        created_at=_moment(row.get("Created")),
        labels={key: str(value) for key, value in labels.items()},
        running=running,
        ports=tuple(_ports(row.get("NetworkSettings") or {})),
        status="running" if running else f"exited with status {state.get('ExitCode', 0)}",
        volumes={str(one["Source"]): str(one["Destination"]) for one in mounts if "Source" in one},
    )


def _ports(settings: Mapping[str, Any]) -> list[ContainerPort]:
    found: list[ContainerPort] = []
    bound = cast("dict[str, list[dict[str, str]] | None]", settings.get("Ports") or {})
    for name, bindings in bound.items():
        port, _, network = name.partition("/")
        for binding in bindings or []:
            host = ContainerPort(
                int(port), network or "tcp", binding.get("HostIp", ""), int(binding["HostPort"])
            )
            found.append(host)
    return found


def _moment(text: object) -> datetime:
    try:
        # Nanoseconds are more than a datetime reads.
        head, _, rest = str(text).partition(".")
        zone = "+00:00" if rest.endswith("Z") or not rest else rest[-6:]
        return datetime.fromisoformat(head.removesuffix("Z") + zone)
    except ValueError:
        return _EPOCH
