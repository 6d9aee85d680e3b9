"""Builds that are cut short on the real product: the state afterwards, and that delete works."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.bench import show_interrupted_builds as show

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]

ALL = ["terraform_data.address", "terraform_data.disk", "terraform_data.machine"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[show.Site]:
    """A deployment whose applies wait until they are let go on."""
    with show.sites(tmp_path_factory.mktemp("site"), module_dsn) as site:
        yield site


def test_a_killed_server_costs_a_build_nothing_but_time(site: show.Site) -> None:
    told = show.killed_server(site)
    assert (told.code, told.status, told.state) == (0, "running", ALL)
    assert "The server is away" in told.create
    assert "Connected again." in told.create
    assert "The server that ran this job is gone. The job is resumed on" in told.create
    assert "The Terraform state of the run before was recovered." in told.create
    assert told.left == []


def test_a_build_goes_on_after_server_and_terraform_were_killed(site: show.Site) -> None:
    told = show.power_cut(site)
    assert (told.code, told.status, told.state) == (0, "running", ALL)
    assert "The job is resumed on" in told.create
    assert told.left == []


def test_a_cancelled_build_keeps_what_it_made_until_it_is_deleted(site: show.Site) -> None:
    told = show.cancelled(site)
    assert (told.code, told.status) == (1, "canceled")
    assert told.state == ["terraform_data.disk", "terraform_data.machine (tainted)"]
    assert "Canceling" in told.create
    assert "The build was canceled." in told.create
    assert told.left == []


def test_a_full_disk_costs_no_state_and_is_told(tmp_path: Path, dsn: str) -> None:
    with show.small_disk(tmp_path / "disk") as refused:
        if refused:
            pytest.skip(f"no small disk can be mounted here: {refused}")
        (tmp_path / "site").mkdir()
        with show.sites(tmp_path / "site", dsn, disk=tmp_path / "disk") as site:
            told = show.full_disk(site)
    assert (told.code, told.status, told.state) == (1, "failed", ALL)
    assert "could not write the state to the disk of the server" in told.create
    assert "the state is kept in the database" in told.create
    assert "The disk of the server is full" in told.refused
    assert "has no room left. Free some space there, then try again." in told.refused
    assert told.left == []
