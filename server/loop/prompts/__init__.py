"""The words that we say to models, as files: prose is read and reviewed as prose."""

from enum import StrEnum
from functools import cache
from importlib.resources import files


class Prompt(StrEnum):
    """A file beside this one, without its ending."""

    DEFAULT = "default"
    ORCHESTRATION = "orchestration"
    CHILD = "child"
    PLAN = "plan"
    PLAN_CHILD = "plan_child"
    EXPLORE = "explore"
    ATTACHED = "attached"
    DETACHED = "detached"
    DETACHED_CHILD = "detached_child"
    TITLE = "title"
    COMPACTION = "compaction"
    SUMMARY = "summary"


@cache
def prompt(name: Prompt) -> str:
    """Return a text of ours, without the blank lines around it."""
    return (files("server.loop.prompts") / f"{name}.md").read_text("utf-8").strip()
