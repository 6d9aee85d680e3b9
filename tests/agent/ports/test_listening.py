"""Which ports are told, and how often the system is asked."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

import pytest
from typing_extensions import override

from agent.network.http import Answer, Request, Table
from agent.ports import Listener, Listeners, ListeningPorts, SystemListeners
from coder_cli.sdk.agentapi import ports
from tests.support.clock import FakeClock


class Scripted(Listeners):
    """Says what the test wants, and counts who asks."""

    def __init__(self, *found: Listener) -> None:
        self.found = found
        self.asked = 0

    @override
    def now(self) -> Sequence[Listener]:
        self.asked += 1
        return self.found


class Silent(Listeners):
    """A system that does not tell."""

    @override
    def now(self) -> Sequence[Listener]:
        raise OSError("no /proc here")


async def listed(*found: Listener, own: tuple[int, ...] = ()) -> list[tuple[str, int]]:
    told = await ListeningPorts(FakeClock(), Scripted(*found), own).now()
    return [(each.process_name, each.port) for each in told.ports]


async def test_reserved_ports_the_agents_own_and_those_of_no_browser_are_left_out() -> None:
    found = [Listener(port, "x") for port in (1, 8, 9, 22, 2112, 5432, 8080)]
    assert await listed(*found, own=(2112,)) == [("x", 9), ("x", 8080)]


async def test_a_server_on_both_families_is_one_and_a_name_beats_none() -> None:
    found = (Listener(8080), Listener(3000, "node"), Listener(8080, "python"), Listener(8080))
    assert await listed(*found) == [("node", 3000), ("python", 8080)]


async def test_the_system_is_asked_once_a_second_by_however_many() -> None:
    clock, system = FakeClock(), Scripted(Listener(8080, "a"))
    listening = ListeningPorts(clock, system)
    await asyncio.gather(*(listening.now() for _ in range(10)))
    await clock.advance(0.9)
    await listening.now()
    assert system.asked == 1
    system.found = ()
    await clock.advance(0.1)
    assert (await listening.now()).ports == ()
    assert system.asked == 2


async def nothing() -> AsyncIterator[bytes]:
    for none in ():
        yield none


async def answer(listeners: Listeners) -> tuple[int, object]:
    table = Table()
    ListeningPorts(FakeClock(), listeners).mount(table)
    reply = await table(Request("GET", ports.LISTENING, {}, {}, nothing()))
    assert isinstance(reply, Answer)
    return reply.status, reply.body


async def test_the_answer_has_the_shape_that_clients_know() -> None:
    assert await answer(Scripted(Listener(8080, "node"))) == (
        200,
        {"ports": [{"process_name": "node", "port": 8080, "network": "tcp"}]},
    )


async def test_a_system_that_does_not_tell_is_said_so() -> None:
    assert await answer(Silent()) == (
        500,
        {
            "message": "The workspace's system does not tell which ports are listened on.",
            "detail": "no /proc here",
        },
    )


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_real_process_is_found_by_name_and_our_own_is_not(family: socket.AddressFamily) -> None:
    host = "127.0.0.1" if family is socket.AF_INET else "::1"
    code = (
        f"import socket; s = socket.create_server(({host!r}, 0), family={int(family)});"
        "print(s.getsockname()[1], flush=True); input()"
    )
    with (
        socket.create_server((host, 0), family=family) as ours,
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other,
    ):
        assert other.stdout
        port, ours_at = int(other.stdout.readline()), ours.getsockname()[1]
        found = {each.port: each.process_name for each in SystemListeners().now()}
        other.communicate("\n")
    assert found[port].startswith("python")
    assert ours_at not in found
