"""One SSH session: a shell, a command or a file transfer, from its first request to its report."""

import logging
import signal as signals
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from enum import IntEnum
from shutil import which
from typing import Any, Final, cast

import asyncssh
from typing_extensions import override

from agent.kit.paths import expand_path, user_name
from agent.processes import NoManifest, command_line, login_line, user_shell
from agent.ssh import files
from agent.ssh.jetbrains import Detector
from agent.ssh.motd import login_messages
from agent.ssh.options import SshOptions
from agent.ssh.runs import Command, Outlet, PipeRun, Run, Size, Terminal, TerminalRun, explain
from agent.ssh.visits import Visit, kind_of, peer_address
from coder_cli.sdk.agentapi import ConnectionType

SESSION_TYPE: Final = "CODER_SSH_SESSION_TYPE"
WRITE_HIGH: Final = 1 << 20
log = logging.getLogger("agent.ssh")


class Exit(IntEnum):
    """Exit codes that we, not the process, give."""

    OTHER_SUBSYSTEM = 1
    INTERNAL = 229
    CUT = 255


class Sessions:
    """All open sessions, and what they share."""

    def __init__(
        self, options: SshOptions, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self.options = options
        self.spawn = spawn
        self.open: set[Session] = set()
        self.forwards: set[Visit] = set()
        """Forwarded connections that count as sessions."""
        self.detector = Detector()
        self.closing = False
        """The agent ends: a connection that is still up gets no more sessions."""

    def count(self) -> dict[str, int]:
        """Return how many sessions are open, by connection type."""
        kinds = [each.kind.value for each in (*self.open, *self.forwards)]
        return {kind: kinds.count(kind) for kind in kinds}


class Session(asyncssh.SSHServerSession[bytes], Outlet):
    """One channel of one client."""

    kind = ConnectionType.SSH

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._options = sessions.options
        self._command: str | None = None
        self._subsystem: str | None = None
        self._terminal: Terminal | None = None
        self._run: Run | None = None
        self._files: asyncssh.SSHServerSession[bytes] | None = None
        self._visit: Visit | None = None

    # --- what the client asks for ---------------------------------------------------------

    @override
    def connection_made(self, chan: "asyncssh.SSHServerChannel[bytes]") -> None:
        self._chan = chan
        chan.set_write_buffer_limits(high=WRITE_HIGH)

    @override
    def pty_requested(self, term_type: str, term_size: Size, term_modes: Mapping[int, int]) -> bool:
        self._terminal = Terminal(term_type, term_size, term_modes)
        return True

    @override
    def shell_requested(self) -> bool:
        return True

    @override
    def exec_requested(self, command: str) -> bool:
        self._command = command
        return True

    @override
    def subsystem_requested(self, subsystem: str) -> bool:
        self._subsystem = subsystem
        return True

    @override
    def session_started(self) -> None:
        env = dict(self._chan.get_environment())
        self.kind = kind_of(env.pop(SESSION_TYPE, ""))
        self._sessions.open.add(self)
        peer = cast("object", self._chan.get_extra_info("peername"))
        self._visit = Visit(self._options, self.kind, peer_address(peer))
        self._visit.begin()
        try:
            self._start(env)
        except NoManifest:
            self._refuse(Exit.INTERNAL, "The workspace agent is not ready yet: no manifest.")
        except Exception:
            log.exception("a session could not be started")
            self._refuse(Exit.INTERNAL, "The workspace agent failed to start the session.")

    # --- input ----------------------------------------------------------------------------

    @override
    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self._files:
            self._files.data_received(data, datatype)
        elif self._run:
            self._run.feed(data)

    @override
    def eof_received(self) -> bool:
        if self._files:
            return bool(self._files.eof_received())
        if self._run:
            self._run.feed_eof()
        return True

    @override
    def signal_received(self, signal: str) -> None:
        number = getattr(signals, f"SIG{signal}", None)
        if self._run and number is not None:
            self._run.child.signal(number)

    @override
    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        if self._run:
            self._run.resize((width, height, pixwidth, pixheight))

    # --- output ---------------------------------------------------------------------------

    @override
    def pause_writing(self) -> None:
        if self._files:
            self._files.pause_writing()
        elif self._run:
            self._run.pause()

    @override
    def resume_writing(self) -> None:
        if self._files:
            self._files.resume_writing()
        elif self._run:
            self._run.resume()

    @override
    def write_out(self, data: bytes) -> None:
        with suppress(OSError):  # The client has closed the channel; the end follows.
            self._chan.write(data)  # pyright: ignore[reportUnknownMemberType]

    @override
    def write_err(self, data: bytes) -> None:
        with suppress(OSError):
            self._chan.write_stderr(data)

    @override
    def hold_input(self) -> None:
        self._chan.pause_reading()

    @override
    def release_input(self) -> None:
        self._chan.resume_reading()

    # --- the end --------------------------------------------------------------------------

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._files:
            self._files.connection_lost(exc)
        self._sessions.open.discard(self)
        if self._run and not (self._visit and self._visit.over):
            self._run.let_go()
            ending = self._run.child.end(signals.SIGHUP, self._options.clock)
            self._sessions.spawn(ending)
        code = 0 if self._files else Exit.CUT
        self._report_end(code, str(exc or "the client has gone"))

    def cut(self) -> None:
        """End the session because the agent ends; the client sees no exit status."""
        self._chan.abort()

    def _start(self, env: dict[str, str]) -> None:
        if self._options.block_file_transfer and self._is_transfer():
            mark = "" if self._subsystem else "\x02"
            self.write_out(f"{mark}{files.BLOCKED_WORDS}\n".encode())
            self._exit(files.BLOCKED_EXIT, files.BLOCKED_WORDS)
        elif self._subsystem not in (None, "sftp"):
            self._exit(Exit.OTHER_SUBSYSTEM, f"no subsystem {self._subsystem!r}")
        elif self._serves_files():
            self._files = files.transfer_session(self._options.environment.home())
            self._files.connection_made(self._chan)
            self._files.session_started()
        else:
            self._launch(env)

    def _is_transfer(self) -> bool:
        return self._subsystem == "sftp" or files.is_transfer(self._command or "")

    def _serves_files(self) -> bool:
        if self._subsystem:
            return True
        # Prefer the workspace's own scp: it knows options that asyncssh's does not.
        return (self._command or "").startswith("scp ") and which("scp") is None

    def _launch(self, client_env: dict[str, str]) -> None:
        env = self._environment(client_env)
        shell = user_shell(env)
        argv = command_line(self._command, shell) if self._command else login_line(shell)
        command = Command(argv, env, self._options.environment.directory(), self._done)
        try:
            if self._terminal is None:
                self._run = PipeRun(command, self._options.children, self)
                return
            if not self._command:
                self._greet(env)
            self._run = TerminalRun(command, self._options.children, self, self._terminal)
        except OSError as error:
            self._refuse(Exit.INTERNAL, explain(error, argv))

    def _environment(self, client: dict[str, str]) -> dict[str, str]:
        environment = self._options.environment
        user = user_name(environment.base)
        always = {
            "USER": user,
            "LOGNAME": user,
            "HOME": environment.home(),
            "SSH_CLIENT": "0.0.0.0 0 0",
            "SSH_CONNECTION": "0.0.0.0 0 0.0.0.0 0",
        }
        if agent := self._chan.get_agent_path():
            always["SSH_AUTH_SOCK"] = agent
        if display := self._chan.get_x11_display():
            always["DISPLAY"] = display
        env = environment.build({**client, **always})
        env.setdefault("SHELL", user_shell(env))
        return env

    def _greet(self, env: Mapping[str, str]) -> None:
        environment = self._options.environment
        home = environment.home()
        path = environment.manifest.motd_path if environment.manifest else ""
        motd = expand_path(path, env, home) if path else ""
        self.write_out(login_messages(home, motd, self._options.banners()))

    def _done(self, code: int) -> None:
        if code >= 0:
            self._exit(code, "")
            return
        name = signals.Signals(-code).name
        with suppress(OSError):
            self._chan.exit_with_signal(name.removeprefix("SIG"))
        self._report_end(Exit.CUT, f"killed by {name}")

    def _refuse(self, code: int, words: str) -> None:
        self.write_err(f"{words}\n".encode())
        self._exit(code, words)

    def _exit(self, code: int, reason: str) -> None:
        with suppress(OSError):
            self._chan.exit(code)
        self._report_end(code, reason)

    def _report_end(self, code: int, reason: str) -> None:
        if self._visit:
            self._visit.end(code, reason)
