"""Whether a failed call is made again, and when. Source: reference, chats, section 3.7."""

from server.llm import ErrorKind, ModelError

MAX_CALLS = 25
"""Calls of one step at most, the first one counted, unless the deployment says otherwise."""

LONGEST = 60.0
PATIENCE = 900.0
"""Seconds that a provider may ask us to wait: beyond that a person is told, rather than kept."""


NO_ANSWER = 502
"""The status of what is no answer of a model at all, such as a page: it is tried once more.

A real one is no ``generic`` failure but a ``timeout``.
"""


def delay(failed: int, error: ModelError, most: int = MAX_CALLS) -> float | None:
    """Return how long to wait after so many failed calls of a step; None gives up.

    The provider's own wish is a lower bound.
    """
    garbled = error.kind is ErrorKind.GENERIC and error.status_code == NO_ANSWER
    if not error.retryable or failed >= (min(2, most) if garbled else most):
        return None
    wish = error.retry_after or 0.0
    if wish > PATIENCE:
        return None
    return max(min(2.0 ** (failed - 1), LONGEST), wish)
