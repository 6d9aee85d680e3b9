"""What editors and people see of a connection: a file of figures, and a log of what happened."""

import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coder_cli.kit.refused import Refused
from coder_cli.sdk.stream import Stream


@dataclass(frozen=True, slots=True)
class Places:
    """Where to write what; empty is nowhere."""

    log_dir: str = ""
    network_info_dir: str = ""
    interval: float = 5.0
    """Seconds between two figures; a stream offers them every five."""


@contextmanager
def observed(stream: Stream, places: Places) -> Generator[None]:
    """Write figures and a log of ``stream`` while it is used.

    Raises:
        Refused: a directory cannot be written to.
    """
    log = _Log(places.log_dir)
    figures = _Figures(places) if places.network_info_dir else None

    def tick(seen: Stream) -> None:
        log.write(f"{seen.sent} bytes sent, {seen.received} received, {seen.latency * 1e3:.1f} ms")
        if figures is not None:
            figures.write(seen)

    if places.log_dir or figures is not None:
        stream.on_tick = tick
    log.write("connected")
    if figures is not None:
        figures.write(stream)
    try:
        yield
    except BaseException as error:
        log.write(f"ended: {error or type(error).__name__}")
        raise
    else:
        log.write("ended")
    finally:
        if figures is not None:
            figures.path.unlink(missing_ok=True)


class _Log:
    """One file for each connection; its lines hold no secret."""

    def __init__(self, directory: str) -> None:
        self._path: Path | None = None
        if directory:
            moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
            self._path = _writable(directory) / f"coder-ssh-{moment}-{os.getpid()}.log"

    def write(self, words: str) -> None:
        if self._path is not None:
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            with self._path.open("a") as file:
                file.write(f"{moment} {words}\n")


@dataclass(slots=True)
class _Figures:
    """The file that the extension of VS Code looks for: named after the ssh that started us."""

    places: Places
    path: Path = field(init=False)
    _at: float = 0.0
    _sent: int = 0
    _received: int = 0

    def __post_init__(self) -> None:
        self.path = _writable(self.places.network_info_dir) / f"{os.getppid()}.json"

    def write(self, stream: Stream) -> None:
        now = time.monotonic()
        span = now - self._at
        if self._at and span < self.places.interval - 0.5:
            return
        figures: dict[str, object] = {
            # Everything goes through the server: that is where its relay is.
            "p2p": False,
            "latency": round(stream.latency * 1e3, 3),
            "preferred_derp": "",
            "derp_latency": {},
            "upload_bytes_sec": int((stream.sent - self._sent) / span) if self._at else 0,
            "download_bytes_sec": int((stream.received - self._received) / span) if self._at else 0,
            "using_coder_connect": False,
        }
        self._at, self._sent, self._received = now, stream.sent, stream.received
        # Whoever reads it must not see half of it.
        half = self.path.with_suffix(".tmp")
        half.write_text(json.dumps(figures))
        half.replace(self.path)


def _writable(directory: str) -> Path:
    path = Path(directory).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{path} cannot be made: {error.strerror}.") from None
    if not os.access(path, os.W_OK):
        raise Refused(f"{path} cannot be written to.")
    return path
