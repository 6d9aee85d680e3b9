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
    cancel: Callable[[], None]
    progress: JobProgress
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
                if self._canceled:
                    raise
                self._cancel()
                continue
            if job is not None and not job.status.active:
                self.progress.ended(job)
                return job

    def _round(self) -> "ProvisionerJob | None":
        """Read the log as far as one connection carries; return the job, or None."""
        try:
            job = self.job()
            if job.status == "pending":
                self.progress.queued(job)
            with self.client.follow(self.logs, follow=True, after=self._last or None) as stream:
                if self._lost:
                    ui.note("Connected again.")
                self._lost = 0
                self._read(stream)
            return self.job()
        except (Unreachable, ConnectionError) as error:
            self._lost += 1
            if self._lost > PATIENCE:
                raise
            if self._lost == 1:
                ui.note(f"The server is away ({error}). Waiting for it to come back …")
            Event().wait(PAUSE)
            return None

    def _read(self, stream: "ClientConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        from coder_cli.sdk.jobs import ProvisionerJobLog

        with suppress(ConnectionClosed):
            while True:
                try:
                    frame = stream.recv(timeout=QUIET_SECONDS)
                except TimeoutError:
                    if not self._ask():
                        return
                    continue
                line = ProvisionerJobLog.model_validate_json(frame)
                if line.id > self._last:
                    self._last = line.id
                    self.progress.log(line)

    def _ask(self) -> bool:
        """Look at the job itself, and say whether it goes on."""
        job = self.job()
        if job.status == "pending":
            self.progress.queued(job)
        return job.status.active

    def _cancel(self) -> None:
        self._canceled = True
        ui.note("\nCanceling … Press ctrl+c again to leave without waiting.")
        try:
            self.cancel()
        except ApiError as error:
            ui.note(f"It goes on: {ui.explain(error)}")
            raise KeyboardInterrupt from None


def follow_build(client: Client, build: "WorkspaceBuild") -> "WorkspaceBuild":
    """Show a build until it has ended, and return it as it is then.

    Raises:
        Refused: it did not succeed.
    """
    watch = Watch(
        client,
        f"/workspacebuilds/{build.id}/logs",
        lambda: client.build(build.id).job,
        lambda: client.cancel_build(build.id),
        JobProgress(),
    )
    _judge(watch.run(), f"coder logs {build.workspace_owner_name}/{build.workspace_name}")
    return client.build(build.id)


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
