"""Builds that are stopped: by who ordered them, with their server, and by force."""

import asyncio
import json
import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from server.terraform import InstalledTerraform
from server.terraform.command import PID_FILE
from tests.server.terraform.builds import TINY, objects, server_that_builds, shell
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import (
    Listener,
    alive,
    needs_terraform,
    template,
    until,
)

pytestmark = needs_terraform


async def test_cancelling_a_build_stops_terraform_and_returns_the_state(driver: Driver) -> None:
    archive = template(
        shell("true", "first")
        + """
        resource "terraform_data" "second" {
          depends_on = [terraform_data.first]
          provisioner "local-exec" {
            command = "echo waiting; exec sleep 1000"
          }
        }
        """
    )
    console = Listener(cancel_at="(local-exec): waiting")
    built = await driver.terraform.build(driver.request(archive), console)
    assert built.error is not None
    assert built.error.canceled
    assert built.error.message == "terraform apply was cancelled"
    assert "terraform_data.first" in objects(built.state)
    assert not (driver.last_dir / PID_FILE).exists()


async def test_a_build_cancelled_before_it_begins_runs_nothing(driver: Driver) -> None:
    console = Listener()
    console.cancelled.set()
    built = await driver.terraform.build(driver.request(TINY, state=b"{}"), console)
    assert built.error is not None
    assert built.error.canceled
    assert built.state == b"{}"
    assert "Terraform 1" not in console.text


async def test_a_build_that_does_not_stop_is_killed(driver: Driver) -> None:
    stubborn = "trap '' INT TERM; echo waiting; while :; do sleep 0.1; done # stubborn-5f1c"
    quick = replace(driver.options, force_cancel_interval=timedelta(seconds=0.3))
    terraform = InstalledTerraform(quick)
    console = Listener(cancel_at="(local-exec): waiting")
    built = await terraform.build(driver.request(template(shell(stubborn))), console)
    assert built.error is not None
    assert built.error.canceled
    await until(lambda: not alive("stubborn-5f1c"))


async def test_cancelling_the_task_stops_terraform_and_leaves_the_state_to_sweep(
    driver: Driver,
) -> None:
    archive = template(
        shell("true", "first")
        + 'resource "terraform_data" "second" {\n depends_on = [terraform_data.first]\n'
        + ' provisioner "local-exec" {\n command = "echo waiting; exec sleep 1000"\n }\n}\n'
    )
    console = Listener()
    request = driver.request(archive)
    task = asyncio.ensure_future(driver.terraform.build(request, console))
    await until(lambda: "(local-exec): waiting" in console.text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    state = await driver.terraform.sweep(request.work_dir)
    assert "terraform_data.first" in objects(state)


async def test_after_kill_9_of_the_server_sweep_ends_the_build_and_saves_its_state(
    driver: Driver, tmp_path: Path
) -> None:
    archive = template(
        shell("true", "first")
        + f"""
        resource "terraform_data" "second" {{
          depends_on = [terraform_data.first]
          provisioner "local-exec" {{
            command = "touch {tmp_path}/waiting; sleep 1000 # orphan-77aa"
          }}
        }}
        """
    )
    work = driver.work_dir()
    server = await server_that_builds(driver, archive, work)
    await until((tmp_path / "waiting").exists)
    noted = json.loads((work / PID_FILE).read_text())
    server.send_signal(signal.SIGKILL)
    await server.wait()
    os.kill(noted["pid"], 0)  # Terraform goes on without anybody who listens.

    state = await driver.terraform.sweep(work)
    assert "terraform_data.first" in objects(state)
    await until(lambda: not alive("orphan-77aa"))
    with pytest.raises(ProcessLookupError):
        os.kill(noted["pid"], 0)

    resumed = await driver.build(template(shell("true", "first")), "start", state)
    assert resumed.error is None
    assert objects(resumed.state)["terraform_data.first"] == objects(state)["terraform_data.first"]


async def test_a_state_that_lies_about_is_not_taken_for_the_workspaces(driver: Driver) -> None:
    request = driver.request(template('resource "terraform_data" "a" {}'))
    for name in ("errored.tfstate", "terraform.tfstate", "terraform.tfstate.backup"):
        (request.work_dir / name).write_text('{"version": 4, "serial": 9, "lineage": "stale"}')
    built = await driver.terraform.build(request, driver.console)
    assert built.error is None
    assert b"stale" not in (built.state or b"")


async def test_sweep_spares_a_stranger_that_has_the_old_pid(driver: Driver) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "1000")
    work = driver.work_dir()
    (work / PID_FILE).write_text(json.dumps({"pid": stranger.pid, "started": 1.0}))
    (work / "terraform.tfstate").write_text("{torn")
    (work / "terraform.tfstate.backup").write_text('{"serial": 1}')
    try:
        assert await driver.terraform.sweep(work) == b'{"serial": 1}'
        assert stranger.returncode is None
        os.kill(stranger.pid, 0)
        assert not (work / PID_FILE).exists()
    finally:
        stranger.kill()
        await stranger.wait()


async def test_sweep_of_nothing(driver: Driver, tmp_path: Path) -> None:
    assert await driver.terraform.sweep(tmp_path / "gone") is None
    assert await driver.terraform.sweep(driver.work_dir()) is None
