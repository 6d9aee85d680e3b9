"""How parts that are no words become words: what a workspace told, lines of files, attachments."""

import base64
import binascii
import re
from collections.abc import Iterable

from server.llm import ContextFile, File, FileReference, Skill

MISSING = "[missing-attachment]"
"""Source: reference, chats, section 3.12."""

INLINE_BYTES = 128 * 1024
"""How much of an attached text is said in words."""

_PASTED = re.compile(r"pasted-text-\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}\.txt\Z")
_OWN_TAGS = re.compile(
    r"<(?=\s*/?\s*(?:workspace-context|available-skills|user-instructions|plan-file-path|"
    r"context-file|attached-file|notice)\b)",
    re.IGNORECASE,
)
_FENCES = re.compile(r"`{3,}")


def contained(text: str) -> str:
    """Return a text that cannot end the block it is put in, nor begin another one."""
    return _OWN_TAGS.sub("&lt;", text)


def block(tag: str, text: str, **attributes: str) -> str:
    """Return ``text`` between tags that nothing inside of it can close."""
    told = "".join(f' {name}="{_quoted(value)}"' for name, value in attributes.items() if value)
    return f"<{tag}{told}>\n{contained(text).strip()}\n</{tag}>"


def _quoted(value: str) -> str:
    return contained(value).replace('"', "&quot;").replace("\n", " ")


def context(parts: Iterable[ContextFile | Skill]) -> str:
    """Return what was found in a workspace: its instruction files, and the index of its skills.

    An empty path only marks that nothing was found, and says nothing.
    """
    files: list[ContextFile] = []
    skills: dict[str, Skill] = {}
    for part in parts:
        if isinstance(part, Skill):
            skills.setdefault(part.name, part)
        elif part.path and part.content.strip():
            files.append(part)
    return "\n\n".join(text for text in (_files(files), _skills(skills.values())) if text)


def _files(files: list[ContextFile]) -> str:
    if not files:
        return ""
    first = files[0]
    lines = [f"Operating system: {contained(first.os)}" if first.os else ""]
    lines.append(f"Working directory: {contained(first.directory)}" if first.directory else "")
    for file in files:
        cut = "\n[the rest of this file was left out]" if file.truncated else ""
        lines.append(f'<context-file path="{_quoted(file.path)}">')
        lines.append(contained(file.content).strip() + cut)
        lines.append("</context-file>")
    told = "\n".join(line for line in lines if line)
    return f"<workspace-context>\n{told}\n</workspace-context>"


def _skills(skills: Iterable[Skill]) -> str:
    lines = [
        f"- {contained(skill.name)}: {contained(' '.join(skill.description.split()))}"
        for skill in skills
    ]
    if not lines:
        return ""
    told = "Read one with read_skill before you do what it is about."
    return block("available-skills", "\n".join((told, *lines)))


def reference(part: FileReference) -> str:
    """Return lines of a file that a person points at: where they are, then the lines, fenced."""
    longest = max((len(found) for found in _FENCES.findall(part.content)), default=2)
    fence = "`" * max(3, longest + 1)
    lines = (
        str(part.start_line)
        if part.end_line <= part.start_line
        else f"{part.start_line}-{part.end_line}"
    )
    return f"{part.file_name}:{lines}\n{fence}\n{part.content}\n{fence}"


def is_text(part: File) -> bool:
    """Tell whether an attachment can be said in words."""
    kind = part.media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind == "application/json"


def is_pasted(part: File) -> bool:
    """Tell whether a client made a file of what somebody pasted."""
    return _PASTED.fullmatch(part.name) is not None


def attached(part: File) -> str:
    """Return the words of an attached text, at most 128 KiB of it."""
    try:
        content = base64.b64decode(part.data, validate=True)
    except (binascii.Error, ValueError):
        return MISSING
    text = content[:INLINE_BYTES].decode("utf-8", "replace")
    if len(content) > INLINE_BYTES:
        text += f"\n[{len(content) - INLINE_BYTES} bytes left out]"
    if is_pasted(part):
        return text
    return block("attached-file", text, name=part.name)
