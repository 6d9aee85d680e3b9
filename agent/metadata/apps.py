"""Whether the workspace's apps answer. For information only: a sick app is reachable all the same.

Source: reference, agent and provisioner, section 1.11.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from agent.kit.child import within
from agent.upstream import CallFailed, Line, LineDown
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import (
    App,
    AppHealth,
    AppHealthUpdate,
    Empty,
    Method,
)
from coder_cli.sdk.agentapi import (
    AppHealths as Report,
)

REPORT_EVERY: Final = 1.0
Probe: TypeAlias = Callable[[str], Awaitable[bool]]
"""Asks a URL; tells whether the app behind it is well."""
log = logging.getLogger("agent.apps")


@dataclass(slots=True)
class Judge:
    """Counts failures in a row. Pure."""

    threshold: int
    _failures: int = 0

    def after(self, well: bool) -> AppHealth | None:  # noqa: FBT001 — the only thing it is told
        """Return how the app is after another answer, or None if that is not known yet."""
        if well:
            self._failures = 0
            return AppHealth.HEALTHY
        self._failures = min(self._failures + 1, self.threshold)
        return AppHealth.UNHEALTHY if self._failures >= self.threshold else None


class AppHealths:
    """The checks of all apps. ``know`` the apps, then ``run`` for ever."""

    def __init__(self, line: Line, clock: Clock, probe: Probe) -> None:
        self._line = line
        self._clock = clock
        self._probe = probe
        self._apps: dict[UUID, App] = {}
        self._now: dict[UUID, AppHealth] = {}
        self._told: dict[UUID, AppHealth] = {}
        self._news = asyncio.Event()
        self._changed = asyncio.Event()

    def know(self, apps: Sequence[App]) -> None:
        """Take the apps, and what the server believes of their health."""
        self._apps = {app.id: app for app in apps if _is_checked(app)}
        self._told = {app.id: app.health for app in self._apps.values()}
        self._now = {app.id: self._now.get(app.id, app.health) for app in self._apps.values()}
        self._news.set()
        if self._news_to_tell():
            self._changed.set()

    async def run(self) -> None:
        """Check and report for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            watched: dict[UUID, tuple[App, asyncio.Task[None]]] = {}
            while True:
                await self._news.wait()
                self._news.clear()
                for app_id, (app, task) in list(watched.items()):
                    now = self._apps.get(app_id)
                    if now is None or now.healthcheck != app.healthcheck:
                        task.cancel()
                        del watched[app_id]
                for app_id, app in self._apps.items():
                    if app_id not in watched:
                        watched[app_id] = app, group.create_task(self._watch(app))

    async def _watch(self, app: App) -> None:
        check = app.healthcheck
        judge = Judge(check.threshold)
        due = self._clock.monotonic()
        while True:
            due = max(due + check.interval, self._clock.monotonic())
            await self._clock.sleep(due - self._clock.monotonic())
            health = judge.after(await self._ask(check.url, check.interval))
            if health is not None and self._now.get(app.id, health) is not health:
                # Never the URL: it may hold a password.
                log.info("app %r is %s", app.slug, health)
                self._now[app.id] = health
                self._changed.set()

    async def _ask(self, url: str, seconds: float) -> bool:
        answers: list[bool] = []

        async def ask() -> None:
            answers.append(await self._probe(url))

        await within(ask(), seconds, self._clock)
        return any(answers)

    async def _report(self) -> None:
        while True:
            await self._changed.wait()
            await self._clock.sleep(REPORT_EVERY)
            await self._line.up.wait()
            self._changed.clear()
            news = self._news_to_tell()
            if not news:
                continue
            updates = tuple(AppHealthUpdate(app_id, health) for app_id, health in news.items())
            try:
                await self._line.call(Method.APP_HEALTHS, Report(updates), Empty)
            except LineDown:
                self._changed.set()
                continue
            except CallFailed as no:
                log.warning("the server did not take the health of %d apps: %s", len(news), no)
            self._told |= news

    def _news_to_tell(self) -> dict[UUID, AppHealth]:
        return {
            app_id: health
            for app_id, health in self._now.items()
            if self._told.get(app_id) is not health
        }


def _is_checked(app: App) -> bool:
    check = app.healthcheck
    return bool(check.url) and check.interval > 0 and check.threshold > 0
