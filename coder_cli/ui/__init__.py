"""What the person at the terminal sees and is asked."""

from coder_cli.ui.failures import explain, show_failure
from coder_cli.ui.printer import note, result, result_bytes, result_json, styled, warn
from coder_cli.ui.prompts import Asker, can_ask

__all__ = [
    "Asker",
    "can_ask",
    "explain",
    "note",
    "result",
    "result_bytes",
    "result_json",
    "show_failure",
    "styled",
    "warn",
]
