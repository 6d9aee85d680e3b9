"""Calls about chats: their life, their messages, what waits, their files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.chats.chats import Chat, CreateChatRequest, UpdateChatRequest
    from coder_cli.sdk.chats.diffs import ChatDiffContents
    from coder_cli.sdk.chats.messages import (
        ChatMessagesResponse,
        CreateChatMessageRequest,
        CreateChatMessageResponse,
        EditChatMessageRequest,
        EditChatMessageResponse,
        SubmitToolResultsRequest,
    )

ChatId = UUID | str


class ChatCalls(Transport):
    """``/chats`` and what is below one chat."""

    __slots__ = ()

    def chats(
        self,
        q: str = "",
        *,
        labels: Sequence[str] = (),
        limit: int = 0,
        after_id: ChatId | None = None,
    ) -> "list[Chat]":
        """Return root chats with their sub-agents, newest first; ``labels`` are ``key:value``."""
        after = str(after_id) if after_id else None
        answer = self.get("/chats", q=q, label=labels, limit=limit or None, after_id=after)
        from coder_cli.sdk.chats.chats import Chat

        return answer.read_list(Chat)

    def chat(self, chat_id: ChatId) -> "Chat":
        """Return one chat, with its files."""
        answer = self.get(f"/chats/{chat_id}")
        from coder_cli.sdk.chats.chats import Chat

        return answer.read(Chat)

    def create_chat(self, request: "CreateChatRequest") -> "Chat":
        """Begin a chat; its first turn starts at once."""
        answer = self.send("POST", "/chats", body=request)
        from coder_cli.sdk.chats.chats import Chat

        return answer.read(Chat)

    def update_chat(self, chat_id: ChatId, request: "UpdateChatRequest") -> None:
        """Change what is given in ``request``."""
        self.send("PATCH", f"/chats/{chat_id}", body=request)

    def chat_messages(
        self,
        chat_id: ChatId,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 0,
    ) -> "ChatMessagesResponse":
        """Return a page of messages: newest first, or oldest first after ``after_id`` alone."""
        path = f"/chats/{chat_id}/messages"
        answer = self.get(path, before_id=before_id, after_id=after_id, limit=limit or None)
        from coder_cli.sdk.chats.messages import ChatMessagesResponse

        return answer.read(ChatMessagesResponse)

    def send_chat_message(
        self, chat_id: ChatId, request: "CreateChatMessageRequest"
    ) -> "CreateChatMessageResponse":
        """Say something; a chat that works takes it later."""
        answer = self.send("POST", f"/chats/{chat_id}/messages", body=request)
        from coder_cli.sdk.chats.messages import CreateChatMessageResponse

        return answer.read(CreateChatMessageResponse)

    def edit_chat_message(
        self, chat_id: ChatId, message_id: int, request: "EditChatMessageRequest"
    ) -> "EditChatMessageResponse":
        """Say something otherwise; what came after it goes."""
        answer = self.send("PATCH", f"/chats/{chat_id}/messages/{message_id}", body=request)
        from coder_cli.sdk.chats.messages import EditChatMessageResponse

        return answer.read(EditChatMessageResponse)

    def interrupt_chat(self, chat_id: ChatId) -> "Chat":
        """Stop the turn; what it wrote stays."""
        answer = self.send("POST", f"/chats/{chat_id}/interrupt")
        from coder_cli.sdk.chats.chats import Chat

        return answer.read(Chat)

    def submit_tool_results(self, chat_id: ChatId, request: "SubmitToolResultsRequest") -> None:
        """Answer the calls that a chat waits for."""
        self.send("POST", f"/chats/{chat_id}/tool-results", body=request)

    def delete_queued_message(self, chat_id: ChatId, queued_id: int) -> None:
        """Take back what was not said yet."""
        self.send("DELETE", f"/chats/{chat_id}/queue/{queued_id}")

    def promote_queued_message(self, chat_id: ChatId, queued_id: int) -> None:
        """Say it now: the turn that runs is interrupted."""
        self.send("POST", f"/chats/{chat_id}/queue/{queued_id}/promote")

    def compact_chat(self, chat_id: ChatId) -> None:
        """Have what was said so far summed up, to make room."""
        self.send("POST", f"/chats/{chat_id}/compact")

    def clear_chat(self, chat_id: ChatId) -> None:
        """Let the model forget what was said so far; people still see it."""
        self.send("POST", f"/chats/{chat_id}/clear")

    def chat_diff(self, chat_id: ChatId) -> "ChatDiffContents":
        """Return the difference between a chat's branch and its base."""
        answer = self.get(f"/chats/{chat_id}/diff")
        from coder_cli.sdk.chats.diffs import ChatDiffContents

        return answer.read(ChatDiffContents)

    def upload_chat_file(
        self, organization_id: UUID, name: str, media_type: str, content: bytes
    ) -> UUID:
        """Store a file that messages may then hold; return its id."""
        answer = self.send(
            "POST",
            "/chats/files",
            content=(media_type, content, name),
            query={"organization": str(organization_id)},
        )
        from coder_cli.sdk.chats.files import UploadChatFileResponse

        return answer.read(UploadChatFileResponse).id

    def chat_file(self, file_id: ChatId) -> bytes:
        """Return a file's bytes."""
        return self.get(f"/chats/files/{file_id}").content
