"""Read the parts of a message that a person sends: their words, their files, their pointers."""

from collections.abc import Sequence
from uuid import UUID

from server.chats.actions import files
from server.chats.errors import ContentRequired, InvalidPart
from server.chats.model.files import StoredFile
from server.chats.model.orders import InputPart
from server.kit.db import Tx
from server.llm import File, FileReference, Part, Text


async def parts(tx: Tx, given: Sequence[InputPart]) -> tuple[Part, ...]:
    """Return what the actor says, as parts; files are the actor's own.

    Raises:
        ContentRequired: there is none.
        InvalidPart: one cannot be taken; the first is named.
    """
    if not given:
        raise ContentRequired
    ids = [part.file_id for part in given if part.type == "file" and part.file_id is not None]
    known = await files.known(tx, ids, tx.actor.user_id) if ids else {}
    return tuple(_part(f"content[{place}]", part, known) for place, part in enumerate(given))


def file_ids(said: Sequence[Part]) -> list[UUID]:
    """Return the files that a message names, each once."""
    named = [part.file_id for part in said if isinstance(part, File) and part.file_id is not None]
    return list(dict.fromkeys(named))


def words(said: Sequence[Part]) -> str:
    """Return what a message says in words."""
    return "\n".join(part.text for part in said if isinstance(part, Text))


def _part(where: str, part: InputPart, known: dict[UUID, StoredFile]) -> Part:
    match part.type:
        case "text":
            if not part.text.strip():
                raise InvalidPart(f"{where}.text", "cannot be empty.")
            return Text(part.text)
        case "file":
            return _file(f"{where}.file_id", part.file_id, known)
        case "file-reference":
            if not part.file_name.strip():
                raise InvalidPart(f"{where}.file_name", "cannot be empty.")
            return FileReference(part.file_name, part.start_line, part.end_line, part.content)
        case _:
            supported = f'"{part.type}" is not supported: "text", "file" and "file-reference" are.'
            raise InvalidPart(f"{where}.type", supported)


def _file(where: str, file_id: UUID | None, known: dict[UUID, StoredFile]) -> File:
    if file_id is None:
        raise InvalidPart(where, "is required.")
    stored = known.get(file_id)
    if stored is None:
        raise InvalidPart(where, f'"{file_id}" does not exist.')
    return File(media_type=stored.mimetype, file_id=stored.id, name=stored.name)
