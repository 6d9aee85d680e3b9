"""Agents: the API that workspace agents call, and the way into a workspace. See README.md."""

from server.agents.actions.agentapi import AgentApi
from server.agents.actions.anchors import AnchorShelf
from server.agents.actions.bootstrap import init_script, init_scripts
from server.agents.actions.boundary import BoundaryCollector
from server.agents.actions.keeping import Kept
from server.agents.actions.socketing import AgentSocket, open_socket
from server.agents.actions.streams import Dialer
from server.agents.actions.switchboard import Options, Switchboard
from server.agents.errors import AgentRefused, BadAnswer, NotConnected, WrongState
from server.agents.routes import routes
from server.agents.routes.edges import CallingAgent
from server.agents.worker import Monitor

__all__ = [
    "AgentApi",
    "AgentRefused",
    "AgentSocket",
    "AnchorShelf",
    "BadAnswer",
    "BoundaryCollector",
    "CallingAgent",
    "Dialer",
    "Kept",
    "Monitor",
    "NotConnected",
    "Options",
    "Switchboard",
    "WrongState",
    "init_script",
    "init_scripts",
    "open_socket",
    "routes",
]
