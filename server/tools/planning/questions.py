"""Ask the person something with a few answers to choose from; the turn ends with it."""

import json
from typing import Annotated, cast

from pydantic import BeforeValidator, Field

from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.shape import Args, shaped


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return cast("object", json.loads(value))
    except (ValueError, RecursionError):
        return value


class Option(Args):
    """One answer."""

    label: str = Field(min_length=1, max_length=200, description="The answer in a few words.")
    description: str = Field(default="", max_length=2000, description="What it means.")


class Question(Args):
    """One question."""

    header: str = Field(min_length=1, max_length=200, description="What it is about, in a word.")
    question: str = Field(min_length=1, max_length=4000, description="The question in full.")
    options: list[Option] = Field(
        min_length=2,
        max_length=4,
        description="2 to 4 answers; the user may always answer something else.",
    )


class Ask(Args):
    """Arguments of ``ask_user_question``."""

    questions: Annotated[list[Question], BeforeValidator(_parsed)] = Field(
        min_length=1, max_length=10, description="What you need to know before you can plan."
    )


def ask_user_question(bench: Bench) -> Tool:
    """Return the tool."""
    _ = bench

    async def ask(args: Ask) -> Result:
        return Result(args.model_dump(mode="json"), ends_turn=True)

    return shaped(__package__ or "", "ask_user_question", Ask, ask)
