"""``coder ping``: how far away a workspace's agent is, measured end to end."""

import time

from coder_cli import config, ui
from coder_cli.commands.boot import BootParser
from coder_cli.commands.connections.target import parse_name
from coder_cli.commands.connections.waiting import Waiter, Wish
from coder_cli.kit.durations import parse_duration
from coder_cli.kit.refused import Refused
from coder_cli.sdk.direct import Direct
from coder_cli.sdk.errors import SdkError
from coder_cli.sdk.stream import open_stream

SSH_PORT = 22
HELLO = b"SSH-2.0-coder_ping\r\n"


def main(argv: list[str]) -> int:
    """Ping ``--num`` times; 1 when no pong came back."""
    parser = BootParser(
        "ping",
        "Measure the way to a workspace: open a stream to its agent and wait for the first bytes.",
        usage="coder [global flags] ping [flags] <workspace>[.<agent>]",
    )
    parser.add_argument("workspace", help="<workspace> or <owner>/<workspace>, with .<agent>")
    parser.add_argument("-n", "--num", type=int, default=10, help="Pings to send (10)")
    parser.add_argument("--wait", default="1s", metavar="DURATION", help="Between two pings (1s)")
    parser.add_argument("-t", "--timeout", default="5s", metavar="DURATION", help="For one (5s)")
    options = parser.parse_args(argv)
    try:
        wait = parse_duration(options.wait).total_seconds()
        timeout = parse_duration(options.timeout).total_seconds()
    except ValueError as error:
        raise Refused(str(error)) from error
    if options.num < 1:
        raise Refused("--num must be at least 1.")
    name = parse_name(options.workspace)
    url, token = config.session().require()
    api = Direct(url, token)
    agent = Waiter(api, name, Wish(autostart=False, wait="no", quiet=True)).agent()
    times: list[float] = []
    for number in range(options.num):
        if number:
            time.sleep(wait)  # noqa: TID251 - a person watches this clock
        try:
            taken = _ping(api, str(agent["id"]), timeout)
        except (SdkError, TimeoutError) as error:
            reason = "" if isinstance(error, TimeoutError) else f": {error}"
            ui.result(f'ping to "{name}" timed out{reason}')
            continue
        times.append(taken)
        ui.result(f"pong from {name} proxied via {url} in {taken * 1e3:.1f}ms")
    if not times:
        return 1
    low, high, mean = min(times), max(times), sum(times) / len(times)
    ui.note(
        f"{len(times)} of {options.num} pongs, min/avg/max"
        f" {low * 1e3:.1f}/{mean * 1e3:.1f}/{high * 1e3:.1f}ms (relayed through the server)"
    )
    return 0


def _ping(api: Direct, agent_id: str, timeout: float) -> float:
    """Return the seconds from opening a stream to the first byte of the agent's SSH server."""
    began = time.monotonic()
    stream = open_stream(api, agent_id, SSH_PORT)
    try:
        return stream.first_byte(timeout, HELLO) - began
    finally:
        stream.close()
