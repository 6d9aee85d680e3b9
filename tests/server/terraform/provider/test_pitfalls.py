"""What went wrong, or nearly, when terraform first met a provider that lives in our process.

Elsewhere: sockets are private (``test_host``), the end at once on Shutdown (``test_process``),
Go's numbers and truth values (``test_checks``), RE2 (``test_parameter``).
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from server.terraform.provider import ProviderHost, Reattach
from tests.server.terraform.provider.test_host import call, entries, socket_of
from tests.server.terraform.warm import run, terraform
from tests.server.terraform.world import HEADER, needs_terraform, until

TEMPLATE = HEADER + 'data "coder_workspace" "me" {}\noutput "n" { value = 1 }\n'


def pid_of(reattach: Reattach) -> int:
    (pid,) = {entry["Pid"] for entry in entries(reattach).values()}
    return pid


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(TEMPLATE)
    return tmp_path


@needs_terraform
async def test_terraform_kills_the_pid_when_it_cannot_dial_and_it_is_not_ours(
    template: Path,
) -> None:
    async with ProviderHost().serve({}) as reattach:
        socket_of(reattach).unlink()
        env = {"TF_REATTACH_PROVIDERS": reattach.variable}
        planned = await run(template, "plan", env=env)
        assert planned.code == 1
        await until(lambda: not lives(pid_of(reattach)))
    # Whoever reads this line was not killed; and another command is served.
    assert (await terraform(template, "plan")).code == 0


@needs_terraform
async def test_the_pid_lives_until_the_command_is_done(template: Path) -> None:
    """When it does not, terraform takes the provider for ended: a second later all is cancelled."""
    async with ProviderHost().serve({}) as reattach:
        env = {"TF_REATTACH_PROVIDERS": reattach.variable}
        assert (await run(template, "plan", env=env)).code == 0
        assert lives(pid_of(reattach))


async def test_commands_at_once_share_neither_pid_nor_socket_nor_values() -> None:
    host, count = ProviderHost(), 12
    together = asyncio.Barrier(count)

    async def one(number: int) -> tuple[int, Path, int]:
        async with host.serve({"CODER_WORKSPACE_NAME": f"w{number}"}) as reattach:
            await together.wait()
            _, schema = await call(socket_of(reattach), "/tfplugin6.Provider/GetProviderSchema")
            await together.wait()
            return pid_of(reattach), socket_of(reattach), len(schema)

    made = await asyncio.gather(*map(one, range(count)))
    assert len({pid for pid, _, _ in made}) == count
    assert len({socket for _, socket, _ in made}) == count
    assert min(size for _, _, size in made) > 4000
    for pid, socket, _ in made:
        assert not lives(pid)
        assert not socket.parent.exists()


async def test_a_cancelled_command_leaves_neither_pid_nor_socket() -> None:
    opened = asyncio.get_running_loop().create_future()

    async def one() -> None:
        async with ProviderHost().serve({}) as reattach:
            opened.set_result(reattach)
            await asyncio.Event().wait()

    running = asyncio.create_task(one())
    reattach = await opened
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not lives(pid_of(reattach))
    assert not socket_of(reattach).parent.exists()


@needs_terraform
async def test_a_plan_that_was_made_warm_is_applied_warm_and_only_so(template: Path) -> None:
    assert (await terraform(template, "plan", "-out=plan")).code == 0
    assert (await terraform(template, "apply", "plan")).code == 0
    assert (await terraform(template, "plan", "-out=plan")).code == 0
    cold = await run(template, "apply", "plan", env={})
    assert cold.code == 1
    assert "Inconsistent dependency lock file" in cold.text


def test_grpcio_stays_out() -> None:
    """It fails with client certificates, and a server that forks must not have it."""
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import server.terraform.provider, sys; sys.exit('grpc' in sys.modules)",
        ],
        check=False,
    )
    assert ended.returncode == 0


async def test_opentofu_finds_the_provider_under_its_own_host_name() -> None:
    async with ProviderHost().serve({}) as reattach:
        found = entries(reattach)
    names = {f"registry.{who}/coder/coder" for who in ("terraform.io", "opentofu.org")}
    assert set(found) == names
    assert found["registry.opentofu.org/coder/coder"]["Addr"]["String"] == os.fspath(
        socket_of(reattach)
    )
