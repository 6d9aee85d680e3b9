"""What a person wants of an agent, as requests: a new chat, or another message to one."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from secrets import token_hex
from typing import TYPE_CHECKING
from uuid import UUID

from coder_cli import ui
from coder_cli.commands.agents.finding import USAGE, find_chat, find_model
from coder_cli.commands.finding import find_organization, find_template, find_workspace
from coder_cli.commands.following import follow_build
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client

if TYPE_CHECKING:
    from coder_cli.sdk.chats.chats import Chat
    from coder_cli.sdk.chats.messages import CreateChatMessageResponse
    from coder_cli.sdk.chats.parts import ChatInputPart

Attachment = tuple[str, str, bytes]
"""Name, media type, content."""


@dataclass(frozen=True, slots=True)
class Order:
    """Something to be done, and where."""

    client: Client
    words: str
    attachments: Sequence[Attachment] = ()
    _: KW_ONLY
    workspace: str = ""
    template: str = ""
    model: str = ""
    plan: bool | None = None
    interrupt: bool = False
    title: str = ""
    org: str = ""

    def begin(self, labels: dict[str, str]) -> "tuple[Chat, int]":
        """Begin a chat; return it, and the message before it: none."""
        organization_id, workspace_id = self._place()
        model_id = self.model_id()
        from coder_cli.sdk.chats.chats import CreateChatRequest

        chat = self.client.create_chat(
            CreateChatRequest(
                organization_id=organization_id,
                content=self.content(organization_id),
                workspace_id=workspace_id,
                model_config_id=model_id,
                labels=labels,
                plan_mode="plan" if self.plan else "",
            )
        )
        for warning in chat.warnings:
            ui.warn(warning)
        return self._named(chat), 0

    def go_on(self, text: str) -> "tuple[Chat, int]":
        """Say it in a chat that is there, or just look at its turn; return the message before."""
        chat = find_chat(self.client, text)
        self._move(chat)
        chat = self._named(chat)
        if not self.words and not self.attachments:
            return chat, self._begin_of_turn(chat)
        newest = self.client.chat_messages(chat.id, limit=1).messages
        answer = self.say(chat)
        for warning in answer.warnings:
            ui.warn(warning)
        if answer.queued:
            ui.note("The agent is busy: it reads this when its turn is over.")
        return chat, newest[0].id if newest else 0

    def say(self, chat: "Chat") -> "CreateChatMessageResponse":
        """Say it in ``chat``."""
        model_id = self.model_id()
        from coder_cli.sdk.chats.messages import CreateChatMessageRequest

        request = CreateChatMessageRequest(
            content=self.content(chat.organization_id),
            model_config_id=model_id,
            busy_behavior="interrupt" if self.interrupt else "queue",
            plan_mode=None if self.plan is None else "plan" if self.plan else "",
        )
        return self.client.send_chat_message(chat.id, request)

    def _place(self) -> tuple[UUID, UUID | None]:
        if self.workspace:
            workspace = find_workspace(self.client, self.workspace)
            return workspace.organization_id, workspace.id
        if self.template:
            return self._new_workspace()
        return find_organization(self.client, self.org).id, None

    def _new_workspace(self) -> tuple[UUID, UUID | None]:
        template = find_template(self.client, self.org, self.template)
        from coder_cli.sdk.workspaces import CreateWorkspaceRequest

        name = f"{template.name[:27].rstrip('-')}-{token_hex(2)}"
        request = CreateWorkspaceRequest(name=name, template_id=template.id)
        workspace = self.client.create_workspace("me", request)
        follow_build(self.client, workspace.latest_build)
        ui.note(f"Workspace {name} has been created.")
        return template.organization_id, workspace.id

    def model_id(self) -> UUID | None:
        """Return the model that was asked for, if one was."""
        return find_model(self.client, self.model).id if self.model else None

    def content(self, organization_id: UUID) -> "list[ChatInputPart]":
        """Return the parts of the message; its files are uploaded now."""
        from coder_cli.sdk.chats.parts import ChatInputPart

        parts = [ChatInputPart(type="text", text=self.words)] if self.words else []
        for name, media_type, content in self.attachments:
            uploaded = self.client.upload_chat_file(organization_id, name, media_type, content)
            parts.append(ChatInputPart(type="file", file_id=uploaded))
        return parts

    def _move(self, chat: "Chat") -> None:
        """Bind the chat to another workspace, if that was asked for."""
        if not self.workspace:
            return
        workspace = find_workspace(self.client, self.workspace)
        if workspace.id != chat.workspace_id:
            from coder_cli.sdk.chats.chats import UpdateChatRequest

            self.client.update_chat(chat.id, UpdateChatRequest(workspace_id=workspace.id))

    def _named(self, chat: "Chat") -> "Chat":
        if not self.title or self.title == chat.title:
            return chat
        from coder_cli.sdk.chats.chats import UpdateChatRequest

        self.client.update_chat(chat.id, UpdateChatRequest(title=self.title))
        return chat.model_copy(update={"title": self.title})

    def _begin_of_turn(self, chat: "Chat") -> int:
        for message in self.client.chat_messages(chat.id).messages:
            if message.role == "user":
                return message.id
        return 0


def read_labels(pairs: Sequence[str]) -> dict[str, str]:
    """Return labels from ``key=value``.

    Raises:
        Refused: something else was written.
    """
    labels: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise Refused(f"--label {pair!r}: write key=value.", exit_code=USAGE)
        labels[key] = value
    return labels
