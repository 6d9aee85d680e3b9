"""Chats, as clients see them."""

from collections.abc import Sequence

from coder_cli.sdk.chats import chats as sdk
from coder_cli.sdk.chats import files as sdk_files
from server.chats.convert.diffs import diff_status
from server.chats.model import Chat, Status
from server.chats.model.files import StoredFile
from server.chats.model.shown import Shown


def status(chat: Chat) -> sdk.ChatStatus:
    """Return what a chat does now; one that runs and has no runner yet is ``pending``."""
    if chat.status is Status.RUNNING and chat.runner_id is None:
        return sdk.ChatStatus.PENDING
    return sdk.ChatStatus(chat.status.value)


def chat(
    chat: Chat, *, files: Sequence[StoredFile] | None = None, warnings: Sequence[str] = ()
) -> sdk.Chat:
    """Return a chat by itself; with ``files`` it is the one that was asked for."""
    return sdk.Chat(
        id=chat.id,
        organization_id=chat.organization_id,
        owner_id=chat.owner_id,
        owner_username=chat.owner_username,
        owner_name=chat.owner_name,
        workspace_id=chat.workspace_id,
        build_id=chat.build_id,
        agent_id=chat.agent_id,
        parent_chat_id=chat.parent_chat_id,
        root_chat_id=chat.root_chat_id,
        last_model_config_id=chat.last_model_config_id,
        last_reasoning_effort=chat.last_reasoning_effort,
        title=chat.title,
        status=status(chat),
        mode=sdk.ChatMode(chat.mode) if chat.mode else None,
        plan_mode="plan" if chat.plan_mode else "",
        last_error=sdk.ChatError.model_validate(chat.last_error) if chat.last_error else None,
        created_at=chat.created_at,
        updated_at=chat.updated_at,
        archived=chat.archived,
        pin_order=chat.pin_order,
        mcp_server_ids=chat.mcp_server_ids,
        labels=dict(chat.labels),
        files=None if files is None else [_file(one) for one in files],
        has_unread=chat.has_unread,
        warnings=list(warnings),
        client_type=sdk.ChatClientType(chat.client_type),
    )


def shown(
    found: Shown, *, files: Sequence[StoredFile] | None = None, warnings: Sequence[str] = ()
) -> sdk.Chat:
    """Return a chat with its branch and its sub-agents."""
    return chat(found.chat, files=files, warnings=warnings).model_copy(
        update={
            "diff_status": None if found.diff is None else diff_status(found.diff),
            "children": [shown(child) for child in found.children],
        }
    )


def _file(stored: StoredFile) -> sdk_files.ChatFileMetadata:
    return sdk_files.ChatFileMetadata(
        id=stored.id,
        owner_id=stored.owner_id,
        organization_id=stored.organization_id,
        name=stored.name,
        mime_type=stored.mimetype,
        size_bytes=stored.size_bytes,
        created_at=stored.created_at,
    )
