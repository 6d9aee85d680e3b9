"""The loop: what happens between a person's message and the model's last word. See README.md."""

from server.loop.cleaning import clean
from server.loop.layers import Opening, opening
from server.loop.ledger import LeaseLost, Ledger, LimitReached, Retrying, Row, Voice
from server.loop.outcome import Done, Failed, Limited, Outcome, Parked, Stopped
from server.loop.prompts import Prompt, prompt
from server.loop.repairing import Target, repair
from server.loop.running import run
from server.loop.switch import Interrupt, Switch
from server.loop.tool import Call, Result, Tool, Toolbox
from server.loop.turn import Engine, Layers, Turn

__all__ = [
    "Call",
    "Done",
    "Engine",
    "Failed",
    "Interrupt",
    "Layers",
    "LeaseLost",
    "Ledger",
    "LimitReached",
    "Limited",
    "Opening",
    "Outcome",
    "Parked",
    "Prompt",
    "Result",
    "Retrying",
    "Row",
    "Stopped",
    "Switch",
    "Target",
    "Tool",
    "Toolbox",
    "Turn",
    "Voice",
    "clean",
    "opening",
    "prompt",
    "repair",
    "run",
]
