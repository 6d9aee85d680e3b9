"""Branches and pull requests of chats, and the live look at a workspace's repositories."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from coder_cli.sdk.chats.omitted import Filled, Maybe
from coder_cli.sdk.common import Request, Shape, Time


class PullRequestState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class ChatDiffStatus(Shape):
    """What is known of a chat's branch and pull request; ``url`` is absent without one."""

    chat_id: UUID
    url: Maybe[str] = None
    pull_request_state: Maybe[PullRequestState] = None
    pull_request_title: str = ""
    pull_request_draft: bool = False
    changes_requested: bool = False
    additions: int = 0
    deletions: int = 0
    changed_files: int = 0
    author_login: Maybe[str] = None
    author_avatar_url: Maybe[str] = None
    base_branch: Maybe[str] = None
    head_branch: Maybe[str] = None
    pr_number: Maybe[int] = None
    commits: Maybe[int] = None
    approved: Maybe[bool] = None
    reviewer_count: Maybe[int] = None
    refreshed_at: Maybe[Time] = None
    stale_at: Maybe[Time] = None


class ChatDiffContents(Shape):
    chat_id: UUID
    provider: Maybe[str] = None
    remote_origin: Maybe[str] = None
    branch: Maybe[str] = None
    pull_request_url: Maybe[str] = None
    diff: str = ""


class GitRepositoryChanges(Shape):
    """One repository of a workspace: its whole difference to HEAD, or that it is gone."""

    repo_root: str
    branch: str = ""
    remote_origin: str = ""
    unified_diff: str = ""
    removed: Filled[bool] = False


class GitWatchServerMessage(Shape):
    type: Literal["changes", "error"]
    scanned_at: Maybe[Time] = None
    repositories: Filled[list[GitRepositoryChanges]] = []
    message: Filled[str] = ""


class GitWatchClientMessage(Request):
    type: Literal["refresh"]
