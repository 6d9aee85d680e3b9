"""Secrets of a job are not to be read in its log, nor in its error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder_cli.kit.environ import environ
from server.kit.pubsub import Pubsub
from server.provisioning import (
    Console,
    DaemonOptions,
    Daemons,
    Job,
    JobFailed,
    JobType,
    Means,
    Registry,
)
from server.provisioning.model.veil import HIDDEN, MOST, SHORTEST, Veil
from server.terraform import Built, Failure, InstalledTerraform, Options, Owner
from tests.server.provisioning.conftest import House
from tests.server.provisioning.far import BuildingKind
from tests.server.terraform.world import needs_terraform, template

KEY = "-----BEGIN KEY-----\nabcdefgh/+==\n  ijklmnop\nshort\n-----END KEY-----\n"


def over(text: str, *secrets: str) -> str:
    veil = Veil()
    veil.hide(secrets)
    return veil.over(text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("deploy --key hunter2-x now", f"deploy --key {HIDDEN} now"),
        ("hunter2-xhunter2-x", HIDDEN),
        ("hunter2 is another", "hunter2 is another"),
        ("", ""),
    ],
)
def test_a_secret_is_covered_wherever_it_stands(text: str, seen: str) -> None:
    assert over(text, "hunter2-x") == seen


def test_short_texts_and_blanks_are_no_secrets() -> None:
    assert over("it is a dev of      four", "", "dev", "four", "a", " " * 6) == (
        "it is a dev of      four"
    )


@pytest.mark.parametrize("secrets", [("secret", "secret-long"), ("secret-long", "secret")])
def test_the_longer_of_two_is_covered_whole(secrets: tuple[str, str]) -> None:
    assert over("secret-long, secret", *secrets) == f"{HIDDEN}, {HIDDEN}"


def test_each_line_of_a_secret_is_one() -> None:
    lines = [over(line, KEY) for line in KEY.splitlines()]
    assert lines == [HIDDEN, HIDDEN, f"  {HIDDEN}", "short", HIDDEN]
    assert over(f"<{KEY}>", KEY) == f"<{HIDDEN}>"


@pytest.mark.parametrize("secret", ['say "hi"\\n', "one\ntwo\tthree", "grün\x01&<b>", "a${b}%{c}"])
def test_a_secret_is_covered_where_it_is_quoted(secret: str) -> None:
    go = json.dumps(secret, ensure_ascii=False)
    for character in "&<>":
        go = go.replace(character, f"\\u{ord(character):04x}")
    hcl = json.dumps(secret).replace("${", "$${").replace("%{", "%%{")
    for quoted in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), go, hcl):
        assert over(f"k = {quoted}", secret) == f'k = "{HIDDEN}"'


def test_a_very_long_secret_is_covered_whole() -> None:
    secret = "".join(map(str, range(3000)))[:10_240]
    assert over(f"[{secret}]", secret) == f"[{HIDDEN}]"


def test_what_is_looked_for_is_bounded_and_a_long_secret_leaves_room() -> None:
    long = "\n".join(f"line number {n}" for n in range(10 * MOST))
    assert over("the other one", long, "the other one") == HIDDEN
    veil = Veil()
    veil.hide(f"secret number {n}" for n in range(10 * MOST))
    assert veil.over(f"secret number {MOST - 1}x") == f"{HIDDEN}x"
    assert veil.over("nothing of it") == "nothing of it"


@given(st.lists(st.text()), st.text(), st.text())
def test_no_secret_is_left_in_any_text(secrets: list[str], before: str, after: str) -> None:
    veil = Veil()
    veil.hide(secrets)
    for secret in secrets:
        if len(secret.strip()) >= SHORTEST and HIDDEN not in secret and secret not in HIDDEN:
            assert HIDDEN in veil.over(f"{before}{secret}{after}")


async def test_a_run_says_no_secret_in_its_log_nor_in_its_failure(house: House) -> None:
    async def fail(job: Job, console: Console) -> object:
        console.conceal(("hunter2-x", KEY))
        console.log("info", "Planning", "with hunter2-x")
        for line in KEY.splitlines():
            console.log("info", "Planning", line)
        raise JobFailed(f"Error running command 'login hunter2-x {KEY}'", "CODE", outcome=b"state")

    house.kind.work_with = fail
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    said = await house.queue.said(job)
    assert said == [f"with {HIDDEN}", HIDDEN, HIDDEN, f"  {HIDDEN}", "short", HIDDEN]
    failed = ("failed", f"Error running command 'login {HIDDEN} {HIDDEN}'")
    assert await house.queue.state(job) == failed
    assert await house.queue.column(job, "error_code") == "CODE"
    assert house.kind.failures == [(job.id, b"state")]


async def test_a_crash_and_a_refused_result_say_no_secret_either(house: House) -> None:
    async def crash(job: Job, console: Console) -> object:
        console.conceal(("hunter2-x",))
        raise ValueError("not a number: hunter2-x")

    async def work(job: Job, console: Console) -> object:
        console.conceal(("hunter2-x",))
        return "made"

    house.kind.refuse.append(JobFailed("hunter2-x is taken"))
    for what, error in (
        (crash, f"The job crashed: not a number: {HIDDEN}"),
        (work, f"{HIDDEN} is taken"),
    ):
        house.kind.work_with = what
        job = await house.queue.post()
        await house.daemons().turn("host-0")
        assert await house.queue.state(job) == ("failed", error)


async def test_what_an_order_holds_of_its_owner_is_concealed(house: House) -> None:
    owner = Owner(session_token="session-abc", ssh_private_key=KEY)
    kind = house.kind = BuildingKind(owner=owner, state=b'{"token": "agent-token"}')
    error = Failure("session-abc, agent-token, abcdefgh/+==")
    house.terraform.script(builds=[Built(error=error)])
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    assert await house.queue.state(job) == ("failed", f"{HIDDEN}, {HIDDEN}, {HIDDEN}")
    assert len(kind.failures) == 1


TELLTALE = """
variable "password" {
  type      = string
  sensitive = true
}
variable "endpoints" {
  type      = list(string)
  sensitive = true
  default   = ["first-endpoint"]
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "login" {
  provisioner "local-exec" {
    command = <<-EOT
      echo ${coder_agent.main.token} | sed s/^/token:/
      : ${var.password} ${var.endpoints[0]}
      exit 3
    EOT
  }
}
"""


@needs_terraform
async def test_a_command_that_fails_is_shown_without_sensitive_values(house: House) -> None:
    archive = template(TELLTALE)
    kind = BuildingKind(archive=archive, variables={"password": "hunter2 $(true)"})
    host = {name: value for name, value in environ().items() if not name.startswith("TF_")}
    terraform = InstalledTerraform(Options(cache_dir=house.cache / "terraform", host=host))
    db = house.queue.db
    registry = Registry({JobType.WORKSPACE_BUILD: kind})
    means = Means(db, Pubsub(db.dsn), registry, terraform, house.clock)
    job = await house.queue.post()
    await Daemons(means, DaemonOptions(house.cache, "host", 1)).turn("host-0")
    state, error = await house.queue.state(job)
    assert (state, "exit status 3" in error) == ("failed", True)
    ((_, built),) = kind.failures
    assert isinstance(built, Built)
    assert built.state is not None
    (agent,) = (one for one in json.loads(built.state)["resources"] if one["type"] == "coder_agent")
    token = agent["instances"][0]["attributes"]["token"]
    log = "\n".join(await house.queue.said(job))
    for text in (error, log):
        assert f"echo {HIDDEN} | sed s/^/token:/\n: {HIDDEN} {HIDDEN}\nexit 3" in text
        assert f"token:{HIDDEN}" in text
        for secret in (token, "hunter2", "first-endpoint"):
            assert secret not in text
