"""Archives that people upload and get back."""

from dataclasses import dataclass
from uuid import UUID

from server.kit.db import Tx
from server.templates import policy
from server.templates.actions.read import found
from server.templates.model.archives import digest
from server.templates.model.templates import File
from server.templates.store import files


@dataclass(frozen=True, slots=True)
class Stored:
    """Where an upload went."""

    id: UUID
    fresh: bool
    """False when this user had uploaded the same before."""


async def save(tx: Tx, archive: bytes) -> Stored:
    """Store a checked tar; one that this user stored before is found again.

    Raises:
        Forbidden: the actor may not upload.
    """
    policy.may_upload(tx.actor)
    file_id, fresh = await files.save(tx, digest(archive), archive)
    return Stored(file_id, fresh)


async def read(tx: Tx, file_id: UUID) -> tuple[File, bytes]:
    """Return an archive and what it is.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    file = found(await files.get(tx, file_id))
    return file, found(await files.content(tx, file.id))
