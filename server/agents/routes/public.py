"""What anybody may fetch: the scripts that start an agent hold no secret."""

from fastapi import APIRouter, Depends
from starlette.responses import PlainTextResponse

from server.agents.actions.bootstrap import init_script
from server.agents.routes.edges import Board
from server.kit.routing import public

routes = APIRouter(prefix="/api/v2", tags=["Agents"], dependencies=[Depends(public)])


@routes.get("/init-script/{os}/{arch}")
async def get_init_script(board: Board, os: str, arch: str) -> PlainTextResponse:
    """Return the script that fetches and starts an agent."""
    return PlainTextResponse(init_script(os, arch, board.options.access_url))
