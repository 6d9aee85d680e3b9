"""Containers of a workspace, through its agent."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.websockets import WebSocket

from coder_cli.sdk.common import Response
from coder_cli.sdk.containers import WorkspaceAgentListContainersResponse
from server.agents.actions import containers, watching
from server.agents.routes.edges import Board, Watching, push
from server.kit.routing import Me

routes = APIRouter(prefix="/api/v2/workspaceagents/{agent_id}/containers", tags=["Agents"])


@routes.get("")
async def get_containers(
    board: Board, me: Me, agent_id: UUID, label: Annotated[list[str] | None, Query()] = None
) -> WorkspaceAgentListContainersResponse:
    """Return containers and dev containers of a workspace."""
    labels = containers.labels_of(label or [])
    return await containers.listed(board, me, agent_id, labels)


@routes.websocket("/watch")
async def watch_containers(websocket: WebSocket, board: Board, watcher: Watching) -> None:
    """Send containers and dev containers now and whenever they change."""
    await watching.require_sight(board, watcher)
    found = containers.watch(board, watcher)
    await push(websocket, _texts(found), watching.until_hidden(board, watcher))


@routes.post("/devcontainers/{devcontainer}/recreate", status_code=202)
async def post_recreate(board: Board, me: Me, agent_id: UUID, devcontainer: UUID) -> Response:
    """Have a dev container made anew."""
    return await containers.recreate(board, me, agent_id, devcontainer)


@routes.delete("/devcontainers/{devcontainer}", status_code=204)
async def delete_devcontainer(board: Board, me: Me, agent_id: UUID, devcontainer: UUID) -> None:
    """Have a dev container stopped and deleted."""
    await containers.delete(board, me, agent_id, devcontainer)


async def _texts(
    items: AsyncGenerator[WorkspaceAgentListContainersResponse],
) -> AsyncGenerator[str]:
    async with aclosing(items):
        async for item in items:
            yield item.model_dump_json()
