"""The scripted terraform keeps the promises of the door."""

import asyncio
from pathlib import Path
from uuid import UUID

from server.terraform import (
    BuildRequest,
    Built,
    ErrorCode,
    Failure,
    FakeTerraform,
    Imported,
    ImportRequest,
    InstalledTerraform,
    Options,
    Owner,
    TemplateFacts,
    Terraform,
    Transition,
    WorkspaceFacts,
)
from tests.server.terraform.world import Listener

IMPORT = ImportRequest(Path("/nowhere"), b"")
BUILD = BuildRequest(
    Path("/nowhere"),
    b"",
    Transition.START,
    UUID(int=1),
    WorkspaceFacts(),
    Owner(),
    TemplateFacts(),
    "http://localhost",
    state=b"before",
)


def test_both_stand_at_the_door() -> None:
    doors: list[Terraform] = [FakeTerraform(), InstalledTerraform(Options(Path("/nowhere")))]
    assert len(doors) == 2


async def test_scripted_outcomes_come_in_order_then_plain_successes() -> None:
    fake = FakeTerraform().script(
        imports=[Imported(readme="a")], builds=[Built(error=Failure("no"))]
    )
    assert (await fake.import_version(IMPORT, Listener())).readme == "a"
    assert (await fake.import_version(IMPORT, Listener())).readme == ""
    assert (await fake.build(BUILD, Listener())).error == Failure("no")
    assert (await fake.build(BUILD, Listener())).state
    assert fake.asked == [IMPORT, IMPORT, BUILD, BUILD]


async def test_a_held_build_can_be_cancelled() -> None:
    fake, console = FakeTerraform(), Listener()
    fake.gate.clear()
    async with asyncio.TaskGroup() as group:
        build = group.create_task(fake.build(BUILD, console))
        await asyncio.sleep(0)
        console.cancelled.set()
    error = build.result().error
    assert error is not None
    assert error.canceled
    assert error.code is ErrorCode.CANCELED
    assert build.result().state == b"before"


async def test_sweep_returns_what_was_left_behind_once() -> None:
    fake = FakeTerraform(left_behind={Path("/a"): b"s"})
    assert await fake.sweep(Path("/a")) == b"s"
    assert await fake.sweep(Path("/a")) is None
