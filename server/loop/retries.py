"""Whether a failed call is made again, and when. Source: reference, chats, section 3.7."""

from server.llm import ModelError

MAX_CALLS = 25
"""Calls of one step, the first one counted."""

LONGEST = 60.0
PATIENCE = 900.0
"""Seconds that a provider may ask us to wait: beyond that a person is told, rather than kept."""


def delay(failed: int, error: ModelError) -> float | None:
    """Return how long to wait after so many failed calls of a step; None gives up.

    The provider's own wish is a lower bound.
    """
    if not error.retryable or failed >= MAX_CALLS:
        return None
    wish = error.retry_after or 0.0
    if wish > PATIENCE:
        return None
    return max(min(2.0 ** (failed - 1), LONGEST), wish)
