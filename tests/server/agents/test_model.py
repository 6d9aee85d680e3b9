"""The pure rules: life goes one way, texts have limits, ports have rights."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from inline_snapshot import snapshot

from coder_cli.sdk.agentapi import LifecycleState as State
from server.agents.errors import NoSuchPort, PortReserved, UnknownPlatform, UnknownVersion
from server.agents.model import (
    Life,
    Line,
    Whereabouts,
    action_for,
    advance,
    check_version,
    clean,
    clip,
    fitting,
    host_key,
    is_monitored,
    script_name,
)
from server.agents.model.line import GONE_AFTER
from server.agents.model.texts import MAX_LOG_BYTES
from server.kit.authz import Action
from server.provisioning import AgentStatus

T0 = datetime(2026, 1, 1, tzinfo=UTC)
LATER = T0 + timedelta(seconds=5)


def picture() -> str:
    """Draw which reports move a life on: a row for each state, a column for each report."""
    rows: list[str] = []
    for state in State:
        life = Life(state, started_at=T0)
        moved = [advance(life, report, LATER) for report in State]
        assert all(
            after.state is report for after, report in zip(moved, State, strict=True) if after
        )
        rows.append(f"{state.value:>16} " + " ".join("x" if after else "-" for after in moved))
    return "\n".join(rows)


def test_every_state_and_every_report() -> None:
    assert picture() == snapshot("""\
         created - x x x x x x x x
        starting - x x x x x x x x
   start_timeout - x - x x x x x x
     start_error - x - - x x x x x
           ready - x - - - x x x x
   shutting_down - x - - - - x x x
shutdown_timeout - x - - - - - x x
  shutdown_error - x - - - - - - x
             off - x - - - - - - -\
""")


def test_a_late_report_of_starting_is_not_a_new_start() -> None:
    ready = Life(State.READY, started_at=T0, ready_at=LATER)
    assert advance(ready, State.STARTING, T0) is None
    assert advance(ready, State.STARTING, LATER) == Life(State.STARTING, started_at=LATER)


def test_ready_at_is_when_the_start_ended_in_whatever_way() -> None:
    starting = Life(State.STARTING, started_at=T0)
    for state in (State.READY, State.START_ERROR, State.START_TIMEOUT):
        assert advance(starting, state, LATER) == Life(state, T0, LATER)
    assert advance(Life(State.READY, T0, LATER), State.OFF, LATER) == Life(State.OFF, T0, LATER)


def test_logs_are_kept_up_to_one_mebibyte_and_what_fits_is_kept() -> None:
    line = Line(T0, "info", "x" * 1000)
    kept, length, exceeded = fitting([line] * 3, MAX_LOG_BYTES - 2500)
    assert (len(kept), length, exceeded) == (2, MAX_LOG_BYTES - 498, True)
    assert fitting([line], 0) == ([line], 1001, False)


def test_empty_lines_fill_a_log_too() -> None:
    kept, length, exceeded = fitting([Line(T0, "info", "")] * 3, MAX_LOG_BYTES - 2)
    assert (len(kept), length, exceeded) == (2, MAX_LOG_BYTES, True)


def test_length_is_counted_in_bytes_and_nul_is_not() -> None:
    kept, length, _ = fitting([Line(T0, "info", "é\x00")], 0)
    assert (kept[0].output, length) == ("é", 3)


def test_texts_that_postgresql_cannot_store_are_cleaned() -> None:
    assert clean("a\x00b\ud800c") == "ab?c"
    assert clip("é" * 2000, 3) == "é"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("ssh-ed25519 AAAA agent@host\n", "ssh-ed25519 AAAA"),
        ("ecdsa-sha2-nistp256 AAAA", "ecdsa-sha2-nistp256 AAAA"),
        ("-----BEGIN PRIVATE KEY-----", ""),
        ("ssh-ed25519", ""),
        ("ssh-rsa " + "A" * 9000, ""),
    ],
)
def test_host_keys_are_one_public_line(line: str, kept: str) -> None:
    assert host_key(line) == kept


@pytest.mark.parametrize("port", [1, 2, 4, 22])
def test_the_agents_own_services_need_the_right_to_ssh(port: int) -> None:
    assert action_for(port) is Action.SSH


@pytest.mark.parametrize("port", [9, 80, 8080, 65535])
def test_other_ports_need_the_right_to_connect_to_applications(port: int) -> None:
    assert action_for(port) is Action.APPLICATION_CONNECT


@pytest.mark.parametrize("port", [3, 5, 8])
def test_ports_below_nine_are_reserved(port: int) -> None:
    with pytest.raises(PortReserved, match=f"Application port {port} is not permitted. Coder res"):
        action_for(port)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(NoSuchPort):
        action_for(port)


@pytest.mark.parametrize(
    ("role", "monitored"),
    [("", True), ("agent", True), ("logstream-kube", False), ("Agent", False)],
)
def test_only_the_agent_itself_is_monitored(role: str, monitored: bool) -> None:
    assert is_monitored(role) is monitored


@pytest.mark.parametrize("version", ["1.0", "3.0", "2.99", "two", ""])
def test_unknown_versions_are_refused(version: str) -> None:
    with pytest.raises(UnknownVersion, match="Unknown or unsupported API version"):
        check_version(version)
    check_version("2.0")


def test_unknown_platforms_are_named() -> None:
    with pytest.raises(UnknownPlatform, match="Unknown os/arch: plan9/mips"):
        script_name("plan9", "mips")


def whereabouts(**times: datetime | None) -> Whereabouts:
    known = {"first_connected_at": None, "last_connected_at": None, "disconnected_at": None}
    return Whereabouts(uuid4(), "", T0, 120, **{**known, **times})


def test_streams_are_cut_only_when_an_agent_stays_away() -> None:
    gone = whereabouts(first_connected_at=T0, last_connected_at=T0, disconnected_at=LATER)
    assert gone.status(LATER) is AgentStatus.DISCONNECTED
    assert not gone.lost_for_good(LATER + timedelta(seconds=10))
    assert gone.lost_for_good(LATER + timedelta(seconds=16))
    assert not whereabouts().lost_for_good(T0 + timedelta(days=1))


def test_an_agent_without_a_beat_is_gone_when_the_sweep_says_so_too() -> None:
    silent = whereabouts(first_connected_at=T0, last_connected_at=T0)
    assert silent.status(T0 + GONE_AFTER) is AgentStatus.CONNECTED
    late = T0 + GONE_AFTER + timedelta(milliseconds=1)
    assert silent.status(late) is AgentStatus.DISCONNECTED
