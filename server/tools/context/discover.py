"""Find the instruction files and skills of a workspace, through its agent.

Source: reference, chats, section 1.16. What is there is somebody's who may not mean well: a link
that leads out of the place it is found in is not followed (it would put a private key into a
prompt), names are checked, and all of it is bounded.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import structlog

from coder_cli.sdk.agentapi.files import ListDirectory
from server.agents import AgentApi, AgentRefused
from server.kit.errors import ApiError
from server.llm import ContextFile
from server.tools.context.frontmatter import read_head, skill_name
from server.tools.context.inside import inside, names_of, plain
from server.tools.found import Found, FoundSkill
from server.tools.link import OFFLINE, WorkspaceLink
from server.tools.means import Means
from server.workspaces import StandingAgent

log = structlog.get_logger()

FILES: Final = ("AGENTS.md", "CLAUDE.md", ".cursorrules")
SKILLS: Final = ("skills", ".agents/skills", ".claude/skills", ".codex/skills")
PLUGINS: Final = ".claude/plugins/cache"
PLUGIN_DEPTH: Final = 3
LARGEST_FILE: Final = 64 * 1024
LARGEST_ALL: Final = 2 * 1024 * 1024
MOST_RESOURCES: Final = 500
MOST_LISTINGS: Final = 200
WITHIN: Final = 5.0
"""Seconds that a turn waits for it."""


async def workspace_context(means: Means, link: WorkspaceLink) -> Found | None:
    """Return what the chat's workspace tells about itself; None where nobody answers in time.

    Kept per agent for five minutes: a turn that touches nothing asks nobody. ``Found.parts()`` is
    what a chat's history keeps of it.
    """
    if link.workspace_id is None:
        return None
    known = link.agent_id and means.contexts.get(link.agent_id, means.clock.monotonic())
    if known:
        return known
    try:
        async with asyncio.timeout(WITHIN):
            agent = await link.agent()
            if agent.status(means.database.clock.now()) in OFFLINE:
                # Every turn would wait for nothing.
                return None
            return await discover(means, link)
    except TimeoutError:
        await link.drop()
        log.info("a workspace's context is not read", reason=f"not within {WITHIN:g}s")
    except ApiError as error:
        log.info("a workspace's context is not read", reason=error.message)
    return None


async def discover(means: Means, link: WorkspaceLink) -> Found:
    """Return what the chat's workspace tells about itself; raises what reaching it raises."""
    agent = await link.agent()
    known = means.contexts.get(agent.id, means.clock.monotonic())
    if known is not None:
        return known
    home = await link.home()
    async with link.open() as api:
        found = await _Search(api, agent, home).run()
    means.contexts.put(agent.id, found, means.clock.monotonic())
    return found


@dataclass(slots=True)
class _Search:
    """One walk through a workspace, and what it has found so far."""

    api: AgentApi
    agent: StandingAgent
    home: str
    files: list[ContextFile] = field(default_factory=list[ContextFile])
    skills: dict[str, FoundSkill] = field(default_factory=dict[str, FoundSkill])
    _size: int = 0
    _listings: int = 0
    _read: set[str] = field(default_factory=set[str])
    """What was read, by where it is in truth."""

    @property
    def directory(self) -> str:
        """Return where the agent works."""
        told = self.agent.expanded_directory
        return told.rstrip("/") or "/" if plain(told) else self.home

    async def run(self) -> Found:
        """Look into all places where such things may be."""
        if plain(self.home):
            # What is the person's own comes first: what is special comes after what is general.
            await self._root(f"{self.home}/.coder", within=self.home)
        if plain(self.directory):
            await self._root(self.directory, within=self.directory)
        if plain(self.home):
            await self._plugins(f"{self.home}/{PLUGINS}", PLUGIN_DEPTH)
        return Found(
            self.agent.id,
            self.agent.operating_system,
            self.directory,
            self.home,
            tuple(self.files),
            tuple(self.skills.values()),
        )

    async def _root(self, root: str, *, within: str) -> None:
        names = await self._names(root)
        for name in FILES:
            if names.get(name) is False:
                await self._file(f"{root}/{name}", within)
        for place in SKILLS:
            if names.get(place.partition("/")[0]):
                await self._skills(f"{root}/{place}", within)

    async def _plugins(self, place: str, depth: int) -> None:
        """Look for ``skills`` below the place where plugins are unpacked."""
        names = await self._names(place)
        if names.get("skills"):
            await self._skills(f"{place}/skills", self.home)
        for name, is_directory in sorted(names.items()):
            known = is_directory and name != "skills" and not name.startswith(".")
            if known and depth and name.isprintable():
                await self._plugins(f"{place}/{name}", depth - 1)

    async def _skills(self, place: str, within: str) -> None:
        for name, is_directory in sorted((await self._names(place)).items()):
            if is_directory and skill_name(name) and name not in self.skills:
                await self._skill(name, f"{place}/{name}", within)

    async def _skill(self, name: str, directory: str, within: str) -> None:
        content = await self._content(f"{directory}/SKILL.md", within)
        if content is None or len(content) > LARGEST_FILE:
            return
        head = read_head(content.decode(errors="replace"))
        if head is None or head[0] != name:
            return
        self.skills[name] = FoundSkill(name, head[1], directory, head[2])

    async def _file(self, path: str, within: str) -> None:
        content = await self._content(path, within)
        if content is None:
            return
        text = content[:LARGEST_FILE].decode(errors="replace")
        if not text.strip():
            return
        self.files.append(
            ContextFile(
                path,
                text,
                truncated=len(content) > LARGEST_FILE,
                agent_id=self.agent.id,
                os=self.agent.operating_system,
                directory=self.directory,
            )
        )

    async def _content(self, path: str, within: str) -> bytes | None:
        """Return a file's begin, unless it is elsewhere, was read before, or is too much."""
        if len(self.files) + len(self.skills) >= MOST_RESOURCES or self._size >= LARGEST_ALL:
            return None
        try:
            target = await self.api.resolve_path(path)
            if target in self._read or not await inside(self.api, path, within):
                return None
            content = await self.api.read_file(target, 0, LARGEST_FILE + 1)
        except AgentRefused:
            return None
        self._read.add(target)
        self._size += min(len(content), LARGEST_FILE)
        return content

    async def _names(self, place: str) -> dict[str, bool]:
        """Return what a directory holds, and whether that is a directory; nothing if it is none."""
        self._listings += 1
        if self._listings > MOST_LISTINGS:
            return {}
        try:
            listed = await self.api.list_directory(ListDirectory(names_of(place)))
        except AgentRefused:
            return {}
        return {each.name: each.is_dir for each in listed.contents}
