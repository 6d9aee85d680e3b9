"""The loop: what happens between a person's message and the model's last word. See README.md."""

from server.loop.ledger import LeaseLost, Ledger, LimitReached, Retrying, Row, Voice
from server.loop.tool import Call, Result, Tool, Toolbox

__all__ = [
    "Call",
    "LeaseLost",
    "Ledger",
    "LimitReached",
    "Result",
    "Retrying",
    "Row",
    "Tool",
    "Toolbox",
    "Voice",
]
