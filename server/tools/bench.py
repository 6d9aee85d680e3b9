"""What every tool of a turn is made with."""

from dataclasses import dataclass

from server.tools.link import WorkspaceLink
from server.tools.means import Means
from server.tools.ports import ChatFacts, ChatPort


@dataclass(frozen=True, slots=True)
class Bench:
    """The house, the chat, and the chat's workspace."""

    means: Means
    facts: ChatFacts
    port: ChatPort
    link: WorkspaceLink
