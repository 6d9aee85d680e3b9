"""Forms evaluated by the real terraform: what exists for the answers so far, and what is wrong."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from server.terraform import (
    Form,
    FormParameter,
    FormQuestion,
    InstalledEvaluator,
    NoForm,
    Options,
    Owner,
    Parameter,
    TemplateFacts,
)
from server.terraform.forms import cut
from tests.server.terraform.world import needs_terraform, tar

pytestmark = needs_terraform

CONDITIONAL = """
data "coder_parameter" "gpu" {
  name    = "gpu"
  type    = "bool"
  default = "false"
  mutable = true
  order   = 2
}
data "coder_parameter" "model" {
  count = data.coder_parameter.gpu.value == "true" ? 1 : 0
  name  = "model"
  order = 1
  option {
    name  = "Small"
    value = "s"
  }
  option {
    name  = "Large"
    value = "l"
  }
}
"""


@pytest.fixture(scope="session")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> InstalledEvaluator:
    return InstalledEvaluator(Options(cache_dir=tmp_path_factory.mktemp("cache")))


Ask = Callable[..., "Asked"]


class Asked:
    """A template's form, asked in few words."""

    def __init__(self, evaluator: InstalledEvaluator, slice_: bytes) -> None:
        self.evaluator = evaluator
        self.slice = slice_
        self.owner = Owner(name="dora", groups=("developers",))
        self.variables: dict[str, str] = {}
        self.previous: dict[str, str] = {}
        self.known: dict[str, Parameter] = {}

    async def __call__(self, **inputs: str) -> Form:
        question = FormQuestion(
            slice=self.slice,
            variables=self.variables,
            owner=self.owner,
            template=TemplateFacts(),
            access_url="http://coder.test",
            inputs=inputs,
            previous=self.previous,
        )
        return await self.evaluator.evaluate(question, self.known)


@pytest.fixture
def template(tmp_path: Path, evaluator: InstalledEvaluator) -> Ask:
    def sliced(text: str) -> Asked:
        directory = tmp_path / "template"
        directory.mkdir()
        (directory / "main.tf").write_text(text)
        made = cut(directory)
        assert not made.problem, made.problem
        return Asked(evaluator, made.content)

    return sliced


def named(form: Form) -> dict[str, FormParameter]:
    return {one.parameter.name: one for one in form.parameters}


async def test_a_conditional_parameter_appears_with_the_answer_it_waits_for(template: Ask) -> None:
    ask = template(CONDITIONAL)
    assert [one.parameter.name for one in (await ask()).parameters] == ["gpu"]
    form = await ask(gpu="true", model="l")
    assert [one.parameter.name for one in form.parameters] == ["model", "gpu"]
    assert (named(form)["model"].value, named(form)["model"].errors) == ("l", ())


async def test_a_required_parameter_without_a_value_says_so(template: Ask) -> None:
    model = named(await template(CONDITIONAL)(gpu="true"))["model"]
    assert not model.known
    assert [note.code for note in model.errors] == ["required"]


async def test_one_bad_value_leaves_the_other_parameters_alone(template: Ask) -> None:
    form = await template(CONDITIONAL)(gpu="true", model="xl")
    (note,) = named(form)["model"].errors
    assert note.summary == "Value must be a valid option"
    assert named(form)["gpu"].value == "true"
    assert form.errors == ()


async def test_options_follow_other_answers_and_the_owner(template: Ask) -> None:
    ask = template(
        """
        data "coder_workspace_owner" "me" {}
        data "coder_parameter" "region" {
          name    = "region"
          default = "eu"
        }
        locals {
          zones = { eu = ["a", "b"], us = ["c"] }
        }
        data "coder_parameter" "zone" {
          name    = "zone"
          default = local.zones[data.coder_parameter.region.value][0]
          dynamic "option" {
            for_each = concat(
              local.zones[data.coder_parameter.region.value],
              contains(data.coder_workspace_owner.me.groups, "admins") ? ["secret"] : [],
            )
            content {
              name  = upper(option.value)
              value = option.value
            }
          }
        }
        """
    )
    options = [o.value for o in named(await ask(region="us"))["zone"].parameter.options]
    assert options == ["c"]
    ask.owner = Owner(name="root", groups=("admins",))
    options = [o.value for o in named(await ask())["zone"].parameter.options]
    assert options == ["a", "b", "secret"]


async def test_what_only_a_build_can_tell_is_not_known_and_breaks_nothing(template: Ask) -> None:
    ask = template(
        """
        resource "docker_image" "x" {}
        data "coder_parameter" "image" {
          name    = "image"
          default = docker_image.x.id
        }
        data "coder_parameter" "plain" {
          name    = "plain"
          default = "p"
        }
        """
    )
    ask.known = {"image": Parameter("image", description="As the import saw it", required=True)}
    form = await ask()
    image = named(form)["image"]
    assert (image.value, image.known, image.errors) == ("", False, ())
    assert [note.severity for note in image.notes] == ["warning"]
    assert named(form)["plain"].value == "p"
    given = named(await ask(image="debian"))["image"]
    assert (given.value, given.known) == ("debian", True)
    assert given.parameter.description == "As the import saw it"


async def test_parameters_of_one_name_are_an_error(template: Ask) -> None:
    text = 'data "coder_parameter" "%s" {\n  name = "same"\n  default = "%s"\n}\n'
    form = await template(text % ("a", "1") + text % ("b", "2"))()
    assert [one.parameter.name for one in form.parameters] == ["same"]
    assert [note.summary for note in form.errors] == [
        'Found 2 duplicate parameters with name "same"'
    ]


async def test_parameters_come_by_order_and_then_by_name(template: Ask) -> None:
    text = 'data "coder_parameter" "%s" {\n  name = "%s"\n  default = ""\n  order = %d\n}\n'
    names = [("c", "c", 1), ("a", "a", 2), ("b", "b", 1)]
    form = await template("".join(text % one for one in names))()
    assert [one.parameter.name for one in form.parameters] == ["b", "c", "a"]


async def test_a_template_that_fails_for_an_answer_keeps_what_it_could_evaluate(
    template: Ask,
) -> None:
    form = await template(
        """
        data "coder_parameter" "region" {
          name    = "region"
          default = "eu"
        }
        data "coder_parameter" "zone" {
          name    = "zone"
          default = { eu = "a" }[data.coder_parameter.region.value]
        }
        """
    )(region="mars")
    assert list(named(form)) == ["region"]
    assert [note.summary for note in form.errors] == ["Invalid index"]


async def test_secrets_of_the_template_stay_out_of_forms(template: Ask) -> None:
    ask = template(
        """
        variable "token" {
          type      = string
          sensitive = true
          default   = ""
        }
        data "coder_parameter" "shown" {
          name        = "shown"
          default     = "x"
          description = "uses ${substr(var.token, 0, 40)}"
        }
        data "coder_parameter" "there" {
          count   = var.token == "" ? 0 : 1
          name    = "there"
          default = "y"
        }
        """
    )
    ask.variables = {"token": "hunter2hunter2"}
    form = await ask()
    assert "hunter2" not in repr(form)
    assert not named(form)["shown"].known
    assert named(form)["there"].value == "y"


async def test_a_monotonic_value_is_held_against_the_one_before(template: Ask) -> None:
    ask = template(
        """
        data "coder_parameter" "disk" {
          name    = "disk"
          type    = "number"
          default = "10"
          mutable = true
          validation {
            monotonic = "increasing"
          }
        }
        """
    )
    ask.previous = {"disk": "20"}
    (note,) = named(await ask(disk="15"))["disk"].errors
    assert note.detail == "parameter value '15' must be equal or greater than previous value: 20"


async def test_tags_follow_the_answers(template: Ask) -> None:
    ask = template(
        """
        data "coder_parameter" "zone" {
          name    = "zone"
          default = "eu"
        }
        data "coder_workspace_tags" "tags" {
          tags = { zone = data.coder_parameter.zone.value }
        }
        """
    )
    assert (await ask(zone="us")).workspace_tags == {"zone": "us"}


def evaluations() -> list[psutil.Process]:
    """Return the terraforms that evaluate forms for this process."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE and "plan" in child.cmdline()
    ]


async def test_a_client_that_leaves_takes_its_terraform_along(template: Ask) -> None:
    text = 'data "coder_parameter" "p" {\n  name = "p"\n  default = %s\n}\n'
    # Long to evaluate: nobody will wait for it.
    slow = "length([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]])"
    asking = asyncio.create_task(template(text % slow)())
    async with asyncio.timeout(30):
        while not evaluations():  # noqa: ASYNC110 - a process tells nobody that it lives
            await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert evaluations() == []


async def test_the_same_question_is_evaluated_once(template: Ask, tmp_path: Path) -> None:
    ask = template(CONDITIONAL)
    terraform = shutil.which("terraform") or shutil.which("tofu")
    (tmp_path / "terraform").symlink_to(str(terraform))
    options = Options(cache_dir=tmp_path / "cache", binary=tmp_path / "terraform")
    options.cache_dir.mkdir()
    ask.evaluator = InstalledEvaluator(options)
    first = await ask(gpu="true")
    (tmp_path / "terraform").unlink()
    assert await ask(gpu="true") == first
    with pytest.raises(NoForm, match="not an executable file"):
        await ask(gpu="false")


DENSE = """
data "coder_workspace_owner" "me" {}
data "coder_parameter" "cpus" {
  name    = "cpus"
  type    = "number"
  default = "2"
  mutable = true
  order   = 3
  validation {
    min       = 1
    max       = 8
    monotonic = "increasing"
  }
}
data "coder_parameter" "name" {
  name      = "name"
  form_type = "textarea"
  validation {
    regex = "^[a-z]+$"
    error = "lower case, please"
  }
}
data "coder_parameter" "teams" {
  name      = "teams"
  type      = "list(string)"
  form_type = "multi-select"
  default   = jsonencode(["red"])
  option {
    name  = "Red"
    value = "red"
  }
  option {
    name  = data.coder_workspace_owner.me.name
    value = "mine"
  }
}
data "coder_parameter" "debug" {
  name      = "debug"
  type      = "bool"
  default   = false
  ephemeral = true
  mutable   = true
}
"""


async def test_where_nothing_depends_on_answers_they_are_judged_without_terraform(
    template: Ask, tmp_path: Path
) -> None:
    ask = template(DENSE)
    answers: list[dict[str, str]] = [
        {},
        {"cpus": "3", "name": "dora", "teams": '["mine", "red"]', "debug": "true"},
        {"cpus": "9", "name": "Dora", "teams": '["blue"]', "debug": "perhaps"},
        {"cpus": "x", "name": "", "teams": "red", "unknown": "y"},
    ]
    ask.previous = {"cpus": "2"}
    truth: list[Form] = []
    for number, one in enumerate(answers):
        options = Options(cache_dir=tmp_path / str(number))
        options.cache_dir.mkdir()
        ask.evaluator = InstalledEvaluator(options)
        truth.append(await ask(**one))
    terraform = tmp_path / "terraform"
    terraform.symlink_to(str(shutil.which("terraform") or shutil.which("tofu")))
    options = Options(cache_dir=tmp_path / "last", binary=terraform)
    options.cache_dir.mkdir()
    ask.evaluator = InstalledEvaluator(options)
    await ask()
    terraform.unlink()
    assert [await ask(**one) for one in answers] == truth
    ask.owner = Owner(name="somebody else")
    with pytest.raises(NoForm):
        await ask()


def packed(files: dict[str, str]) -> bytes:
    """Return a slice as a daemon elsewhere might have made it."""
    whole = {"zzzz_modules__.json": '{"Modules": [{"Key": "", "Source": "", "Dir": "."}]}', **files}
    return tar(whole)


REMOTE = 'data "terraform_remote_state" "s" {\n  backend = "local"\n}\n'
ELSEWHERE = '{"Modules": [{"Key": "", "Dir": "."}, {"Key": "m", "Dir": "../../.."}]}'


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"main.tf": 'locals {\n  a = file("/etc/passwd")\n}\n'}, "not plain to see"),
        ({"main.tf": REMOTE}, "terraform_remote_state"),
        ({"main.tf": 'terraform {\n  backend "http" {}\n}\n'}, "no form needs"),
        ({"main.tf": 'provider "docker" {}\n'}, "no form needs"),
        ({"main.tf.json": "{}"}, "JSON"),
        ({"main.tf": "", "zzzz_modules__.json": ELSEWHERE}, "lies elsewhere"),
        ({"../main.tf": ""}, "reaches outside"),
        ({"main.tf": "{"}, "cannot be read"),
    ],
)
async def test_a_slice_that_was_made_elsewhere_cannot_look_around_here(
    evaluator: InstalledEvaluator, files: dict[str, str], reason: str
) -> None:
    with pytest.raises(NoForm, match=reason):
        await Asked(evaluator, packed(files))()


async def test_a_form_that_needs_all_memory_gets_none_of_it(template: Ask) -> None:
    """Ten lines took gigabytes of the host, and half of one of the server itself."""
    text = (
        'data "coder_parameter" "p%d" {\n  name = "p%d"\n  default = format("%%40000000s", "")\n}\n'
    )
    ask = template("".join(text % (number, number) for number in range(30)))
    with pytest.raises(NoForm, match="2 GiB of memory"):
        await ask()
