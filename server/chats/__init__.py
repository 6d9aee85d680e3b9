"""Chats: conversations with a model that acts for its owner. See README.md."""

from server.chats.actions.accounts import LinkedAccounts
from server.chats.actions.diffs import Diffs
from server.chats.actions.gitsync import Branches
from server.chats.actions.streaming.feeds import Feeds
from server.chats.actions.titles import Titles
from server.chats.actions.watching import Watches
from server.chats.model.rules import ChatRules
from server.chats.routes import BASES, routes, talk
from server.chats.routes.context import routes as agent_routes
from server.chats.worker.crew import CrewOptions
from server.chats.worker.office import Ground, Office
from server.chats.worker.preparing import Pantry

__all__ = [
    "BASES",
    "Branches",
    "ChatRules",
    "CrewOptions",
    "Diffs",
    "Feeds",
    "Ground",
    "LinkedAccounts",
    "Office",
    "Pantry",
    "Titles",
    "Watches",
    "agent_routes",
    "routes",
    "talk",
]
