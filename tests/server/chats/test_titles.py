"""Titles: the first words, what a model gives, and who may write over whom."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.chats.actions.titles import Namer
from server.chats.model import Chat
from server.chats.model.titles import (
    CONTEXT_CHARACTERS,
    NEWEST_CHARACTERS,
    Said,
    answered,
    context,
    deterministic,
    fallback,
    tidy,
)
from server.chats.store import chats
from server.kit.authz import Actor
from server.llm import (
    ErrorKind,
    Finish,
    Finished,
    Model,
    ModelError,
    Prices,
    Request,
    Role,
    StreamEvent,
    Text,
    Usage,
)
from tests.server.chats.bureau import Bureau
from tests.server.chats.rows import SYSTEM

USAGE = Usage(input_tokens=1000, output_tokens=10)
PRICES = Prices("test", input=Decimal(1), output=Decimal(2))


@dataclass
class Titler(Model):
    """A model that answers with one text, once it may."""

    says: str = '{"title": "Broken parser"}'
    provider: str = "openai"  # pyright: ignore[reportIncompatibleMethodOverride] - a field is a property
    name: str = "small"  # pyright: ignore[reportIncompatibleMethodOverride] - a field is a property
    error: ModelError | None = None
    asked: list[Request] = field(default_factory=list[Request])
    may: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:  # pyright: ignore[reportImplicitOverride] - the protocol says def
        self.asked.append(request)
        self.called.set()
        await self.may.wait()
        if self.error:
            raise self.error
        yield Finished((Text(self.says),), USAGE, Finish.STOP)


@pytest.fixture
def titler(bureau: Bureau) -> Titler:
    """The model of every chat, which answers at once."""
    made = Titler()
    made.may.set()
    bureau.namer = Namer(made, PRICES)
    return made


async def read(bureau: Bureau, chat: UUID) -> Chat:
    async with bureau.database.tx(SYSTEM) as tx:
        found = await chats.by_id(tx, chat)
    assert found is not None
    return found


async def begun(bureau: Bureau, words: str = "please fix the parser") -> tuple[UUID, Actor]:
    """Return a chat of Ann's with its first message."""
    chat = await bureau.chat(bureau.ann, title=fallback(words))
    await bureau.say(chat, Role.USER, words)
    return chat, await bureau.people.actor(bureau.ann)


async def test_a_chat_gets_a_title_after_its_first_message(bureau: Bureau, titler: Titler) -> None:
    chat, ann = await begun(bureau)
    before = await read(bureau, chat)
    await bureau.titles.suggest(ann, chat)
    found = await read(bureau, chat)
    assert (found.title, found.title_source) == ("Broken parser", "generated")
    assert found.updated_at == before.updated_at
    assert found.last_model_config_id == before.last_model_config_id
    [request] = titler.asked
    assert request.schema is not None
    assert "please fix the parser" in str(request.messages[-1].parts)


async def test_what_it_cost_counts_though_nobody_sees_the_row(
    bureau: Bureau, titler: Titler
) -> None:
    chat, ann = await begun(bureau)
    await bureau.titles.suggest(ann, chat)
    async with bureau.database.tx(SYSTEM) as tx:
        [row] = await tx.rows(
            """
            SELECT role, content, visibility, deleted, total_cost_micros, input_tokens
              FROM chat_messages WHERE role = 'assistant'
            """
        )
    assert row == {
        "role": "assistant",
        "content": [],
        "visibility": "model",
        "deleted": True,
        "total_cost_micros": 1020,
        "input_tokens": 1000,
    }
    assert await bureau.value("SELECT sum(cost_micros) FROM chat_spend") == 1020
    assert not (await read(bureau, chat)).has_unread


async def test_a_chat_that_went_on_or_has_a_title_is_left_alone(
    bureau: Bureau, titler: Titler
) -> None:
    chat, ann = await begun(bureau)
    await bureau.run("UPDATE chats SET title_source = 'user'")
    await bureau.titles.suggest(ann, chat)
    await bureau.run("UPDATE chats SET title_source = 'fallback'")
    await bureau.say(chat, Role.ASSISTANT, "done")
    await bureau.titles.suggest(ann, chat)
    empty = await bureau.chat(bureau.ann)
    await bureau.titles.suggest(ann, empty)
    assert not titler.asked


async def test_extra_a_late_title_does_not_overwrite_a_rename(
    bureau: Bureau, titler: Titler
) -> None:
    chat, ann = await begun(bureau)
    titler.may.clear()
    working = asyncio.ensure_future(bureau.titles.suggest(ann, chat))
    await asyncio.wait_for(titler.called.wait(), 20)
    await bureau.ann.api.patch(f"/chats/{chat}", json={"title": "Mine"})
    titler.may.set()
    await working
    found = await read(bureau, chat)
    assert (found.title, found.title_source) == ("Mine", "user")
    # It was paid for nevertheless.
    assert await bureau.value("SELECT count(*) FROM chat_spend") == 1


@pytest.mark.parametrize("says", ["", "{}", '{"title": ""}', '{"title": 7}'])
async def test_an_answer_without_a_title_leaves_the_first_words(
    bureau: Bureau, titler: Titler, says: str
) -> None:
    titler.says = says
    chat, ann = await begun(bureau)
    await bureau.titles.suggest(ann, chat)
    assert (await read(bureau, chat)).title_source == "fallback"


async def test_a_model_that_fails_leaves_the_first_words(bureau: Bureau, titler: Titler) -> None:
    titler.error = ModelError(ErrorKind.AUTH, "The key is not accepted.")
    chat, ann = await begun(bureau)
    await bureau.titles.suggest(ann, chat)
    assert (await read(bureau, chat)).title_source == "fallback"


async def test_the_scripted_model_is_not_called(bureau: Bureau) -> None:
    scripted = Titler(provider="scripted")
    bureau.namer = Namer(scripted)
    chat, ann = await begun(bureau, "$ make test\nand more")
    await bureau.titles.suggest(ann, chat)
    assert (await read(bureau, chat)).title == "Make test"
    await bureau.say(chat, Role.USER, "read README.md")
    answer = await bureau.ann.api.post(f"/chats/{chat}/title/propose")
    assert answer.json() == {"title": "Read README.md"}
    assert not scripted.asked


async def test_a_new_title_on_demand(bureau: Bureau, titler: Titler) -> None:
    chat, _ = await begun(bureau)
    await bureau.say(chat, Role.ASSISTANT, "done")
    await bureau.say(chat, Role.USER, "now the lexer")
    await bureau.run("UPDATE chats SET title_source = 'user', title = 'Mine'")
    answer = await bureau.ann.api.post(f"/chats/{chat}/title/regenerate")
    assert answer.status_code == 200
    assert answer.json()["title"] == "Broken parser"
    asked = str(titler.asked[0].messages[-1].parts)
    assert "assistant: done" in asked
    assert "The newest request: now the lexer" in asked


async def test_one_regeneration_at_a_time(bureau: Bureau, titler: Titler) -> None:
    chat, _ = await begun(bureau)
    titler.may.clear()
    at = f"/chats/{chat}/title/regenerate"
    first = asyncio.ensure_future(bureau.ann.api.post(at))
    await asyncio.wait_for(titler.called.wait(), 20)
    second = await bureau.ann.api.post(at)
    assert second.status_code == 409
    assert second.json()["message"] == ("Title regeneration already in progress for this chat.")
    titler.may.set()
    assert (await first).status_code == 200
    assert (await bureau.ann.api.post(at)).status_code == 200


async def test_a_regeneration_whose_server_died_holds_nobody_up(
    bureau: Bureau, titler: Titler
) -> None:
    chat, _ = await begun(bureau)
    at = f"/chats/{chat}/title/regenerate"
    for age, status in ((50, 409), (70, 200)):
        await bureau.run(
            "UPDATE chats SET retitling_since = now() - %(age)s * interval '1 second'", age=age
        )
        assert (await bureau.ann.api.post(at)).status_code == status


async def test_a_failure_is_told_and_frees_the_chat(bureau: Bureau, titler: Titler) -> None:
    chat, _ = await begun(bureau)
    at = f"/chats/{chat}/title/regenerate"
    titler.error = ModelError(ErrorKind.AUTH, "The key is not accepted.")
    answer = await bureau.ann.api.post(at)
    assert (answer.status_code, answer.json()["detail"]) == (503, "The key is not accepted.")
    titler.error, titler.says = None, "{}"
    assert (await bureau.ann.api.post(at)).status_code == 503
    titler.says = '{"title": "Fine"}'
    assert (await bureau.ann.api.post(at)).json()["title"] == "Fine"


async def test_a_proposal_changes_nothing_but_the_bill(bureau: Bureau, titler: Titler) -> None:
    chat, _ = await begun(bureau)
    before = await read(bureau, chat)
    answer = await bureau.ann.api.post(f"/chats/{chat}/title/propose")
    assert answer.json() == {"title": "Broken parser"}
    assert (await read(bureau, chat)).title == before.title
    assert await bureau.value("SELECT sum(cost_micros) FROM chat_spend") == 1020


async def test_no_title_is_bought_when_the_money_is_spent(bureau: Bureau, titler: Titler) -> None:
    chat, ann = await begun(bureau)
    await bureau.run(
        """
        INSERT INTO chat_usage_limit_config (enabled, default_limit_micros, period, updated_at)
        VALUES (true, 1000, 'month', now())
        """
    )
    assert (await bureau.ann.api.post(f"/chats/{chat}/title/propose")).status_code == 200
    assert len(titler.asked) == 1
    for what in ("propose", "regenerate"):
        answer = await bureau.ann.api.post(f"/chats/{chat}/title/{what}")
        assert answer.status_code == 409
        assert answer.json()["message"] == "Chat usage limit exceeded."
    await bureau.titles.suggest(ann, chat)
    assert len(titler.asked) == 1


async def test_titles_of_others_chats_and_of_empty_ones(bureau: Bureau, titler: Titler) -> None:
    chat, _ = await begun(bureau)
    empty = await bureau.chat(bureau.ann)
    bob = await bureau.people.add("bob")
    for what in ("regenerate", "propose"):
        assert (await bob.api.post(f"/chats/{chat}/title/{what}")).status_code == 404
        assert (await bureau.ann.api.post(f"/chats/{empty}/title/{what}")).status_code == 409
    assert not titler.asked


# Pure ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", "New Chat"),
        (" \n ", "New Chat"),
        ("one two", "one two"),
        ("one two three four five six", "one two three four five six"),
        ("one two three four five six seven", "one two three four five six…"),
        ("a\n\n b\tc", "a b c"),
        ("x" * 100, "x" * 79 + "…"),
    ],
)
def test_first_words(text: str, title: str) -> None:
    assert fallback(text) == title


@given(st.text())
def test_first_words_always_fit(text: str) -> None:
    assert 0 < len(fallback(text)) <= 80


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ('{"title": "Fix it"}', "Fix it"),
        ('"Fix it."', "Fix it"),
        ("Fix the parser.", "Fix the parser"),
        ("Thinking aloud\n\nFix the parser", "Fix the parser"),
        ("[1]", ""),
        ("7", ""),
        ('{"title": "a b c d e f g h i j"}', "a b c d e f g h"),
    ],
)
def test_titles_in_answers(answer: str, title: str) -> None:
    assert answered(answer) == title


@given(st.text())
def test_whatever_a_model_says_a_title_is_one_short_line(text: str) -> None:
    for title in (answered(text), tidy(text), deterministic(text)):
        assert len(title) <= 80
        assert "\n" not in title
        assert len(title.split()) <= 8


def test_the_context_is_bounded_and_has_begin_and_end() -> None:
    said = [Said("user" if n % 2 == 0 else "assistant", f"{n} {'x' * 900}") for n in range(40)]
    text = context(said)
    assert len(text) < CONTEXT_CHARACTERS + NEWEST_CHARACTERS + 100
    assert text.startswith("user: 0 ")
    assert text.endswith("x" * 100)
    assert context([Said("assistant", "hello")]) == ""
