"""How this room refuses: the sentences that clients know. Source: reference, chats, section 2."""

from collections.abc import Sequence
from datetime import datetime

from server.kit.errors import (
    Conflict,
    FieldError,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unavailable,
)


class OrganizationRequired(Invalid):
    """A chat belongs to an organization."""

    def __init__(self) -> None:
        super().__init__("organization_id is required.")


class SystemPromptTooLong(Invalid):
    """A chat's own system prompt is over the limit."""

    def __init__(self, most: int) -> None:
        super().__init__(
            "System prompt exceeds maximum length.",
            detail=f"Maximum length is {most} characters.",
            fields=[FieldError("system_prompt", f"Maximum length is {most} characters.")],
        )


class ContentRequired(Invalid):
    """A message without parts."""

    def __init__(self) -> None:
        super().__init__("Content is required.")


class InvalidPart(Invalid):
    """One part of a message cannot be taken; ``where`` names it, such as ``content[2].text``."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            "Invalid input part.", detail=f"{where} {reason}", fields=[FieldError(where, reason)]
        )


class InvalidBusyBehavior(Invalid):
    """Nobody knows what to do with the message while the chat works."""

    def __init__(self, given: str) -> None:
        super().__init__(
            "Invalid busy_behavior value.", detail=f'"{given}" is neither "queue" nor "interrupt".'
        )


class InvalidEffort(Invalid):
    """An effort that no model knows."""

    def __init__(self, given: str, known: Sequence[str]) -> None:
        super().__init__(
            "Invalid reasoning effort.", detail=f'"{given}" is none of {", ".join(known)}.'
        )


class UnknownMcpServers(Invalid):
    """MCP servers that nobody configured."""

    def __init__(self, ids: Sequence[object]) -> None:
        super().__init__(
            "One or more MCP server IDs are invalid.", detail=", ".join(str(one) for one in ids)
        )


class BadMessageID(Invalid):
    """What the path says is no id of a message."""

    def __init__(self) -> None:
        super().__init__("Invalid chat message ID.")


class OnlyUserMessages(Invalid):
    """What a model or a tool said cannot be said otherwise."""

    def __init__(self) -> None:
        super().__init__("Only user messages can be edited.")


class BadPage(Invalid):
    """A part of the log that cannot be."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(
            "Invalid pagination parameters.",
            detail=f"{field} {reason}",
            fields=[FieldError(field, reason)],
        )


class BadResults(Invalid):
    """Results of tools that are not exactly those which are waited for."""

    def __init__(self, message: str, call_id: str = "") -> None:
        super().__init__(message, detail=f'tool_call_id "{call_id}"' if call_id else "")


class BadDynamicTool(Invalid):
    """Tools of the client that cannot be offered to a model."""


class AlreadyArchived(Invalid):
    """There is nothing left to do."""

    def __init__(self) -> None:
        super().__init__("Chat is already archived.")


class NotArchived(Invalid):
    """There is nothing to take back."""

    def __init__(self) -> None:
        super().__init__("Chat is not archived.")


class ParentArchived(Invalid):
    """A sub-agent comes back with its parent only."""

    def __init__(self) -> None:
        super().__init__(
            "Cannot unarchive a chat while its parent is archived.",
            detail="Unarchive the parent: its sub-agents come back with it.",
        )


class MessageNotFound(NotFound):
    """The chat has no such message, or it was cut off by an edit."""

    def __init__(self) -> None:
        super().__init__("Chat message not found.")


class QueuedMessageNotFound(NotFound):
    """It was never there, is deleted, or was sent meanwhile."""

    def __init__(self) -> None:
        super().__init__("Queued message not found.")


class QueueFull(TooMany):
    """A chat keeps a bounded number of messages waiting."""

    def __init__(self, most: int) -> None:
        super().__init__("Message queue is full.", retry_after=5)
        self.detail = f"Maximum {most} messages can be queued."


class ChatArchived(Invalid):
    """An archived chat takes no messages."""

    def __init__(self) -> None:
        super().__init__(
            "Chat is archived.", detail="Unarchive the chat before anything is sent to it."
        )


class NotWaitingForResults(Conflict):
    """Results of tools come only while the chat waits for them."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("Chat is not waiting for tool results.", detail=detail)


class NothingToCompact(Conflict):
    """The chat has no history that could be made shorter, or is busy with it."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("There is nothing to compact.", detail=detail)


class NothingToClear(Conflict):
    """The chat has no history that a boundary would hide, or is busy."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("There is nothing to clear.", detail=detail)


class IllegalMove(Conflict):
    """The chat is in a state in which this cannot be done."""

    def __init__(self, move: str, state: str) -> None:
        super().__init__(
            "The chat's state does not allow this.", detail=f"{move} is not allowed in {state}."
        )


class InvalidLabels(Invalid):
    """Labels that a chat cannot have."""

    def __init__(self, *fields: FieldError) -> None:
        super().__init__("Invalid labels.", fields=fields)


class InvalidLabelFilter(Invalid):
    """A restriction of a list that is no label."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"Invalid label filter: {text!r} (expected format key:value, both must be non-empty)."
        )


class UnsupportedFileType(Invalid):
    """Chats do not take such files."""

    def __init__(self, mimetype: str) -> None:
        super().__init__(
            "Unsupported file type.",
            detail=f"{mimetype or 'A file without a Content-Type'} is not among the types that "
            "chats take: PNG, JPEG, GIF and WebP images, PDF, plain text, Markdown, CSV and JSON.",
        )


class MismatchedFileType(Invalid):
    """A file's bytes are not what its Content-Type says."""

    def __init__(self, declared: str, found: str) -> None:
        super().__init__(
            "File content type does not match Content-Type header.",
            detail=f"The header says {declared}, the bytes say {found}.",
        )


class MissingOrganization(Invalid):
    """Nobody said where the file belongs."""

    def __init__(self) -> None:
        super().__init__("Missing organization query parameter.")


class FileTooLarge(TooLarge):
    """A file of a chat is over the limit."""

    def __init__(self, most: int) -> None:
        super().__init__("File too large.", detail=f"A file may have {most} bytes at most.")


class TitleUnderWay(Conflict):
    """Somebody waits for a new title already."""

    def __init__(self) -> None:
        super().__init__("Title regeneration already in progress for this chat.")


class NoTitle(Conflict):
    """Nothing was said that a title could be made from, or the model gave none."""

    def __init__(self, detail: str) -> None:
        super().__init__("No title could be generated for this chat.", detail=detail)


class PromptTooLong(Invalid):
    """A prompt of the deployment or of a person is over the limit."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(f"{what} maximum length.", detail=f"Maximum length is {most} bytes.")


class OutOfRange(Invalid):
    """A number is too small or too large."""

    def __init__(self, message: str, field: str, least: int, most: int) -> None:
        wrong = FieldError(field, f"Must be between {least} and {most}.")
        super().__init__(message, fields=[wrong])


class DisabledModel(Invalid):
    """A model that is switched off takes no settings."""

    def __init__(self) -> None:
        super().__init__("Model config is disabled.")


class UnknownTemplates(Invalid):
    """A list names templates that chats could never use."""

    def __init__(self, ids: Sequence[object]) -> None:
        super().__init__(
            "One or more templates not found or deprecated.",
            detail=", ".join(str(one) for one in ids),
        )


class TitleFailed(Unavailable):
    """The model that was asked for a title did not give one."""

    def __init__(self, detail: str) -> None:
        super().__init__("Failed to regenerate chat title.", detail=detail)


class DiffUnavailable(Unavailable):
    """The git provider did not give a pull request's diff."""

    def __init__(self, detail: str) -> None:
        super().__init__("The diff could not be fetched.", detail=detail)


class BadPin(Invalid):
    """A chat cannot have this place among the pinned ones."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class BadTitle(Invalid):
    """A chat cannot be called so."""

    def __init__(self, message: str) -> None:
        super().__init__(message, fields=[FieldError("title", message)])


class WorkspaceUnknown(Invalid):
    """No such workspace, or the actor may not work in it."""

    def __init__(self) -> None:
        super().__init__("Workspace not found or you do not have access to this resource")


class WorkspaceElsewhere(Invalid):
    """The workspace is not the chat's organization's."""

    def __init__(self) -> None:
        super().__init__("Workspace does not belong to the specified organization.")


class TooManyWorkspaces(Invalid):
    """A question about more workspaces than one may ask for at once."""

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most} workspace IDs can be given.")


class UsageLimitExceeded(Conflict):
    """The owner's money, or everybody's, is spent; the body has the amounts."""

    def __init__(self, detail: str, *, spent: int, limit: int, resets_at: datetime) -> None:
        super().__init__("Chat usage limit exceeded.", detail=detail)
        self.facts = {
            "spent_micros": spent,
            "limit_micros": limit,
            "resets_at": resets_at.isoformat().replace("+00:00", "Z"),
        }


class ChatsPaused(Conflict):
    """Somebody stopped the owner's chats, or everybody's, and nothing new begins."""

    def __init__(self, reason: str, *, everybody: bool) -> None:
        whose = "Chats are" if everybody else "Your chats are"
        why = f"The reason given: {reason.rstrip('.')}." if reason else "No reason was given."
        super().__init__(
            f"{whose} stopped by an administrator.",
            detail=f"{why} Nothing is lost: send again when they are allowed to go on.",
        )
