"""Find the instruction files and skills of a workspace, through its agent.

Source: reference, chats, section 1.16. What is there is somebody's who may not mean well: names
and links never lead out of the place they are found in, and all of it is bounded.
"""

import structlog

from server.kit.errors import ApiError
from server.tools.found import Found
from server.tools.link import WorkspaceLink
from server.tools.means import Means

log = structlog.get_logger()


async def workspace_context(means: Means, link: WorkspaceLink) -> Found | None:
    """Return what the chat's workspace tells about itself; None where nobody answers.

    Kept per agent for five minutes. ``Found.parts()`` is what a chat's history keeps of it, once
    for each agent: ``known_agents`` tells of which it has some.
    """
    try:
        agent = await link.agent()
        known = means.contexts.get(agent.id, means.clock.monotonic())
        if known is not None:
            return known
        found = Found(agent.id, agent.operating_system, agent.expanded_directory, "")
    except ApiError as error:
        log.debug("a workspace's context cannot be read", reason=error.message)
        return None
    means.contexts.put(agent.id, found, means.clock.monotonic())
    return found
