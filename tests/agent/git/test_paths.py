"""Whose tool calls say where a chat works."""

from uuid import UUID

from agent.git import Paths
from agent.git.paths import MOST_CHATS, MOST_PATHS
from coder_cli.sdk.agentapi.http import ChatContext

ROOT, CHILD, SISTER, OTHER = (UUID(int=number) for number in range(1, 5))


def test_a_chat_has_the_paths_of_its_ancestors_and_of_what_it_started() -> None:
    paths = Paths()
    paths.touched(ChatContext(ROOT), ["/root"])
    paths.touched(ChatContext(CHILD, (ROOT,)), ["/child"])
    paths.touched(ChatContext(SISTER, (ROOT,)), ["/sister"])
    paths.touched(ChatContext(OTHER), ["/other"])
    assert set(paths.of(ROOT)) == {"/root", "/child", "/sister"}
    assert set(paths.of(CHILD)) == {"/root", "/child"}
    assert set(paths.of(OTHER)) == {"/other"}
    assert paths.of(UUID(int=9)) == []


def test_relative_paths_and_calls_of_nobody_say_nothing() -> None:
    paths = Paths()
    paths.touched(ChatContext(ROOT), ["relative", "/a\0b", "/" + "x" * 5000, ""])
    paths.touched(None, ["/somewhere"])
    assert paths.of(ROOT) == []


def test_what_is_remembered_is_bounded() -> None:
    """Seed: edited paths are tracked in-memory inside the workspace agent."""
    paths = Paths()
    paths.touched(ChatContext(ROOT), (f"/{number}" for number in range(MOST_PATHS + 1)))
    assert len(paths.of(ROOT)) == MOST_PATHS
    assert "/0" not in paths.of(ROOT)
    for number in range(MOST_CHATS):
        paths.touched(ChatContext(UUID(int=100 + number)), ["/x"])
    assert paths.of(ROOT) == []


def test_whoever_watches_hears_of_related_calls_only() -> None:
    paths = Paths()
    with paths.watched(ROOT) as bell:
        paths.touched(ChatContext(OTHER), ["/other"])
        assert not bell.is_set()
        paths.touched(ChatContext(CHILD, (ROOT,)))
        assert bell.is_set()
        bell.clear()
    paths.touched(ChatContext(ROOT), ["/root"])
    assert not bell.is_set()
