"""Fixtures of terraform's tests. A build costs about 200 ms; the cache is shared to keep it so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from coder_cli.kit.environ import environ
from server.terraform import (
    BuildRequest,
    Built,
    Imported,
    ImportRequest,
    InstalledTerraform,
    Options,
    Owner,
    TemplateFacts,
    Transition,
    WorkspaceFacts,
)
from tests.server.terraform.world import WORKSPACE, Listener


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def host(tmp_path: Path) -> dict[str, str]:
    """The environment of a server with a data directory of its own."""
    plain = {name: value for name, value in environ().items() if not name.startswith("TF_")}
    return plain | {"XDG_DATA_HOME": str(tmp_path / "data"), "CODER_SECRET": "of the server"}


class Driver:
    """The real terraform, asked in few words."""

    def __init__(self, options: Options, root: Path) -> None:
        self.options = options
        self.terraform = InstalledTerraform(options)
        self.root = root
        self.console = Listener()
        self.last_dir = root

    def work_dir(self) -> Path:
        self.last_dir = self.root / f"job-{uuid4().hex[:8]}"
        self.last_dir.mkdir()
        return self.last_dir

    async def learn(self, archive: bytes, **variables: str) -> Imported:
        self.console = Listener()
        request = ImportRequest(self.work_dir(), archive, variables)
        return await self.terraform.import_version(request, self.console)

    def request(
        self, archive: bytes, transition: str = "start", state: bytes | None = None, **more: Any
    ) -> BuildRequest:
        plain = BuildRequest(
            work_dir=self.work_dir(),
            archive=archive,
            transition=Transition(transition),
            build_id=uuid4(),
            workspace=WorkspaceFacts(WORKSPACE, "dev"),
            owner=Owner(UUID(int=7), "ann"),
            template=TemplateFacts(UUID(int=8), "tiny", "v1"),
            access_url="http://localhost:3000",
            state=state,
        )
        return replace(plain, **more)

    async def build(
        self, archive: bytes, transition: str = "start", state: bytes | None = None, **more: Any
    ) -> Built:
        self.console = Listener()
        request = self.request(archive, transition, state, **more)
        return await self.terraform.build(request, self.console)


@pytest.fixture
def driver(cache_dir: Path, host: Mapping[str, str], tmp_path: Path) -> Driver:
    options = Options(cache_dir=cache_dir, force_cancel_interval=timedelta(seconds=20), host=host)
    return Driver(options, tmp_path)
