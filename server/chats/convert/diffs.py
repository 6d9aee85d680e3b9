"""Branches and pull requests, as clients see them."""

from coder_cli.sdk.chats import diffs as sdk
from server.chats.model.diff import DiffStatus
from server.chats.model.shown import Diff


def diff_status(known: DiffStatus) -> sdk.ChatDiffStatus:
    """Return what is known of a chat's branch; branch and remote stay inside."""
    state = known.pull_request_state
    return sdk.ChatDiffStatus(
        chat_id=known.chat_id,
        url=known.url,
        pull_request_state=None if state is None else sdk.PullRequestState(state),
        pull_request_title=known.pull_request_title,
        pull_request_draft=known.pull_request_draft,
        changes_requested=known.changes_requested,
        additions=known.additions,
        deletions=known.deletions,
        changed_files=known.changed_files,
        author_login=known.author_login,
        author_avatar_url=known.author_avatar_url,
        base_branch=known.base_branch,
        head_branch=known.head_branch or known.git_branch or None,
        pr_number=known.pr_number,
        commits=known.commits,
        approved=known.approved,
        reviewer_count=known.reviewer_count,
        refreshed_at=known.refreshed_at,
        stale_at=known.stale_at,
    )


def diff(found: Diff) -> sdk.ChatDiffContents:
    """Return a chat's branch and its diff."""
    known = found.status
    return sdk.ChatDiffContents(
        chat_id=found.chat_id,
        provider=found.provider or None,
        remote_origin=known.git_remote_origin if known else None,
        branch=known.git_branch if known else None,
        pull_request_url=known.url if known else None,
        diff=found.text,
    )
