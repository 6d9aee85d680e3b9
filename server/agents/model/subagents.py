"""Rules for the names of agents inside an agent, and of their apps. Pure.

Source: reference, agent and provisioner, sections 1.3 and 4.6.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from coder_cli.sdk.agentapi import BadShape
from coder_cli.sdk.agentapi.subagents import AppCreationError, CreateSubAgent, SubAgentApp

MOST_SUB_AGENTS: Final = 100
MOST_APPS: Final = 100
MOST_NAME: Final = 64
_NAME: Final = "^[a-z0-9](-?[a-z0-9])*$"
_SHARES: Final = frozenset({"owner", "authenticated", "organization", "public"})
_OPENINGS: Final = frozenset({"slim-window", "tab"})
_DISPLAYED: Final = frozenset(
    {"vscode", "vscode_insiders", "web_terminal", "ssh_helper", "port_forwarding_helper"}
)


@dataclass(frozen=True, slots=True)
class Kin:
    """Another agent of the same build."""

    id: UUID
    name: str
    parent_id: UUID | None


def check_sub_agent(wanted: CreateSubAgent, kin: Sequence[Kin]) -> None:
    """Refuse a sub-agent that cannot be named so, or would be one too many.

    Raises:
        BadShape: the sentence says which.
    """
    if not wanted.name:
        raise BadShape("name: agent name cannot be empty")
    if len(wanted.name) > MOST_NAME or not re.fullmatch(_NAME, wanted.name):
        raise BadShape(
            f'name: agent name "{wanted.name[:MOST_NAME]}" does not match regex "{_NAME}"'
        )
    others = [one for one in kin if one.id != wanted.id]
    if any(one.name.lower() == wanted.name for one in others):
        words = f'workspace agent name "{wanted.name}" already exists in this workspace build'
        raise BadShape(words)
    if sum(one.parent_id is not None for one in others) >= MOST_SUB_AGENTS:
        raise BadShape(f"a workspace has at most {MOST_SUB_AGENTS} sub-agents")
    unknown = set(wanted.display_apps) - _DISPLAYED
    if unknown:
        raise BadShape(f"display_apps: {min(unknown)[:40]!r} is no display app")
    if len(wanted.apps) > MOST_APPS:
        raise BadShape(f"apps: at most {MOST_APPS} are possible")


def sort_out(
    apps: Sequence[SubAgentApp], taken: Sequence[str] = ()
) -> tuple[list[SubAgentApp], list[AppCreationError]]:
    """Return the apps that can be made, and for each other one why not."""
    slugs = set(taken)
    good: list[SubAgentApp] = []
    bad: list[AppCreationError] = []
    for index, app in enumerate(apps):
        fault = _fault(app, slugs)
        if fault is None:
            good.append(app)
            slugs.add(app.slug)
        else:
            bad.append(AppCreationError(index, fault[1], fault[0]))
    return good, bad


def _fault(app: SubAgentApp, slugs: set[str]) -> tuple[str, str] | None:
    if not app.slug:
        return "slug", "app must have a slug or name set"
    if len(app.slug) > MOST_NAME or not re.fullmatch(_NAME, app.slug):
        return "slug", f'app slug "{app.slug[:MOST_NAME]}" does not match regex "{_NAME}"'
    if app.slug in slugs:
        return "slug", f'app slug "{app.slug}" already exists'
    if app.share not in _SHARES:
        return "share", f'"{app.share[:40]}" is not a valid app sharing level'
    if app.open_in not in _OPENINGS:
        return "open_in", f'"{app.open_in[:40]}" is not a valid way to open an app'
    return None
