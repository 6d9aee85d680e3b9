"""Which template somebody most likely wants: what they said, then what they and others use. Pure.

Source: reference, chats, section 4.4.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.templates import Template
from server.workspaces import TemplateUse

HALF_LIFE_DAYS = 14.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A template with how well it fits."""

    template: Template
    use: TemplateUse | None
    tier: int
    affinity: float


def tier(template: Template, query: str) -> int:
    """Return how well a template's words fit a search: 4 is its name, 0 nothing at all."""
    wanted = query.strip().lower()
    names = (template.name.lower(), template.display_name.lower())
    if not wanted or wanted in names:
        return 4
    if any(name.startswith(wanted) for name in names):
        return 3
    if any(wanted in name for name in names):
        return 2
    text = " ".join((*names, template.description.lower()))
    return 1 if all(word in text for word in wanted.split()) else 0


def affinity(template: Template, use: TemplateUse | None, now: datetime) -> float:
    """Return how near a template is to somebody: their own use fades, others' counts a little."""
    others = math.log1p(max(template.active_user_count, 0))
    if use is None:
        return others
    days = max((now - use.last_used_at).total_seconds() / 86400, 0.0)
    own = 10 * (use.active + 0.5 * use.deleted) * 0.5 ** (days / HALF_LIFE_DAYS)
    return own + others


def ranked(
    templates: Iterable[Template], uses: Mapping[UUID, TemplateUse], query: str, now: datetime
) -> Sequence[Ranked]:
    """Return the templates that fit, best first; equal ones by name."""
    found = [
        Ranked(each, uses.get(each.id), tier(each, query), affinity(each, uses.get(each.id), now))
        for each in templates
    ]
    fitting = [each for each in found if each.tier]
    return sorted(fitting, key=lambda each: (-each.tier, -each.affinity, each.template.name))


def recommended(found: Sequence[Ranked], query: str) -> Ranked | None:
    """Return the one to take without asking: the only one, one's own, or the one that was named."""
    if not found:
        return None
    first = found[0]
    named = bool(query.strip()) and first.tier >= 3
    return first if len(found) == 1 or first.use is not None or named else None
