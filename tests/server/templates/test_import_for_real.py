"""The starter template, imported by the real terraform through the queue."""

from pathlib import Path

import pytest

from server import templates
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from server.kit.routing import provide
from server.provisioning import DaemonOptions, Daemons, JobType, Means, Registry
from server.templates.model.archives import pack
from server.terraform import InstalledTerraform, Options
from tests.server.templates.conftest import ORG, ROUTERS
from tests.server.terraform.world import needs_terraform
from tests.support.people import gathered

BROKEN = b"""
resource "terraform_data" "x" {
  input = var.missing
}
"""


@needs_terraform
@pytest.mark.e2e
async def test_the_starter_is_imported_and_a_broken_template_says_where_it_is_broken(
    database: Database, tmp_path: Path
) -> None:
    driver = InstalledTerraform(Options(cache_dir=tmp_path))
    kind = templates.ImportKind("http://coder.test")
    pubsub = Pubsub(database.dsn)
    means = Means(
        database, pubsub, Registry({JobType.TEMPLATE_VERSION_IMPORT: kind}), terraform=driver
    )
    daemons = Daemons(means, DaemonOptions(tmp_path, "host", 1))
    async with gathered(database, routers=ROUTERS) as people:
        provide(people.app, Pubsub, pubsub)
        await people.home()
        await daemons.register()
        ann = await people.add("ann", "template-admin")

        pushed = await ann.api.post(f"{ORG}/templateversions", json={"example_id": "local"})
        assert await daemons.turn("host-0")
        at = f"/templateversions/{pushed.json()['id']}"
        version = (await ann.api.get(at)).json()
        lines = (await ann.api.get(f"{at}/logs")).json()
        said = "\n".join(f"{line['stage']}: {line['output']}" for line in lines)
        assert version["job"]["status"] == "succeeded", said
        assert "not isolated" in version["readme"]
        stages = list(dict.fromkeys(line["stage"] for line in lines))
        assert stages == [
            "Setting up",
            "Parsing template parameters",
            "Parse parameters",
            "Initializing Terraform Directory",
            "Detecting persistent resources",
            "Detecting ephemeral resources",
            "Cleaning Up",
        ]
        parameters = (await ann.api.get(f"{at}/rich-parameters")).json()
        assert [parameter["name"] for parameter in parameters] == ["dotfiles_uri"]
        resources = (await ann.api.get(f"{at}/resources")).json()
        agents = [agent["name"] for row in resources for agent in row["agents"]]
        assert agents == ["main"]

        upload = await ann.api.post(
            "/files",
            content=pack({"main.tf": BROKEN}),
            headers={"Content-Type": "application/x-tar"},
        )
        body = {"file_id": upload.json()["hash"]}
        pushed = await ann.api.post(f"{ORG}/templateversions", json=body)
        assert await daemons.turn("host-0")
        job = (await ann.api.get(f"/templateversions/{pushed.json()['id']}")).json()["job"]
        assert job["status"] == "failed"
        assert "main.tf:3" in job["error"]
    assert list((tmp_path / "jobs").iterdir()) == []
