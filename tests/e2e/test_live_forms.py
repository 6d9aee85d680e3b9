"""A template whose parameters depend on one another, from a terminal to the stored values."""

import json
import shutil
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]

TEMPLATE = """
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace_owner" "me" {}
data "coder_parameter" "gpu" {
  name    = "gpu"
  type    = "bool"
  default = "false"
  mutable = true
  order   = 1
}
data "coder_parameter" "model" {
  count = data.coder_parameter.gpu.value == "true" ? 1 : 0
  name  = "model"
  order = 2
  dynamic "option" {
    for_each = ["small", "large", "for-${data.coder_workspace_owner.me.name}"]
    content {
      name  = upper(option.value)
      value = option.value
    }
  }
}
data "coder_parameter" "teams" {
  name      = "teams"
  type      = "list(string)"
  form_type = "multi-select"
  default   = jsonencode(["red"])
  mutable   = true
  order     = 3
  option {
    name  = "Red"
    value = "red"
  }
  option {
    name  = "Blue"
    value = "blue"
  }
}
resource "terraform_data" "made" {
  input = try(data.coder_parameter.model[0].value, "none")
}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment with a template called ``live``."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    template = house.root / "live"
    template.mkdir()
    (template / "main.tf").write_text(TEMPLATE)
    try:
        house.start("--quickstart")
        until("the quickstart", lambda: "is ready. In another terminal" in house.said())
        house.coder("templates", "push", "live", "--directory", str(template), "--yes")
        yield house
    finally:
        house.close()


def stored(house: House, name: str) -> dict[str, str]:
    """Return the parameters that the latest build of a workspace ran with."""
    build = house.workspace(name)["latest_build"]["id"]
    token = (Path(house.env["CODER_CONFIG_DIR"]) / "session").read_text()
    request = urllib.request.Request(
        f"{house.url}/api/v2/workspacebuilds/{build}/parameters",
        headers={"Coder-Session-Token": token},
    )
    with urllib.request.urlopen(request) as answer:
        return {one["name"]: one["value"] for one in json.load(answer)}


def test_what_does_not_exist_is_not_asked_for(house: House) -> None:
    house.coder("create", "plain", "--template", "live", "--yes")
    assert stored(house, "plain") == {"gpu": "false", "teams": '["red"]'}


def test_what_an_answer_calls_up_is_required_by_the_name_of_its_flag(house: House) -> None:
    words = ("create", "lacking", "--template", "live", "--parameter", "gpu=true", "--yes")
    done = house.coder(*words, check=False)
    assert done.returncode == 1
    assert "--parameter model=<value>" in done.stderr


def test_a_person_is_asked_for_what_their_answers_call_up(house: House) -> None:
    done = house.coder(
        "--force-tty", "create", "asked", "--template", "live", stdin="true\n3\n1,2\nyes\n"
    )
    assert "3. FOR-" in done.stderr
    admin = json.loads(house.coder("users", "show", "me", "-o", "json").stdout)["username"]
    assert stored(house, "asked") == {
        "gpu": "true",
        "model": f"for-{admin}",
        "teams": '["red", "blue"]',
    }
    stopped = house.coder("stop", "asked", "--yes")
    assert stopped.returncode == 0
    refused = house.coder("start", "asked", "--parameter", "model=small", "--yes", check=False)
    assert "cannot change after the first build" in refused.stderr
    house.coder("start", "asked", "--yes")
    assert stored(house, "asked")["model"] == f"for-{admin}"
