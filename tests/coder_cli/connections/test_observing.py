"""What editors and people see of a connection."""

import json
import os
import socket
from pathlib import Path

import pytest
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from coder_cli.commands.connections.observing import Places, observed
from coder_cli.kit.refused import Refused
from coder_cli.sdk.stream import Stream


@pytest.fixture
def stream() -> Stream:
    near, _ = socket.socketpair()
    return Stream(near, ClientProtocol(parse_uri("ws://coder.test/")))


def test_the_figures_that_editors_read_stand_under_the_pid_of_their_ssh(
    stream: Stream, tmp_path: Path
) -> None:
    path = tmp_path / "net" / f"{os.getppid()}.json"
    with observed(stream, Places(network_info_dir=str(path.parent), interval=0)):
        assert json.loads(path.read_text())["p2p"] is False
        stream.latency, stream.received = 0.0125, 1000
        assert stream.on_tick is not None
        stream.on_tick(stream)
        told = json.loads(path.read_text())
        assert set(told) == {
            "p2p",
            "latency",
            "preferred_derp",
            "derp_latency",
            "upload_bytes_sec",
            "download_bytes_sec",
            "using_coder_connect",
        }
        assert told["latency"] == 12.5
        assert told["download_bytes_sec"] > 0
        assert told["upload_bytes_sec"] == 0
    assert list(path.parent.iterdir()) == [], "a file that nobody renews would lie"


def test_a_log_tells_how_a_connection_ended(stream: Stream, tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="cut"),
        observed(stream, Places(log_dir=str(tmp_path / "logs"))),
    ):
        raise OSError("cut")
    (log,) = (tmp_path / "logs").iterdir()
    lines = log.read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["connected", "ended: cut"]


def test_nothing_is_written_where_nobody_asked(stream: Stream) -> None:
    with observed(stream, Places()):
        assert stream.on_tick is None


def test_a_place_that_is_no_directory_is_refused(stream: Stream, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(Refused, match="cannot be made"),
        observed(stream, Places(log_dir=str(tmp_path / "file" / "logs"))),
    ):
        pass
