"""A template's directory as a tar archive, and back."""

import io
import tarfile
from pathlib import Path

from coder_cli.kit.refused import Refused

LIMIT = 10 * 2**20
"""The server takes no larger archives."""

_SKIPPED_DIRECTORIES = frozenset({".terraform", ".git", "__pycache__"})


def pack(directory: Path) -> bytes:
    """Return the directory as tar, in an order that does not depend on the disk.

    What Terraform makes on this machine (``.terraform``, state files, ``terraform.tfvars`` is kept)
    stays here: state may hold secrets, and providers are fetched where the template runs.

    Raises:
        Refused: there is no Terraform in it, or it is too large.
    """
    if not directory.is_dir():
        raise Refused(f"{directory} is not a directory.")
    if not any(directory.glob("*.tf")) and not any(directory.glob("*.tf.json")):
        raise Refused(
            f"{directory.resolve()} has no Terraform files (*.tf). Choose a directory with"
            " --directory, or start one with: coder templates init"
        )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(directory.rglob("*")):
            name = path.relative_to(directory)
            if _stays(name):
                continue
            archive.add(path, arcname=name.as_posix(), recursive=False, filter=_anonymous)
    content = buffer.getvalue()
    if len(content) > LIMIT:
        raise Refused(
            f"{directory.resolve()} makes an archive of {len(content) / 2**20:.1f} MiB; the limit"
            f" is {LIMIT // 2**20} MiB. Keep large files elsewhere."
        )
    return content


def unpack(content: bytes, target: Path) -> None:
    """Write the files of a tar archive below ``target``; what points outside is refused.

    Raises:
        Refused: the archive is broken or wants to write elsewhere.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            target.mkdir(parents=True, exist_ok=True)
            archive.extractall(target, filter="data")
    except tarfile.TarError as error:
        raise Refused(f"The template's archive cannot be unpacked: {error}.") from error


def _stays(name: Path) -> bool:
    if _SKIPPED_DIRECTORIES.intersection(name.parts):
        return True
    return name.name.endswith((".tfstate", ".tfstate.backup")) or name.name.startswith(
        ".terraform.tfstate"
    )


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    # The same files give the same archive, so that the server recognizes what it already has.
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
