"""``coder provisioner start``: a provisioner daemon beside no database, far from its server."""

import asyncio
import fcntl
import hashlib
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from coder_cli.kit.build import version
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.refused import Refused
from server.cli.far import Provisioner
from server.kit import logs
from server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from server import provisioning

TERM_GRACE = 20.0
"""Seconds between SIGTERM and giving the running job back: supervisors do not wait for ever."""


def provision(settings: Settings, who: Provisioner) -> int:
    """Take jobs of a server and run them here, until SIGINT or SIGTERM; return the exit code.

    Raises:
        Refused: it cannot start, or the server does not want it.
    """
    import uvloop

    from server import provisioning, terraform

    try:
        logs.configure(settings)
    except SettingsError as error:
        raise Refused(str(error)) from None
    driver = terraform.InstalledTerraform(
        terraform.Options(
            cache_dir=settings.cache_dir,
            binary=settings.provisioning.terraform_binary,
            provider=settings.provisioning.coder_provider,
            force_cancel_interval=settings.provisioning.force_cancel_interval,
        )
    )
    if missing := driver.missing():
        raise Refused(missing)
    with _own_folder(settings.cache_dir, who) as folder:
        from server.cli.dial import dial

        line = provisioning.ServerLine(partial(dial, who, version()), SystemClock())
        place = provisioning.Place(cache_dir=folder, name=who.name)
        daemon = provisioning.ExternalDaemon(line, driver, place)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(daemon, settings))
    return 0


async def _run(daemon: "provisioning.ExternalDaemon", settings: Settings) -> None:
    from server import provisioning

    moments = provisioning.Moments()
    _on_signals(moments)
    if settings.introspection.prometheus_enable:
        _serve_metrics(settings, daemon)
    try:
        await daemon.run(moments)
    except* provisioning.ShownOut as refusals:
        raise Refused(str(refusals.exceptions[0])) from None


def _on_signals(moments: "provisioning.Moments") -> None:
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        if moments.hurry.is_set():
            os._exit(1)
        if moments.stop.is_set():
            moments.hurry.set()
        moments.stop.set()

    def terminated() -> None:
        interrupted()
        loop.call_later(TERM_GRACE, moments.hurry.set)

    loop.add_signal_handler(signal.SIGINT, interrupted)
    loop.add_signal_handler(signal.SIGTERM, terminated)


@contextmanager
def _own_folder(cache_dir: Path, who: Provisioner) -> Generator[Path]:
    """Yield the folder of this daemon alone: what it finds there, it may go on with or remove."""
    key = hashlib.sha256(f"{who.url}\n{who.name}".encode()).hexdigest()[:16]
    folder = cache_dir / "provisioner" / key
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise Refused(f"The directory {folder} cannot be used: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(
                f"A provisioner daemon named {who.name} runs here already for {who.url}; "
                "give another --name or --cache-dir."
            ) from None
        yield folder


def _serve_metrics(settings: Settings, daemon: "provisioning.ExternalDaemon") -> None:
    from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, start_http_server

    address = settings.introspection.prometheus_address
    if address is None:
        raise Refused("--prometheus-address: must be set when --prometheus-enable is on.")
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    jobs = Gauge("coderd_provisionerd_jobs_current", "Jobs that run here now.", registry=registry)
    jobs.set_function(lambda: daemon.running)
    try:
        start_http_server(address.port, address.host or "0.0.0.0", registry)  # noqa: S104 - as asked
    except OSError as error:
        raise Refused(f"--prometheus-address {address}: {error.strerror}.") from None
