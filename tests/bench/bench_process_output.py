"""What a process that prints without end costs its agent: memory, processor, and other requests.

    python tests/bench/bench_process_output.py --size 1000

Runs a real agent in a process of its own at a control plane in this one, has it run a command that
prints so many megabytes, and prints the agent's resident memory before, at its highest, and after,
its processor time, how long it took beside the same command into a pipe of ours, and how long other
requests had to wait meanwhile.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.agent.apiclient import ApiClient
from tests.agent.control_plane import TOKEN, ControlPlane

PROCESSES = "/api/v0/processes"


def resident(pid: int) -> float:
    """Return the resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def spent(pid: int) -> float:
    """Return the processor time in seconds."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def beside(command: str) -> float:
    """Return how long the command takes when its output is read and thrown away."""
    began = time.perf_counter()
    with subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while os.read(process.stdout.fileno(), 256 * 1024):
            pass
    return time.perf_counter() - began


async def print_much(api: ApiClient, pid: int, command: str) -> None:
    """Run the command, watch the agent, and print what it took."""
    before, cpu, highest, waits = resident(pid), spent(pid), 0.0, list[float]()
    began = time.perf_counter()
    _, started = await api.post(f"{PROCESSES}/start", {"command": command})
    at = f"{PROCESSES}/{started['id']}/output"
    waiting = asyncio.ensure_future(api.get(f"{at}?wait=true"))
    while not waiting.done():
        asked = time.perf_counter()
        await api.get("/")
        waits.append(time.perf_counter() - asked)
        highest = max(highest, resident(pid))
        await asyncio.sleep(0.02)
    _, output = await waiting
    took = time.perf_counter() - began
    size = output["truncated"]["original_bytes"]
    print(f"printed {size / 1e6:.0f} MB in {took:.2f} s ({size / took / 1e6:.0f} MB/s)")
    alone = beside(command)
    print(f"the same into a pipe of ours: {alone:.2f} s; ratio {took / alone:.2f}")
    print(f"agent: {before:.1f} MB before, {highest:.1f} MB at most, {resident(pid):.1f} MB after")
    print(f"agent: {spent(pid) - cpu:.2f} s of processor")
    print(f"answer: {len(json.dumps(output))} bytes, {output['truncated']}")
    median, worst = statistics.median(waits) * 1e3, max(waits) * 1e3
    print(f"other requests meanwhile: median {median:.1f} ms, worst {worst:.1f} ms of {len(waits)}")


async def main(size: int) -> None:
    """Run one agent and let it print."""
    plane = ControlPlane()
    await plane.start()
    with tempfile.TemporaryDirectory() as root:
        env = {"PATH": os.environ["PATH"], "HOME": root, "CODER_AGENT_TOKEN": TOKEN}
        words = ["agent", "--agent-url", plane.url, "--log-dir", root, "--script-data-dir", root]
        agent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "coder_cli", *words), env=env, stderr=subprocess.DEVNULL
        )
        try:
            await plane.until(lambda: "ready" in plane.states)
            api = ApiClient(plane)
            await api.get("/")
            line = "x" * 99
            for command in (
                f"yes {line} | head -c {size}000000",
                f"head -c {size}000000 /dev/zero",
            ):
                print(f"\n{command[:20]}…")
                await print_much(api, agent.pid, command)
        finally:
            agent.terminate()
            await agent.wait()
    await plane.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1000, help="megabytes")
    asyncio.run(main(parser.parse_args().size))
