"""Commands over SSH, by the stock client."""

from pathlib import Path

from tests.agent.ssh.conftest import Clients


async def test_a_command_gives_its_output_and_its_exit_code(clients: Clients) -> None:
    ended = await clients.ssh("echo out; echo err >&2; exit 7")
    assert (ended.code, ended.out, ended.err) == (7, "out\n", "err\n")


async def test_a_script_on_standard_input_runs_as_editors_do(clients: Clients) -> None:
    ended = await clients.ssh("bash", stdin=b"echo hello from $0\ncat <<X\nmore\nX\nexit 3\n")
    assert (ended.code, ended.out) == (3, "hello from bash\nmore\n")
