"""What tests of commands need: a deployment to speak to, and a way to type."""

import io
import re
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typing_extensions import override

from coder_cli.main import run
from tests.coder_cli import shapes
from tests.coder_cli.deployment import Deployment, Running


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left: its exit code and what it said."""

    code: int
    out: str
    err: str

    @override
    def __str__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{_still(self.out)}--- stderr\n{_still(self.err)}"


@dataclass(frozen=True, slots=True)
class Cli:
    """Type a command line, logged in as alice."""

    config: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *words: str, answers: str | None = None) -> Ran:
        """Run ``coder`` with ``words``; ``answers`` are what a person at a terminal types."""
        self.capture.readouterr()
        self.patch.setattr("sys.stdin", io.StringIO(answers or ""))
        tty = ["--force-tty", "--no-open"] if answers is not None else []
        code = run([*tty, *words])
        out, err = self.capture.readouterr()
        return Ran(code, out, err)

    def file(self, name: str) -> str:
        """Return a file of the configuration directory, empty if there is none."""
        path = self.config / name
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="session")
def running() -> Generator[Running]:
    with Running() as running:
        yield running


@pytest.fixture
def deployment(running: Running) -> Deployment:
    """A deployment of this test's own: alice, her organization, her template, her workspace."""
    deployment = running.fresh()
    template = shapes.template()
    # Built in a far future: "last built" reads "now" whenever the test runs.
    workspace = shapes.workspace(latest_build=shapes.build(created_at="2999-01-01T00:00:00Z"))
    deployment.on(
        "GET /buildinfo", {"external_url": "", "version": "v9.9.9", "agent_api_version": "2.0"}
    )
    deployment.on("GET /users/first", {"message": "The initial user has already been created!"})
    for name in ("me", "alice", str(shapes.ALICE.id)):
        deployment.on(f"GET /users/{name}", shapes.ALICE)
        deployment.on(f"GET /users/{name}/organizations", [shapes.ORGANIZATION])
        deployment.on(f"GET /users/{name}/workspace/dev", workspace)
    deployment.on("GET /organizations/default", shapes.ORGANIZATION)
    deployment.on("GET /users", {"users": [shapes.ALICE], "count": 1})
    deployment.on("GET /templates", [template])
    deployment.on("GET /organizations/*/templates/local", template)
    deployment.on(f"GET /templates/{template.id}", template)
    deployment.on(f"GET /templateversions/{template.active_version_id}", shapes.version())
    deployment.on("GET /templateversions/*/rich-parameters", [])
    deployment.on("GET /templateversions/*/presets", [])
    deployment.on("POST /templateversions/*/dry-run", shapes.job())
    deployment.on("GET /templateversions/*/dry-run/*", shapes.job())
    deployment.on("GET /templateversions/*/dry-run/*/resources", list(shapes.build().resources))
    deployment.on("GET /workspaces", {"workspaces": [workspace], "count": 1})
    deployment.on("GET /workspacebuilds/*/parameters", [])
    return deployment


@pytest.fixture
def typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """A terminal that belongs to nobody yet."""
    config = tmp_path / "config"
    for name in ("CODER_URL", "CODER_SESSION_TOKEN", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CODER_CONFIG_DIR", str(config))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(tmp_path)
    return Cli(config, capsys, monkeypatch)


@pytest.fixture
def cli(typed: Cli, deployment: Deployment) -> Cli:
    """A terminal of alice, who is logged in to the deployment."""
    typed.config.mkdir()
    (typed.config / "url").write_text(deployment.url)
    (typed.config / "session").write_text("alicessess-secretsecretsecretsecr")
    return typed


def _still(text: str) -> str:
    """Take out what differs from run to run: times, ports, directories."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>", text)
    text = re.sub(r"\[\d+(\.\d)?m?s\]", "[<took>]", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:<port>", text)
