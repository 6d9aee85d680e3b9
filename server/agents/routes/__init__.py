"""The HTTP and WebSocket edges of agents: for agents themselves, for clients, and for anybody."""

from fastapi import APIRouter

from server.agents.routes import clients, machines, me, public, terminals

routes = APIRouter()
# Agents first: "me" must not be taken for an id.
for _part in (me.routes, machines.routes, clients.routes, terminals.routes, public.routes):
    routes.include_router(_part)

__all__ = ["routes"]
