"""Files of chats: what is known of one, and what an upload answers."""

from uuid import UUID

from coder_cli.sdk.chats.omitted import Maybe
from coder_cli.sdk.common import Shape, Time


class ChatFileMetadata(Shape):
    id: UUID
    owner_id: UUID
    organization_id: UUID
    name: str
    mime_type: str
    size_bytes: Maybe[int] = None
    created_at: Time


class UploadChatFileResponse(Shape):
    id: UUID


class ChatFileDownloadURL(Shape):
    """A link that needs no session, for a short while."""

    url: str
    expires_at: Time
    sha256: str
    size_bytes: int
    name: str
    mime_type: str
