"""A turn looks around in each workspace that it comes to, and not again and again."""

from dataclasses import dataclass
from uuid import UUID

from server.chats.worker.looking import Looker
from server.llm import ContextFile
from server.tools import Found

ONE, TWO, WORKSPACE = UUID(int=1), UUID(int=2), UUID(int=3)


@dataclass
class Place:
    """Where a turn works."""

    workspace_id: UUID | None = None
    agent_id: UUID | None = None


def told(agent_id: UUID) -> Found:
    files = (ContextFile("/AGENTS.md", "Use tabs.", agent_id=agent_id),)
    return Found(agent_id, "linux", "/", "/root", files)


async def test_a_workspace_is_asked_once_and_the_next_one_again() -> None:
    place, asked = Place(), list[UUID | None]()

    async def find() -> Found | None:
        asked.append(place.agent_id)
        place.agent_id = place.agent_id or ONE
        return told(place.agent_id)

    look = Looker(place, find)
    assert await look() == ()
    assert asked == []
    place.workspace_id = WORKSPACE
    assert len(await look()) == 1
    assert await look() == ()
    place.agent_id = TWO
    assert (await look())[0].agent_id == TWO
    assert await look() == ()
    assert asked == [None, TWO]


async def test_one_that_does_not_answer_is_asked_twice() -> None:
    asked: list[int] = []

    async def find() -> Found | None:
        asked.append(1)
        return None

    look = Looker(Place(WORKSPACE, ONE), find)
    for _ in range(5):
        assert await look() == ()
    assert len(asked) == 2
