"""The HTTP and WebSocket edges of agents: for agents themselves, for clients, and for anybody."""

from fastapi import APIRouter

from server.agents.routes import clients, containers, machines, me, public, terminals

routes = APIRouter()
# Agents first: "me" must not be taken for an id.
_clients = (clients.routes, containers.routes, terminals.routes)
for _part in (me.routes, machines.routes, *_clients, public.routes):
    routes.include_router(_part)

__all__ = ["routes"]
