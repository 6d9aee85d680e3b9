"""Watch a provisioner's job to its end: logs as they come, the queue, a lost server, ctrl-c."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from coder_cli import ui
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError, Unreachable
from coder_cli.ui.progress import JobProgress
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from coder_cli.sdk.builds import WorkspaceBuild
    from coder_cli.sdk.jobs import ProvisionerJob
    from coder_cli.sdk.templates import TemplateVersion

QUIET_SECONDS = 1.0
"""How long a silent log is trusted before the job itself is asked how it stands."""
PAUSE = 1.0
"""Seconds between two looks for a server that went away."""
PATIENCE = 60
"""How often it is looked for before the command gives up."""


@dataclass(slots=True)
class Watch:
    """One job under observation."""

    client: Client
    logs: str
    """The path of its log."""
    job: Callable[[], "ProvisionerJob"]
    cancel: Callable[[], None] | None
    """What ctrl-c does; None leaves the job alone."""
    progress: JobProgress
    why: Callable[[], str] = str
    """Why the job waits, as far as that is known."""
    _last: int = 0
    _lost: int = 0
    _canceled: bool = False

    def run(self) -> "ProvisionerJob":
        """Return the job when it has ended.

        Raises:
            Unreachable: the server stayed away.
        """
        while True:
            try:
                job = self._round()
            except KeyboardInterrupt:
                if self._canceled or self.cancel is None:
                    raise
                self._cancel(self.cancel)
                continue
            if job is not None and not job.status.active:
                self.progress.ended(job)
                return job

    def _round(self) -> "ProvisionerJob | None":
        """Read the log as far as one connection carries; return the job, or None."""
        try:
            job = self.job()
            if job.status == "pending":
                self.progress.queued(job, self.why())
            with self.client.follow(self.logs, follow=True, after=self._last or None) as stream:
                if self._lost:
                    ui.note("Connected again.")
                self._lost = 0
                whole = self._read(stream)
            # A job that ended in silence has lines under way: a new connection gets them at once.
            return self.job() if whole or not job.status.active else None
        except (Unreachable, ConnectionError) as error:
            self._lost += 1
            if self._lost > PATIENCE:
                raise
            if self._lost == 1:
                ui.note(f"The server is away ({error}). Waiting for it to come back …")
            Event().wait(PAUSE)
            return None

    def _read(self, stream: "ClientConnection") -> bool:
        """Show lines as they come; say whether the server closed the log, which is whole then."""
        from websockets.exceptions import ConnectionClosed

        from coder_cli.sdk.jobs import ProvisionerJobLog

        with suppress(ConnectionClosed):
            while True:
                try:
                    frame = stream.recv(timeout=QUIET_SECONDS)
                except TimeoutError:
                    if not self._ask():
                        return False
                    continue
                line = ProvisionerJobLog.model_validate_json(frame)
                if line.id > self._last:
                    self._last = line.id
                    self.progress.log(line)
        return True

    def _ask(self) -> bool:
        """Look at the job itself, and say whether it goes on."""
        job = self.job()
        if job.status == "pending":
            self.progress.queued(job, self.why())
        return job.status.active

    def _cancel(self, cancel: Callable[[], None]) -> None:
        self._canceled = True
        ui.note("\nCanceling … Press ctrl+c again to leave without waiting.")
        try:
            cancel()
        except ApiError as error:
            ui.note(f"It goes on: {ui.explain(error)}")
            raise KeyboardInterrupt from None


def follow_build(client: Client, build: "WorkspaceBuild") -> "WorkspaceBuild":
    """Show a build until it has ended, and return it as it is then. Ctrl-c cancels it.

    Raises:
        Refused: it did not succeed.
    """
    ended = watch_build(client, build, lambda: client.cancel_build(build.id))
    _judge(ended.job, f"coder logs {build.workspace_owner_name}/{build.workspace_name}")
    return ended


def watch_build(
    client: Client, build: "WorkspaceBuild", cancel: Callable[[], None] | None = None
) -> "WorkspaceBuild":
    """Show a build until it has ended; return it, whatever came of it."""
    seen = [build]

    def job() -> "ProvisionerJob":
        seen[0] = client.build(build.id)
        return seen[0].job

    Watch(
        client,
        f"/workspacebuilds/{build.id}/logs",
        job,
        cancel,
        JobProgress(),
        lambda: why_it_waits(seen[0]),
    ).run()
    return client.build(build.id)


def why_it_waits(build: "WorkspaceBuild") -> str:
    """Return why nobody has taken a queued build, or nothing where it is just not its turn."""
    matched = build.matched_provisioners
    if matched is None or matched.available > 0:
        return ""
    if matched.count == 0:
        tags = " ".join(
            f"{name}={value}" for name, value in sorted(build.job.tags.items()) if value
        )
        return (
            f"No provisioner daemon takes jobs with these tags: {tags}."
            " It waits until one that does is started."
        )
    seen = timestamp(matched.most_recently_seen) if matched.most_recently_seen else "never"
    return (
        f"None of the {matched.count} provisioner daemons that could take it is running"
        f" (last seen: {seen}). It waits for one of them."
    )


def follow_import(client: Client, version: "TemplateVersion") -> "TemplateVersion":
    """Show the import of a template version until it has ended; return it, whatever came of it."""
    watch = Watch(
        client,
        f"/templateversions/{version.id}/logs",
        lambda: client.template_version(version.id).job,
        lambda: client.cancel_template_version(version.id),
        JobProgress(),
    )
    watch.run()
    return client.template_version(version.id)


def _judge(job: "ProvisionerJob", logs: str) -> None:
    if job.status == "succeeded":
        return
    if job.status == "canceled":
        raise Refused("The build was canceled.")
    raise Refused(f"The build failed: {job.error or job.status}\nSee its log again with: {logs}")
