"""What a replica keeps of a chat: pure, bounded, and the same for the quick and the slow."""

from hypothesis import given
from hypothesis import strategies as st

from server.chats.model.live import MOST_BYTES, MOST_MESSAGES, MOST_PARTS, Kept, Parts, Place, Tail


@given(st.lists(st.sampled_from(["word", "begin", "void", "listen"]), max_size=200))
def test_whoever_listens_hears_each_word_once_however_seldom(doings: list[str]) -> None:
    parts, place, heard, said = Parts(), Place(), list[str](), list[str]()
    parts.begin(1, 0)
    for number, doing in enumerate(doings):
        match doing:
            case "word":
                parts.add(str(number))
                said.append(str(number))
            case "listen":
                news = parts.since(place)
                if news.place.episode != place.episode:
                    heard = []
                place = news.place
                heard.extend(news.events)
                assert heard == said
            case _:
                parts.begin(1, number, void=doing == "void")
                said = []


def test_what_is_void_is_said_to_be_and_only_to_those_who_heard_it() -> None:
    parts = Parts()
    parts.begin(1, 0)
    parts.add("half")
    early, late = parts.since(Place()).place, Place()
    parts.begin(1, 1, void=True)
    parts.add("anew")
    assert parts.since(early).reset
    assert not parts.since(late).reset
    parts.begin(2, 0)
    assert not parts.since(Place(parts.episode - 1, 1)).reset, "that was stored"


def test_a_step_keeps_so_much_and_who_missed_some_hears_so() -> None:
    parts = Parts()
    parts.begin(1, 0)
    place = parts.since(Place()).place
    assert all(parts.add("x") for _ in range(MOST_PARTS))
    assert not parts.add("x")
    news = parts.since(place)
    assert news.reset
    assert len(news.events) <= MOST_PARTS
    assert parts.said == MOST_PARTS + 1
    parts.begin(2, 0)
    for _ in range(10):
        parts.add("y" * (MOST_BYTES // 4))
    assert sum(map(len, parts.since(Place()).events)) <= MOST_BYTES


def kept(*ids: int) -> list[Kept]:
    return [Kept(id_, str(id_)) for id_ in ids]


def test_seed_durable_cache_is_bounded_and_never_guesses() -> None:
    tail = Tail()
    assert tail.since(0) is None
    tail.append(4, 5, kept(10, 11))
    assert tail.since(5) is None, "there may be some before"
    assert tail.since(9) == kept(10, 11)
    tail.append(5, 6, kept(*range(12, 12 + MOST_MESSAGES)))
    assert tail.since(11) == kept(*range(12, 12 + MOST_MESSAGES))
    assert tail.since(10) is None, "the oldest went"
    tail.append(7, 8, kept(900))
    assert tail.since(500) is None, "a history was missed"
    assert tail.since(899) == kept(900)
    tail.learn(9, 800, kept(900, 901))
    assert tail.since(800) == kept(900, 901)
    tail.forget()
    assert tail.since(900) is None


def test_what_was_read_and_then_told_is_there_once() -> None:
    tail = Tail()
    tail.learn(1, 0, kept(1, 2, 3))
    tail.append(1, 2, kept(3, 4))
    assert tail.since(0) == kept(1, 2, 3, 4)
    tail.append(1, 2, kept(3, 4))
    assert tail.since(0) == kept(1, 2, 3, 4)
