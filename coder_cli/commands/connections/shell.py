"""An SSH session over a stream: a raw terminal, or one command with its exact exit status."""

import base64
import contextlib
import os
import selectors
import signal
import socket
import sys
import termios
import threading
import tty
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

import paramiko
from paramiko.agent import AgentRequestHandler

from coder_cli.commands.connections.remote import RemoteForward, serve_remote
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.sdk.stream import Stream, StreamEnded

CHUNK = 32 * 1024
WINDOW = 2**21
NO_STATUS = 255
"""What OpenSSH exits with when the session ended without a status."""


@dataclass(frozen=True, slots=True)
class Session:
    """What to run, and how."""

    command: str = ""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    forward_agent: bool = False
    identity_agent: str = ""
    """The socket of the SSH agent to forward, in place of the environment's."""
    remote_forwards: Sequence[RemoteForward] = ()
    host_key: str = ""
    """The agent's public key as its server knows it, one OpenSSH line."""


class _Hose:
    """Run a stream's pump in a thread behind a socket that paramiko can hold."""

    def __init__(self, stream: Stream) -> None:
        self.near, self._far = socket.socketpair()
        self._stream = stream
        self.why = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        fd = self._far.fileno()
        try:
            self._stream.pump(fd, fd, close_writer=self._end)
        except StreamEnded as error:
            self.why = str(error)
        finally:
            self._far.close()
            self._stream.close()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._far.shutdown(socket.SHUT_WR)

    def wait(self) -> None:
        self._thread.join(2.0)


def run_session(stream: Stream, session: Session) -> int:
    """Run ``session`` over ``stream`` and return the exit status for our own process.

    Raises:
        Refused: the host key is not the agent's, or the SSH handshake failed.
        StreamEnded: the connection was cut while the session ran.
    """
    hose = _Hose(stream)
    transport = paramiko.Transport(hose.near, default_window_size=WINDOW)
    options = transport.get_security_options()
    fast = [name for name in options.ciphers if "gcm" in name]
    options.ciphers = fast + [name for name in options.ciphers if name not in fast]
    try:
        transport.start_client(timeout=30)
        check_host_key(transport.get_remote_server_key(), session.host_key)
        transport.auth_none("coder")
        status = _talk(transport, session)
    except (paramiko.SSHException, EOFError, OSError) as error:
        hose.wait()
        raise Refused(f"The SSH session failed: {hose.why or error or 'no answer'}.") from error
    finally:
        transport.close()
    if status is None:
        hose.wait()
        if hose.why:
            raise StreamEnded(f"The connection to the workspace was lost: {hose.why}")
        return NO_STATUS
    return status


def check_host_key(key: paramiko.PKey, known: str) -> None:
    """Refuse a host whose key is not the one that the agent told the server.

    Raises:
        Refused: the keys differ: somebody stands in between, or the agent was replaced just now.
    """
    if not known:
        return
    parts = known.split()
    if len(parts) >= 2 and key.asbytes() == base64.b64decode(parts[1]):
        return
    raise Refused(
        "The workspace's SSH host key is not the one its agent reported. Try again; if this"
        " stays, somebody may be reading along: tell your administrator."
    )


def _talk(transport: paramiko.Transport, session: Session) -> int | None:
    for forward in session.remote_forwards:
        serve_remote(transport, forward)
    channel = transport.open_session(window_size=WINDOW)
    if session.forward_agent:
        if session.identity_agent:
            os.environ["SSH_AUTH_SOCK"] = session.identity_agent  # noqa: TID251 - paramiko looks there only
        AgentRequestHandler(channel)
    for name, value in session.env.items():
        channel.set_environment_variable(name, value)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if terminal:
        size = os.get_terminal_size()
        channel.get_pty(environ().get("TERM", "xterm-256color"), size.columns, size.lines)
    if session.command:
        channel.exec_command(session.command)
    else:
        channel.invoke_shell()
    with raw_terminal() if terminal else contextlib.nullcontext():
        _copy(channel, terminal=terminal)
    # Paramiko says -1 when the session ended without a status.
    status = channel.recv_exit_status() if channel.exit_status_ready() else -1
    return None if status == -1 else status


def _copy(channel: paramiko.Channel, *, terminal: bool) -> None:
    """Copy until the far side is done; stdin is read only while the session lives."""
    outputs = [
        threading.Thread(target=_drain, args=(channel.recv, 1), daemon=True),
        threading.Thread(target=_drain, args=(channel.recv_stderr, 2), daemon=True),
    ]
    done_read, done_write = os.pipe()
    waiter = threading.Thread(target=_finish, args=(channel, outputs, done_write), daemon=True)
    for thread in (*outputs, waiter):
        thread.start()
    if terminal:

        def resize(*_: object) -> None:
            size = os.get_terminal_size()
            with contextlib.suppress(paramiko.SSHException, OSError):
                channel.resize_pty(size.columns, size.lines)

        signal.signal(signal.SIGWINCH, resize)
    _feed(channel, done_read)
    waiter.join()
    os.close(done_read)


def _feed(channel: paramiko.Channel, done: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(done, selectors.EVENT_READ)
        stdin = 0
        try:
            selector.register(stdin, selectors.EVENT_READ)
        except (PermissionError, ValueError):
            # A plain file is always ready and cannot be polled: send it all.
            _send_file(channel, stdin)
            selector.select()
            return
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if done in ready:
                return
            if not _send(channel, os.read(stdin, CHUNK)):
                selector.unregister(stdin)
                selector.select()
                return


def _send_file(channel: paramiko.Channel, fd: int) -> None:
    while _send(channel, os.read(fd, CHUNK)):
        pass


def _send(channel: paramiko.Channel, data: bytes) -> bool:
    """Send ``data``; on its end, or when nobody listens any more, return False."""
    try:
        if data:
            channel.sendall(data)
            return True
        channel.shutdown_write()
    except (OSError, EOFError, paramiko.SSHException):
        return False
    return False


def _drain(receive: Callable[[int], bytes], fd: int) -> None:
    while data := receive(CHUNK):
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(fd, view) :]
            except BrokenPipeError:
                return


def _finish(channel: paramiko.Channel, outputs: Sequence[threading.Thread], done: int) -> None:
    for thread in outputs:
        thread.join()
    channel.status_event.wait(5.0)
    os.close(done)


@contextlib.contextmanager
def raw_terminal() -> Generator[None]:
    """Hand every key to the far side; put the terminal back afterwards, whatever happens."""
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0, termios.TCSADRAIN)  # Keep what was typed ahead.
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
