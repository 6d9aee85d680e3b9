"""Facts: what happened, in the past tense, with ids only. They leave with the commit."""

from abc import ABC, abstractmethod

from pydantic import BaseModel, ConfigDict

CHANNEL = "coder"
"""The one NOTIFY channel: a replica has one listening connection, whatever it listens to."""


class Fact(BaseModel, ABC):
    """Base of the facts in a room's ``events.py``.

    PostgreSQL limits a notification to 8000 bytes: carry ids, and let listeners re-read.
    """

    model_config = ConfigDict(frozen=True)

    @abstractmethod
    def topics(self) -> tuple[str, ...]:
        """Return whom this concerns, such as ``("job:<id>", "jobs")``."""
