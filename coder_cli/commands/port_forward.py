"""``coder port-forward``: ports of a workspace on this machine."""

import socket
import threading
from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused

app = new_app()


@app.command()
def port_forward(
    workspace: Annotated[str, typer.Argument(metavar="<workspace>[.<agent>]")],
    tcp: Annotated[
        list[str] | None,
        typer.Option(
            "--tcp",
            "-p",
            envvar="CODER_PORT_FORWARD_TCP",
            metavar="SPEC",
            help="[<ip>:]<local>[:<remote>], ranges 9090-9092, commas between; may be repeated.",
        ),
    ] = None,
    disable_autostart: Annotated[
        bool,
        typer.Option(
            "--disable-autostart",
            envvar="CODER_SSH_DISABLE_AUTOSTART",
            help="Refuse to start a stopped workspace.",
        ),
    ] = False,
) -> None:
    """Forward ports of a workspace to this machine until interrupted.

    --tcp 8080 makes the workspace's port 8080 appear at 127.0.0.1:8080, --tcp 8000:3000 its port
    3000 at 8000.
    """
    from coder_cli.commands.connections.forwards import LocalForward, listen, parse_local
    from coder_cli.commands.connections.target import parse_name
    from coder_cli.commands.connections.waiting import Waiter, Wish
    from coder_cli.sdk.direct import Direct

    forwards: list[LocalForward] = [one for spec in tcp or [] for one in parse_local(spec)]
    if not forwards:
        raise Refused("Say which ports to forward, for example: --tcp 8080")
    name = parse_name(workspace)
    url, token = config.session().require()
    from coder_cli.config.access import extra_headers

    api = Direct(url, token, extra_headers(config.current()))
    wish = Wish(autostart=not disable_autostart, wait="no")
    agent = Waiter(api, name, wish).agent()
    sockets = [(forward, listen(forward)) for forward in forwards]
    for forward, sock in sockets:
        ui.note(f"Forwarding tcp://{forward.ip}:{forward.local} to port {forward.remote} in {name}")
        accepting = _Accepting(api, str(agent["id"]), forward.remote, sock)
        threading.Thread(target=accepting.run, daemon=True).start()
    ui.note("Ready! Press ctrl+c to stop.")
    threading.Event().wait()


class _Accepting:
    """Accept connections of one local port; each gets a stream and a thread of its own."""

    def __init__(self, api: object, agent_id: str, remote: int, sock: socket.socket) -> None:
        from coder_cli.sdk.direct import Direct

        assert isinstance(api, Direct)
        self._api, self._agent_id, self._remote, self._sock = api, agent_id, remote, sock

    def run(self) -> None:
        from coder_cli.commands.connections.forwards import carry
        from coder_cli.sdk.stream import Stream, open_stream

        def dial() -> Stream:
            return open_stream(self._api, self._agent_id, self._remote)

        while True:
            connection, _ = self._sock.accept()
            threading.Thread(target=carry, args=(connection, dial, ui.warn), daemon=True).start()
