"""The branch a chat works on and its pull request: what is known, and when to look again.

Source: reference, chats, section 1.8. Pure.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

TICK: Final = timedelta(seconds=10)
TICK_TIMEOUT: Final = timedelta(seconds=30)
BATCH: Final = 50
CLAIM: Final = timedelta(minutes=5)
"""A row that somebody looks at is left alone for so long, should they never come back."""
FRESH: Final = timedelta(seconds=120)
NO_TOKEN: Final = timedelta(minutes=10)
NO_PULL_REQUEST: Final = timedelta(seconds=15)
PUSHED_LATELY: Final = timedelta(minutes=2)

_ORIGIN: Final = re.compile(
    r"(?:https?://(?:[^@/]*@)?|ssh://(?:[^@/]*@)?|git://|(?:[^@/]+@))"
    r"(?P<host>[\w.-]+)(?::\d+)?[:/](?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?"
)
_PULL: Final = re.compile(
    r"https?://(?P<host>[\w.-]+)(?::\d+)?"
    r"/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)/pull/(?P<number>\d+)/?"
)


class PullState(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of a git provider."""

    host: str
    owner: str
    name: str

    @property
    def url(self) -> str:
        """Return its page."""
        return f"https://{self.host}/{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What a provider says of a pull request."""

    url: str
    number: int
    state: PullState
    title: str = ""
    draft: bool = False
    changes_requested: bool = False
    approved: bool = False
    reviewer_count: int = 0
    additions: int = 0
    deletions: int = 0
    changed_files: int = 0
    commits: int = 0
    author_login: str = ""
    author_avatar_url: str = ""
    base_branch: str = ""
    head_branch: str = ""


@dataclass(frozen=True, slots=True)
class DiffStatus:
    """What is known of a chat's branch and pull request."""

    chat_id: UUID
    url: str | None
    pull_request_state: str | None
    pull_request_title: str
    pull_request_draft: bool
    changes_requested: bool
    additions: int
    deletions: int
    changed_files: int
    author_login: str | None
    author_avatar_url: str | None
    base_branch: str | None
    head_branch: str | None
    pr_number: int | None
    commits: int | None
    approved: bool | None
    reviewer_count: int | None
    git_branch: str
    git_remote_origin: str
    pushed_at: datetime | None
    refreshed_at: datetime | None
    stale_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A row to look up, and whose rights it is looked up with."""

    chat_id: UUID
    owner_id: UUID
    url: str | None
    git_branch: str
    git_remote_origin: str
    pushed_at: datetime | None


def repository(origin: str) -> Repository | None:
    """Return the repository of a remote's address, in any of git's spellings, or None."""
    found = _ORIGIN.fullmatch(origin.strip())
    return _named(found["host"], found["owner"], found["name"]) if found else None


def _named(host: str, owner: str, name: str) -> Repository | None:
    """Return a repository whose name is one: ``..`` would lead elsewhere in a URL."""
    if not owner.strip(".") or not name.strip("."):
        return None
    return Repository(host.lower(), owner, name)


def pull(url: str) -> tuple[Repository, int] | None:
    """Return the repository and number of a pull request's page, or None."""
    found = _PULL.fullmatch(url.strip())
    where = _named(found["host"], found["owner"], found["name"]) if found else None
    return (where, int(found["number"])) if found and where else None


def unseen_until(claim: Claim, now: datetime) -> datetime | None:
    """Return when to look again for a branch that has no pull request.

    None leaves the claim's own time: soon after a push people open one, later hardly.
    """
    if claim.url:
        # It had one, and it is gone from the branch.
        return now + NO_PULL_REQUEST
    if claim.pushed_at is not None and now - claim.pushed_at < PUSHED_LATELY:
        return now + NO_PULL_REQUEST
    return None


def without_secret(origin: str) -> str:
    """Return a remote's address without the user and password that may be in it."""
    return re.sub(r"^(https?://)[^@/]*@", r"\1", origin.strip())
