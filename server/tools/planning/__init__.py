"""Plan mode: ask, and propose a plan."""

from server.tools.planning.plan import propose_plan
from server.tools.planning.questions import ask_user_question

__all__ = ["ask_user_question", "propose_plan"]
