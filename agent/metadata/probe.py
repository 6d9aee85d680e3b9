"""Ask an app over HTTP how it is: one request, of which only the status counts."""

import logging
from typing import Final

from agent.network import NoAnswer, asked

_SICK: Final = 500
log = logging.getLogger("agent.apps")


async def is_well(url: str) -> bool:
    """Tell whether ``url`` answers with a status below 500. A redirection is an answer."""
    try:
        async with asked(url) as answer:
            return answer.status < _SICK
    except NoAnswer as error:
        log.debug("a health check got no answer: %s", error)
        return False
