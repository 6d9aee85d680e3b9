"""Provider ``scripted``: an offline stand-in that follows simple instructions in the prompt."""

from server.llm.scripted.model import DISPLAY_NAME, MODEL, PROVIDER, Scripted

__all__ = ["DISPLAY_NAME", "MODEL", "PROVIDER", "Scripted"]
