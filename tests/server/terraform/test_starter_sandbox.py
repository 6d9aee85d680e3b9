"""The starter template ``sandbox``: a workspace sees only its own, and nothing of it stays."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.terraform import Built
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import (
    WORKSPACE,
    alive,
    cut_short,
    needs_terraform,
    tar,
    until,
)
from tests.support.bubblewrap import needs_bubblewrap

pytestmark = [needs_terraform]

STARTER = Path(__file__).parents[3] / "server/templates/starters/sandbox"
MARKER = f"CODER_LOCAL_WORKSPACE={WORKSPACE}"

AGENT = """#!/bin/sh
# Stands in for the agent: looks around, lives long and ends in order.
can() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
kernel() { cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern; }
{
  echo "home=$HOME" "user=$(id -un)" "uid=$(id -u)" "host=$(uname -n)" "first=$(cat /proc/1/comm)"
  echo "sees=$(ls -d /proc/[0-9]* | wc -l)"
  echo "secret=$(can cat SECRET)" "neighbours=$(can ls SIBLING)" "shadow=$(can cat /etc/shadow)"
  echo "system=$(can touch /usr/x)" "root=$(can touch /x)" "tmp=$(can touch /tmp/x)"
  echo "kernel=$(can kernel)"
  echo "caps=$(sed -n 's/^CapEff:.//p' /proc/self/status)" "token=$(cat "$CODER_AGENT_TOKEN_FILE")"
  echo "environment=$(env | cut -d= -f1 | sort | tr '\\n' ,)"
} | tr ' ' '\\n' > "$HOME/seen.part"
mv "$HOME/seen.part" "$HOME/seen"
trap 'echo stopped in order >> "$HOME/log"; exit 0' TERM
(trap '' TERM HUP; while :; do sleep 0.1; done) &
# Nobody finds this one by its environment.
setsid env -i sh -c 'trap "" TERM; cd /; while :; do /bin/sleep 0.1; done' &
echo started >> "$HOME/log"
while :; do sleep 0.05; done
"""


@dataclass
class Place:
    """Where the workspace lives, with a neighbour's home and a secret of the server beside."""

    workspace: Path
    sibling: Path
    secret: Path

    @property
    def home(self) -> Path:
        return self.workspace / "home"

    def agent(self) -> str:
        return AGENT.replace("SECRET", str(self.secret)).replace("SIBLING", str(self.sibling))

    def seen(self) -> dict[str, str]:
        lines = (self.home / "seen").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    async def started(self, times: int = 1) -> None:
        log = self.home / "log"
        await until(lambda: log.exists() and log.read_text().count("started") == times)


@pytest.fixture
def place(host: Mapping[str, str], tmp_path: Path) -> Place:
    workspaces = Path(host["XDG_DATA_HOME"]) / "coder/workspaces"
    (workspaces / "another").mkdir(parents=True)
    secret = tmp_path / "database"
    secret.write_text("of the server")
    return Place(workspaces / str(WORKSPACE), workspaces / "another", secret)


def archive() -> bytes:
    return tar({path.name: path.read_text() for path in STARTER.iterdir()})


async def tried(driver: Driver, place: Place, transition: str, state: bytes | None = None) -> Built:
    machines = ("linux_amd64", "linux_arm64")
    scripts = dict.fromkeys(machines, place.agent())
    return await driver.build(archive(), transition, state, agent_scripts=scripts)


async def build(driver: Driver, place: Place, transition: str, state: bytes | None = None) -> Built:
    built = await tried(driver, place, transition, state)
    assert built.error is None, (built.error, driver.console.text)
    return built


def commands_in(folder: Path) -> list[str]:
    """Return the commands of processes that were started in a sandbox with this home."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder) in (process / "mountinfo").read_text():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@needs_bubblewrap
async def test_import_of_the_starter(driver: Driver) -> None:
    found = await driver.learn(archive())
    assert found.error is None
    assert "What it does not isolate" in found.readme
    homes = {r.address: [a.name for a in r.agents] for r in found.start_resources}
    assert homes == {
        "terraform_data.home": [],
        "terraform_data.processes[0]": [],
        "terraform_data.workspace[0]": ["main"],
    }
    assert [r.address for r in found.stop_resources] == ["terraform_data.home"]


@needs_bubblewrap
async def test_a_workspace_sees_only_what_is_its_own(driver: Driver, place: Place) -> None:
    built = await build(driver, place, "start")
    try:
        await place.started()
        seen = place.seen()
        assert (seen["home"], seen["user"], seen["uid"]) == ("/home/coder", "coder", "1000")
        assert (seen["host"], seen["first"]) == ("dev", "bwrap")
        assert int(seen["sees"]) < 10, "processes of the host are seen"
        assert (seen["secret"], seen["neighbours"], seen["shadow"]) == ("no", "no", "no")
        assert (seen["system"], seen["root"], seen["tmp"]) == ("no", "no", "yes")
        assert int(seen["caps"], 16) == 0
        assert seen["kernel"] == "no", "whoever sets core_pattern runs programs on the host"
        assert seen["token"] == built.resources[2].agents[0].token
        assert "SECRET" not in seen["environment"]
        assert "AGENT_TOKEN," not in seen["environment"]
        assert place.workspace.stat().st_mode & 0o777 == 0o700
    finally:
        await build(driver, place, "delete", built.state)


@needs_bubblewrap
async def test_the_life_of_a_workspace(driver: Driver, place: Place) -> None:
    first = await build(driver, place, "start")
    try:
        await place.started()
        assert len(alive(MARKER)) >= 3
        assert any("/bin/sleep" in words for words in commands_in(place.home))
        stopped = await build(driver, place, "stop", first.state)
        assert (alive(MARKER), commands_in(place.home)) == ([], [])
        assert "stopped in order" in (place.home / "log").read_text()
        assert not (place.workspace / "token").exists()
        assert not (place.workspace / "tmp").exists()

        again = await build(driver, place, "start", stopped.state)
        await place.started(times=2)
        await build(driver, place, "delete", again.state)
        assert not place.workspace.exists()
        assert (alive(MARKER), commands_in(place.home)) == ([], [])
    finally:
        await build(driver, place, "delete", first.state)
    assert place.sibling.exists()


@needs_bubblewrap
async def test_a_second_start_replaces_the_sandbox_that_a_lost_build_left_behind(
    driver: Driver, place: Place
) -> None:
    first = await build(driver, place, "start")
    try:
        await place.started()
        # The state of the first build was lost: only the home is known.
        await build(driver, place, "start")
        await place.started(times=2)
        lines = (place.home / "log").read_text().splitlines()
        assert lines == ["started", "stopped in order", "started"]
    finally:
        await build(driver, place, "delete", first.state)
    assert (alive(MARKER), commands_in(place.home)) == ([], [])


@needs_bubblewrap
@pytest.mark.parametrize("ending", ["stop", "delete"])
async def test_a_start_that_was_cut_short_leaves_no_process_after_its_end(
    driver: Driver, place: Place, ending: str
) -> None:
    first = await build(driver, place, "start")
    try:
        await place.started()
        # Not even the file that names the sandbox was written.
        (place.workspace / "sandbox").unlink()
        await build(driver, place, ending, cut_short(first.state))
        assert (alive(MARKER), commands_in(place.home)) == ([], [])
        assert place.workspace.exists() == (ending == "stop")
    finally:
        await build(driver, place, "delete", first.state)


@needs_bubblewrap
async def test_a_sandbox_that_died_by_itself_is_stopped_and_deleted_all_the_same(
    driver: Driver, place: Place
) -> None:
    built = await build(driver, place, "start")
    await place.started()
    # The numbers of a process that was: somebody else has its pid today.
    (place.workspace / "sandbox").write_text("1 12345\n")
    stopped = await build(driver, place, "stop", built.state)
    assert (alive(MARKER), commands_in(place.home)) == ([], [])
    await build(driver, place, "delete", stopped.state)
    assert not place.workspace.exists()


async def test_a_host_without_bubblewrap_is_refused_with_what_to_install(
    driver: Driver, place: Place, host: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (
        "terraform",
        "sh",
        "cat",
        "cut",
        "grep",
        "mkdir",
        "rm",
        "sed",
        "cp",
        "chmod",
        "id",
    ):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    host["PATH"] = str(folder)
    built = await tried(driver, place, "start")
    assert built.error is not None
    said = " ".join(built.error.message.split())
    assert "The sandbox template needs the program bwrap on the host of the server. Install" in said
    assert "apt-get install bubblewrap" in said
    assert "pids()" not in said, "the script is shown"
    await build(driver, place, "delete", built.state)
    assert not place.workspace.exists()


async def test_a_host_without_user_namespaces_is_refused_with_what_to_set(
    driver: Driver, place: Place, host: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "bwrap").write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    (folder / "bwrap").chmod(0o755)
    host["PATH"] = f"{folder}:{host['PATH']}"
    built = await tried(driver, place, "start")
    assert built.error is not None
    assert "No permissions to create new namespace" in built.error.message
    assert "Or use a template that needs no sandbox." in built.error.message
    await build(driver, place, "delete", built.state)
    assert not place.workspace.exists()


async def test_what_a_host_lacks_is_told_at_the_push_already(driver: Driver) -> None:
    text = (STARTER / "main.tf").read_text()
    bare = text.replace("/bwrap", "/no-such-program")
    found = await driver.learn(tar({"main.tf": bare, "README.md": "none"}))
    assert found.error is not None
    assert "Install the package bubblewrap there" in found.error.message
    off = text.replace("/proc/sys/user/max_user_namespaces", "/proc/sys/kernel/randomize_va_space")
    off = off.replace('"") == "0"', '"") != "0"')
    found = await driver.learn(tar({"main.tf": off, "README.md": "none"}))
    assert found.error is not None
    assert "sysctl -w user.max_user_namespaces=10000" in found.error.message
    assert json.dumps(found.error.message).count("main.tf") >= 1
