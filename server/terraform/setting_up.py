"""What every job needs before terraform can plan: a binary, a configuration, a work directory."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coder_cli.kit.clock import Clock
from server.terraform import archive, binary, cliconfig, environment, modules
from server.terraform.door import Console
from server.terraform.job import Job, Options, Stopped
from server.terraform.model import Failure, Stage
from server.terraform.prepare import LOCK_FILE, Prepared, Preparer
from server.terraform.provider import ProviderHost
from server.terraform.state import write_private
from server.terraform.variables import VALUES_FILE, Outline, outline

_OVERRIDE_FILE = "zzzz_coder_override.tf"
_CONFIG_FILE = ".coder-terraform.tfrc"
_OVERRIDE = 'terraform {\n  backend "local" {}\n}\n'


@dataclass(frozen=True, slots=True)
class Ready:
    """A work directory in which terraform can plan."""

    job: Job
    outline: Outline
    prepared: Prepared


@dataclass(slots=True)
class SettingUp:
    """Prepare work directories on this host."""

    options: Options
    clock: Clock
    _provider: ProviderHost = field(default_factory=ProviderHost)
    _preparer: Preparer = field(init=False)
    _known: dict[tuple[Path, float], binary.Binary] = field(
        default_factory=dict[tuple[Path, float], binary.Binary]
    )

    def __post_init__(self) -> None:
        """Keep what templates need below the cache directory."""
        cache = self.options.cache_dir
        self._preparer = Preparer(cache / "terraform", cache / "plugins", self.clock)

    def find(self) -> Path:
        """Return the terraform that runs.

        Raises:
            NoTerraform: there is none.
        """
        search = self.options.host.get("PATH", os.defpath)
        return binary.find(self.options.binary, search, self.options.cache_dir)

    async def job(self, work_dir: Path, console: Console) -> Job:
        """Return a job without a template yet.

        Raises:
            Stopped: there is no terraform that could run it.
        """
        try:
            found = await self._binary()
        except binary.NoTerraform as error:
            console.log("error", Stage.SETTING_UP, str(error))
            raise Stopped(Failure(str(error))) from None
        site = self.options.host.get("TF_CLI_CONFIG_FILE", "")
        config = await asyncio.to_thread(
            cliconfig.write, self.options.cache_dir, self.options.provider, site
        )
        # States and plans hold tokens, and terraform writes them for everybody to read.
        await asyncio.to_thread(work_dir.chmod, 0o700)
        job = Job(self.options, found, self._provider, config, work_dir, console, self.clock)
        for variable in environment.ignored(self.options.host):
            job.say("warn", Stage.SETTING_UP, f"The server's own {variable} is not used.")
        return job

    async def unpack(self, job: Job, tar: bytes) -> None:
        """Put a template into the work directory.

        Raises:
            Stopped: the archive is broken or dangerous.
        """
        job.say("info", Stage.SETTING_UP, "")
        try:
            await asyncio.to_thread(archive.unpack, tar, job.work_dir)
        except archive.BadArchive as error:
            job.say("error", Stage.SETTING_UP, str(error))
            raise Stopped(Failure(str(error))) from None

    async def ready(
        self, job: Job, tar: bytes, variables: Mapping[str, str], values: Mapping[str, str]
    ) -> Ready:
        """Unpack a template and prepare it.

        Raises:
            Stopped: that failed.
        """
        await self.unpack(job, tar)
        found = await asyncio.to_thread(outline, job.work_dir)
        return await self.prepare(job, found, variables, values)

    async def prepare(
        self,
        job: Job,
        found: Outline,
        variables: Mapping[str, str],
        values: Mapping[str, str],
    ) -> Ready:
        """Give an unpacked template its modules and providers.

        Raises:
            Stopped: they cannot be had.
        """
        job.console.conceal(found.secrets(variables))
        if found.has_backend:
            # The state is ours to keep; an override beats the template's own choice.
            (job.work_dir / _OVERRIDE_FILE).write_text(_OVERRIDE)
        await asyncio.to_thread(
            write_private, job.work_dir / VALUES_FILE, found.file(variables).encode()
        )
        if self.options.provider != cliconfig.REGISTRY:
            cliconfig.unlock(job.work_dir / LOCK_FILE)

        async def init() -> None:
            async with self._modules(job):
                await job.init(values)

        salt = f"{job.binary.path} {job.binary.version} {self.options.provider}"
        with job.timed("init", "init", "modules"):
            prepared = await self._preparer.prepare(salt, job.work_dir, init)
        return Ready(job, found, prepared)

    @asynccontextmanager
    async def _modules(self, job: Job) -> AsyncGenerator[None]:
        """Let the registry's modules come from this host, if they shall."""
        if self.options.modules_dir is None:
            yield
            return
        network = job.cli_config
        try:
            mirror = await asyncio.to_thread(modules.mirror_at, self.options.modules_dir)
        except modules.NoMirror as error:
            job.say("error", Stage.INIT, str(error))
            raise Stopped(Failure(str(error))) from None
        async with modules.served(mirror, lambda text: job.say("error", Stage.INIT, text)) as url:
            ours = job.work_dir / _CONFIG_FILE
            job.cli_config = cliconfig.with_modules(network, modules.HOST, url, ours)
            try:
                yield
            finally:
                job.cli_config = network

    async def _binary(self) -> binary.Binary:
        path = await asyncio.to_thread(self.find)
        # A newer terraform put in the same place is a different one.
        key = (path, (await asyncio.to_thread(path.stat)).st_mtime)
        if key not in self._known:
            self._known[key] = await binary.inspect(path, self.options.host)
        return self._known[key]
