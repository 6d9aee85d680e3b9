"""Templates: packing, pushing, pulling, starting from a starter."""

import io
import tarfile
from pathlib import Path

import pytest

from coder_cli.commands.templates.archive import pack, unpack
from coder_cli.commands.templates.starting import starters
from coder_cli.kit.refused import Refused
from coder_cli.sdk.jobs import JobErrorCode, JobStatus
from coder_cli.sdk.templates import TemplateVersionVariable
from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Deployment, Refuse


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with a template in it, and what Terraform leaves behind."""
    place = tmp_path / "mine"
    (place / "build").mkdir(parents=True)
    (place / ".terraform").mkdir()
    (place / "main.tf").write_text("terraform {}")
    (place / "build" / "Dockerfile").write_text("FROM x")
    (place / ".terraform" / "big").write_text("x")
    (place / "terraform.tfstate").write_text("secret")
    (place / ".terraform.lock.hcl").write_text("# locks")
    return place


def names(content: bytes) -> list[str]:
    """Return what is in a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return archive.getnames()


def test_state_and_providers_stay_here(directory: Path) -> None:
    packed = [".terraform.lock.hcl", "build", "build/Dockerfile", "main.tf"]
    assert names(pack(directory)) == packed


def test_the_same_files_give_the_same_archive(directory: Path) -> None:
    before = pack(directory)
    (directory / "main.tf").touch()
    assert pack(directory) == before


def test_a_directory_without_terraform_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no Terraform files"):
        pack(tmp_path)
    with pytest.raises(Refused, match="not a directory"):
        pack(tmp_path / "gone")


def test_an_archive_that_is_too_large_is_refused(directory: Path) -> None:
    (directory / "big").write_bytes(bytes(11 * 2**20))
    with pytest.raises(Refused, match=r"11\.0 MiB; the limit is 10 MiB"):
        pack(directory)


def test_unpacking_stays_inside(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../evil"))
    with pytest.raises(Refused, match="cannot be unpacked"):
        unpack(buffer.getvalue(), tmp_path / "target")
    assert not (tmp_path / "evil").exists()


def importing(deployment: Deployment, *jobs: object) -> None:
    """Let versions be created, whose imports end as ``jobs``."""
    ends = list(jobs) or [shapes.job()]
    versions = [shapes.version(f"v{n}", 20 + n, job=end) for n, end in enumerate(ends, 1)]
    waiting = list(versions)
    deployment.on("POST /files", {"hash": shapes.uid(40)})
    deployment.on("POST /organizations/*/templateversions", lambda _: waiting.pop(0))
    for version in versions:
        deployment.on(f"GET /templateversions/{version.id}", version)


def test_push_makes_a_template(cli: Cli, deployment: Deployment, directory: Path) -> None:
    def missing(_: Call) -> object:
        raise Refuse(404, "Resource not found")

    importing(deployment)
    deployment.on("GET /organizations/*/templates/mine", missing)
    deployment.on("POST /organizations/*/templates", shapes.template("mine"))
    ran = cli("templates", "push", "-d", str(directory), "-y", "--variable", "a=b", "-m", "why")
    assert ran.code == 0, ran.err
    (version,) = deployment.called(f"POST /organizations/{shapes.uid(1)}/templateversions")
    assert version.json["user_variable_values"] == [{"name": "a", "value": "b"}]
    assert version.json["message"] == "why"
    assert version.json["file_id"] == str(shapes.uid(40))
    (template,) = deployment.called(f"POST /organizations/{shapes.uid(1)}/templates")
    assert template.json["name"] == "mine"
    assert "Created template mine, version v1" in ran.out
    assert "coder create --template mine" in ran.err


def test_push_moves_a_template_to_the_new_version(
    cli: Cli, deployment: Deployment, directory: Path
) -> None:
    importing(deployment)
    deployment.on("PATCH /templates/*/versions", {"message": "ok"})
    ran = cli("templates", "push", "local", "-d", str(directory), "-y")
    assert ran.code == 0, ran.err
    (patch,) = deployment.called(f"PATCH /templates/{shapes.uid(10)}/versions")
    assert patch.json == {"id": str(shapes.uid(21))}
    assert "Updated template local, version v1" in ran.out


def test_push_without_activating(cli: Cli, deployment: Deployment, directory: Path) -> None:
    importing(deployment)
    ran = cli("templates", "push", "local", "-d", str(directory), "-y", "--activate=false")
    assert ran.code == 0, ran.err
    assert not deployment.called(f"PATCH /templates/{shapes.uid(10)}/versions")
    assert "versions promote --template local --template-version v1" in ran.err


def test_push_of_a_broken_template(cli: Cli, deployment: Deployment, directory: Path) -> None:
    importing(deployment, shapes.job(JobStatus.FAILED, error="main.tf:1: no"))
    ran = cli("templates", "push", "local", "-d", str(directory), "-y")
    assert ran.code == 1
    assert "The import ended as failed: main.tf:1: no" in ran.err


def test_push_asks_for_variables_that_turn_out_to_be_needed(
    cli: Cli, deployment: Deployment, directory: Path
) -> None:
    code = JobErrorCode.REQUIRED_TEMPLATE_VARIABLES
    importing(
        deployment, shapes.job(JobStatus.FAILED, error="missing", error_code=code), shapes.job()
    )
    deployment.on("PATCH /templates/*/versions", {"message": "ok"})
    needed = TemplateVersionVariable(name="key", required=True, sensitive=True)
    deployment.on(f"GET /templateversions/{shapes.uid(21)}/variables", [needed])
    ran = cli("templates", "push", "local", "-d", str(directory), answers="yes\nsecret\n")
    assert ran.code == 0, ran.err
    second = deployment.called(f"POST /organizations/{shapes.uid(1)}/templateversions")[1]
    assert second.json["user_variable_values"] == [{"name": "key", "value": "secret"}]


def test_push_says_how_to_give_variables_when_nobody_can_be_asked(
    cli: Cli, deployment: Deployment, directory: Path
) -> None:
    code = JobErrorCode.REQUIRED_TEMPLATE_VARIABLES
    importing(deployment, shapes.job(JobStatus.FAILED, error="missing", error_code=code))
    ran = cli("templates", "push", "local", "-d", str(directory), "-y")
    assert "--variable name=value" in ran.err


def test_pull_writes_files(
    cli: Cli, deployment: Deployment, directory: Path, tmp_path: Path
) -> None:
    deployment.on(f"GET /files/{shapes.uid(40)}", pack(directory))
    ran = cli("templates", "pull", "local", "there")
    assert ran.code == 0, ran.err
    assert (tmp_path / "there" / "build" / "Dockerfile").read_text() == "FROM x"
    again = cli("templates", "pull", "local", "there")
    assert "not empty" in again.err


@pytest.mark.parametrize("starter", [one.id for one in starters()])
def test_init_writes_a_starter_that_can_be_pushed(cli: Cli, starter: str, tmp_path: Path) -> None:
    ran = cli("templates", "init", "--id", starter)
    assert ran.code == 0, ran.err
    assert "main.tf" in names(pack(tmp_path / starter))
    assert "coder templates push" in ran.err
    assert "exists already" in cli("templates", "init", "--id", starter).err


def test_init_of_an_unknown_starter(cli: Cli) -> None:
    assert "There is no starter 'nothing'" in cli("templates", "init", "--id", "nothing").err


def test_delete_asks_first(cli: Cli, deployment: Deployment) -> None:
    deployment.on("DELETE /templates/*", {"message": "Template has been deleted!"})
    assert "Deleted template local." in cli("templates", "delete", "local", "--yes").out
    assert cli("templates", "delete", "local", answers="n\n").code == 1
    assert len(deployment.called(f"DELETE /templates/{shapes.uid(10)}")) == 1
