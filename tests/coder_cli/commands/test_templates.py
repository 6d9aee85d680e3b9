"""Templates: packing, pushing, pulling, starting from a starter."""

import io
import tarfile
from pathlib import Path

import pytest

from coder_cli.commands.templates import uploads
from coder_cli.commands.templates.archive import LIMIT, pack, unpack
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


def test_push_that_somebody_cancels(cli: Cli, deployment: Deployment, directory: Path) -> None:
    importing(deployment, shapes.job(JobStatus.CANCELED))
    ran = cli("templates", "push", "local", "-d", str(directory), "-y")
    assert (ran.code, "The import ended as canceled.\n" in ran.err) == (1, True)


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


def pushed(deployment: Deployment) -> Call:
    """Return the one request that created a version."""
    (call,) = deployment.called(f"POST /organizations/{shapes.uid(1)}/templateversions")
    return call


TAGGED = {"scope": "user", "owner": str(shapes.uid(2)), "region": "eu"}


@pytest.mark.parametrize(
    ("flags", "tags"),
    [
        ([], {"scope": "user", "region": "eu"}),
        (["--provisioner-tag", "-"], {}),
        (["--provisioner-tag", "region=us"], {"region": "us"}),
        (["--provisioner-tag", "region=us", "--provisioner-tag", "-"], {}),
        (["--provisioner-tag=a=1", "--provisioner-tag=b=x=y"], {"a": "1", "b": "x=y"}),
    ],
)
def test_push_reuses_the_active_versions_tags_unless_told_otherwise(
    cli: Cli, deployment: Deployment, directory: Path, flags: list[str], tags: dict[str, str]
) -> None:
    importing(deployment)
    tagged = shapes.version(job=shapes.job(tags=TAGGED))
    deployment.on(f"GET /templateversions/{shapes.uid(20)}", tagged)
    ran = cli("templates", "push", "local", "-d", str(directory), "-y", "--no-activate", *flags)
    assert ran.code == 0, ran.err
    assert pushed(deployment).json["tags"] == tags
    assert ("tags of the active version: region=eu scope=user" in ran.err) is (not flags)


@pytest.mark.parametrize("tag", ["region", "=eu", ""])
def test_push_refuses_what_is_no_tag(cli: Cli, directory: Path, tag: str) -> None:
    ran = cli("templates", "push", "local", "-d", str(directory), "-y", "--provisioner-tag", tag)
    assert (ran.code, "is not a tag" in ran.err) == (1, True)


def test_push_takes_a_tar_on_stdin(
    cli: Cli, deployment: Deployment, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing(deployment)
    archive = pack(directory)
    monkeypatch.setattr(uploads, "stdin", lambda: io.BytesIO(archive))
    ran = cli("templates", "push", "local", "-d", "-", "--no-activate")
    assert ran.code == 0, ran.err
    (upload,) = deployment.called("POST /files")
    assert (upload.body, upload.headers["content-type"]) == (archive, "application/x-tar")


def test_push_from_stdin_wants_a_name_and_something_that_fits(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Name the template" in cli("templates", "push", "-d", "-").err
    monkeypatch.setattr(uploads, "stdin", lambda: io.BytesIO(bytes(LIMIT + 1)))
    assert "larger than 10 MiB" in cli("templates", "push", "local", "-d", "-").err
    monkeypatch.setattr(uploads, "stdin", io.BytesIO)
    assert "no archive on stdin" in cli("templates", "push", "local", "-d", "-").err


def test_push_reads_variables_from_a_file_and_flags_win(
    cli: Cli, deployment: Deployment, directory: Path
) -> None:
    importing(deployment)
    file = directory.parent / "vars.yaml"
    file.write_text("text: plain\nnumber: 3\nflag: true\nmany: [a, b]\nboth: file\n")
    words = ["templates", "push", "local", "-d", str(directory), "-y", "--no-activate"]
    ran = cli(*words, "--variables-file", str(file), "--var", "both=flag")
    assert ran.code == 0, ran.err
    values = {one["name"]: one["value"] for one in pushed(deployment).json["user_variable_values"]}
    assert values == {
        "text": "plain",
        "number": "3",
        "flag": "true",
        "many": '["a", "b"]',
        "both": "flag",
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "Cannot read"), (b"a: [", "is not YAML"), (b"- a", "mapping"), (b"\xff", "not YAML")],
)
def test_push_refuses_a_file_of_variables_that_is_none(
    cli: Cli, directory: Path, content: bytes | None, complaint: str
) -> None:
    file = directory.parent / "vars.yaml"
    if content is not None:
        file.write_bytes(content)
    ran = cli("templates", "push", "local", "-d", str(directory), "--variables-file", str(file))
    assert (ran.code, complaint in ran.err) == (1, True), ran.err


def test_push_warns_of_a_missing_lock_file_only_where_providers_are_fetched(
    cli: Cli, deployment: Deployment, directory: Path
) -> None:
    importing(deployment, *[shapes.job()] * 3)
    words = ["templates", "push", "local", "-d", str(directory), "-y", "--no-activate"]
    (directory / ".terraform.lock.hcl").unlink()
    assert ".terraform.lock.hcl" not in cli(*words).err
    (directory / "main.tf").write_text('x = { source = "kreuzwerker/docker" }')
    assert "There is no .terraform.lock.hcl" in cli(*words).err
    assert ".terraform.lock.hcl" not in cli(*words, "--ignore-lockfile").err


def test_push_asks_for_every_variable_when_told_to(
    cli: Cli, deployment: Deployment, directory: Path
) -> None:
    importing(deployment)
    known = [
        TemplateVersionVariable(name="zone", value="a", description="Where it runs"),
        TemplateVersionVariable(name="size", value="1"),
    ]
    deployment.on(f"GET /templateversions/{shapes.uid(20)}/variables", known)
    words = ["templates", "push", "local", "-d", str(directory), "--no-activate"]
    ran = cli(*words, "--always-prompt", "--var", "size=2", answers="y\nb\n")
    assert ran.code == 0, ran.err
    assert "Where it runs" in ran.err
    values = {one["name"]: one["value"] for one in pushed(deployment).json["user_variable_values"]}
    assert values == {"zone": "b", "size": "2"}


def test_push_changes_looks_and_says_when_a_message_is_long(
    cli: Cli, deployment: Deployment, directory: Path
) -> None:
    importing(deployment)
    deployment.on("PATCH /templates/*/versions", {"message": "ok"})
    deployment.on("PATCH /templates/*", shapes.template())
    words = ["templates", "push", "local", "-d", str(directory), "-y", "--name", "v7"]
    ran = cli(*words, "--display-name", "Local!", "--icon", "/x.png", "-m", "m" * 73)
    assert ran.code == 0, ran.err
    assert pushed(deployment).json["name"] == "v7"
    (patch,) = deployment.called(f"PATCH /templates/{shapes.uid(10)}")
    assert {key: patch.json[key] for key in ("display_name", "icon")} == {
        "display_name": "Local!",
        "icon": "/x.png",
    }
    assert "longer than 72 characters" in ran.err


@pytest.mark.parametrize(
    ("flag", "value"), [("--display-name", " padded"), ("--name", "no spaces")]
)
def test_push_refuses_bad_names_before_it_uploads(
    cli: Cli, deployment: Deployment, directory: Path, flag: str, value: str
) -> None:
    ran = cli("templates", "push", "local", "-d", str(directory), "-y", flag, value)
    assert (ran.code, flag in ran.err) == (1, True)
    assert not deployment.called("POST /files")


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


def test_init_says_which_starters_there_are_where_nobody_is_asked(cli: Cli) -> None:
    ran = cli("templates", "init")
    assert ran.code == 1
    assert "pass --id <docker|externally-managed|kubernetes|local|sandbox|scratch>" in ran.err


def test_init_into_a_place_that_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = cli("templates", "init", "--id", "local", str(tmp_path / "file" / "below"))
    assert ran.code == 1
    assert f"Cannot write to {tmp_path}/file/below: Not a directory." in ran.err


@pytest.mark.parametrize(("flag", "form"), [("--tar", None), ("--zip", "zip")])
def test_pull_writes_an_archive_to_stdout(
    cli: Cli, deployment: Deployment, flag: str, form: str
) -> None:
    deployment.on(f"GET /files/{shapes.uid(40)}", b"PK packed")
    chosen = shapes.version("second", 21)
    deployment.on("GET /organizations/*/templates/local/versions/second", chosen)
    ran = cli("templates", "pull", "local", flag, "--version", "second")
    assert (ran.code, ran.out) == (0, "PK packed")
    (call,) = deployment.called(f"GET /files/{shapes.uid(40)}")
    assert call.query.get("format") == form


def test_pull_refuses_two_forms_and_versions_that_do_not_exist(cli: Cli) -> None:
    assert "one of --tar and --zip" in cli("templates", "pull", "local", "--tar", "--zip").err
    ran = cli("templates", "pull", "local", "--version", "gone")
    assert "has no version 'gone'" in ran.err
    assert "only those who may change it read its files" in cli("templates", "pull", "local").err


def test_delete_goes_on_past_templates_in_use_and_names_their_workspaces(
    cli: Cli, deployment: Deployment
) -> None:
    def in_use(_: Call) -> object:
        raise Refuse(400, "All workspaces must be deleted before a template can be removed.")

    spare = shapes.template("spare", id=shapes.uid(11))
    deployment.on("GET /templates", [shapes.template(), spare])
    deployment.on(f"DELETE /templates/{shapes.uid(10)}", in_use)
    deployment.on(f"DELETE /templates/{shapes.uid(11)}", {"message": "Template has been deleted!"})
    ran = cli("templates", "delete", "local", "spare", "-y")
    assert (ran.code, ran.out) == (1, "Deleted template spare.\n")
    assert "Template local is used by alice/dev. All workspaces must be deleted" in ran.err


def test_delete_asks_first(cli: Cli, deployment: Deployment) -> None:
    deployment.on("DELETE /templates/*", {"message": "Template has been deleted!"})
    assert "Deleted template local." in cli("templates", "delete", "local", "--yes").out
    assert cli("templates", "delete", "local", answers="n\n").code == 1
    assert len(deployment.called(f"DELETE /templates/{shapes.uid(10)}")) == 1
