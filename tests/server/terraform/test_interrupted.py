"""A build that is interrupted, or finds no room, leaves a state with which delete still works."""

import errno
import json
import shutil
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from server.terraform import Built, InstalledTerraform, archive
from tests.server.terraform.builds import server_that_builds
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import Listener, alive, needs_terraform, template, until

pytestmark = needs_terraform

REAL = shutil.which("terraform") or shutil.which("tofu") or "terraform"
SLOW = template(
    """
    resource "terraform_data" "first" {}
    resource "terraform_data" "second" {
      depends_on = [terraform_data.first]
      provisioner "local-exec" {
        command = "echo waiting; exec sleep 1000"
      }
    }
    """
)
BIG = template(
    """
    resource "terraform_data" "first" {
      input = "hunter2-7f"
    }
    resource "terraform_data" "second" {
      depends_on = [terraform_data.first]
      input      = join("", [for i in range(1000) : "0123456789abcdef"])
    }
    resource "terraform_data" "third" {
      depends_on = [terraform_data.second]
    }
    """
)


def running_in(work: Path) -> bool:
    """Tell whether a process works in that directory."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(work):
                return True
    return False


def held(built: Built) -> dict[str, Any]:
    assert built.state is not None
    found = json.loads(built.state)["resources"]
    return {one["name"]: one["instances"][0] for one in found}


@pytest.fixture
def cramped(driver: Driver, tmp_path: Path) -> Driver:
    """A driver whose terraform may write no file beyond 16 KiB, which a small plan is."""
    wrapper = tmp_path / Path(REAL).name
    # A build's last command is its apply; only that runs out of room.
    wrapper.write_text(
        f'#!/bin/bash\ncase "$1" in apply) trap "" XFSZ; ulimit -f 16;; esac\nexec {REAL} "$@"\n'
    )
    wrapper.chmod(0o755)
    driver.terraform = InstalledTerraform(replace(driver.options, binary=wrapper))
    return driver


async def test_what_is_being_made_when_the_interrupt_comes_is_tainted(driver: Driver) -> None:
    console = Listener(cancel_at="(local-exec): waiting")
    built = await driver.terraform.build(driver.request(SLOW), console)
    assert built.error is not None
    assert built.error.canceled
    assert "status" not in held(built)["first"]
    assert held(built)["second"]["status"] == "tainted"
    gone = await driver.build(SLOW, "delete", built.state)
    assert gone.error is None
    assert held(gone) == {}


async def test_after_the_kill_what_was_finished_is_in_the_state(
    driver: Driver, tmp_path: Path
) -> None:
    deaf = tmp_path / Path(REAL).name
    deaf.write_text(
        f'#!/bin/bash\nif [ "$1" != apply ]; then exec {REAL} "$@"; fi\n'
        f"trap '' INT\n{REAL} \"$@\" < /dev/null &\nwait\n"
    )
    deaf.chmod(0o755)
    quick = replace(driver.options, binary=deaf, force_cancel_interval=timedelta(seconds=0.3))
    console = Listener(cancel_at="(local-exec): waiting")
    slow = SLOW.replace(b"sleep 1000", b"sleep 9127")
    built = await InstalledTerraform(quick).build(driver.request(slow), console)
    assert built.error is not None
    assert built.error.canceled
    assert "Cancel timed out, terraform was killed." in console.text
    assert "first" in held(built)
    await until(lambda: not alive("sleep 9127"))
    await until(lambda: not alive(str(driver.last_dir)))
    gone = await driver.build(slow, "delete", built.state)
    assert gone.error is None
    assert held(gone) == {}


async def test_a_full_disk_in_mid_apply_loses_no_state(cramped: Driver) -> None:
    built = await cramped.build(BIG)
    assert built.error is not None
    assert "could not write the state to the disk of the server" in built.error.message
    assert "What it made is not lost" in built.error.message
    assert str(cramped.options.cache_dir) in built.error.message
    assert set(held(built)) == {"first", "second"}
    assert "hunter2-7f" not in cramped.console.text
    assert "terraform state push" not in cramped.console.text

    roomy = InstalledTerraform(cramped.options)
    request = cramped.request(BIG, "delete", built.state)
    gone = await roomy.build(request, Listener())
    assert gone.error is None
    assert held(gone) == {}


async def test_a_start_after_a_full_disk_goes_on_where_it_stopped(cramped: Driver) -> None:
    stopped = await cramped.build(BIG)
    cramped.terraform = InstalledTerraform(cramped.options)
    resumed = await cramped.build(BIG, "start", stopped.state)
    assert resumed.error is None
    assert set(held(resumed)) == {"first", "second", "third"}
    assert held(resumed)["second"] == held(stopped)["second"]


@pytest.mark.parametrize("step", ["import", "build", "dry run"])
async def test_no_room_for_the_template_is_said_plainly(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "unpack", full)
    state = b'{"version": 4, "serial": 1, "resources": []}'
    request = driver.request(SLOW, "stop", state)
    found = await {
        "import": lambda: driver.learn(SLOW),
        "build": lambda: driver.terraform.build(request, driver.console),
        "dry run": lambda: driver.terraform.dry_run(request, driver.console),
    }[step]()
    assert found.error is not None
    assert found.error.message == (
        f"The disk of the server is full: {driver.options.cache_dir} has no room left. "
        "Free some space there, then try again."
    )
    assert found.error.message in driver.console.text
    if step == "build":
        assert isinstance(found, Built)
        assert found.state == state


async def test_a_state_that_cannot_be_placed_is_handed_back(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr("server.terraform.state.write_private", full)
    built = await driver.build(SLOW, "stop", b'{"serial": 7}')
    assert built.error is not None
    assert "The disk of the server is full" in built.error.message
    assert built.state == b'{"serial": 7}'


async def test_a_binary_that_is_being_replaced_is_said_plainly(
    driver: Driver, tmp_path: Path
) -> None:
    program = tmp_path / "terraform"
    shutil.copyfile(shutil.which("true") or "/bin/true", program)
    program.chmod(0o755)
    driver.terraform = InstalledTerraform(replace(driver.options, binary=program))
    found = await driver.learn(SLOW)
    assert found.error is not None
    assert f"{program} does not say its version, as terraform would" in found.error.message


async def test_an_apply_whose_server_was_killed_writes_down_what_it_made(
    driver: Driver, tmp_path: Path
) -> None:
    archive = template(
        f"""
        resource "terraform_data" "first" {{}}
        resource "terraform_data" "second" {{
          depends_on = [terraform_data.first]
          provisioner "local-exec" {{
            command = "touch {tmp_path}/waiting; until [ -e {tmp_path}/go ]; do sleep 0.1; done"
          }}
        }}
        resource "terraform_data" "third" {{
          depends_on = [terraform_data.second]
        }}
        """
    )
    work = driver.work_dir()
    server = await server_that_builds(driver, archive, work)
    await until((tmp_path / "waiting").exists)
    server.send_signal(signal.SIGKILL)
    await server.wait()
    (tmp_path / "go").touch()
    # Nobody reads what it says any more; it goes on to its end nevertheless.
    await until(lambda: not running_in(work))
    state = await driver.terraform.sweep(work)
    assert set(held(Built(state=state))) == {"first", "second", "third"}
