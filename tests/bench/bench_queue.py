"""A hundred workspaces created at once: do all end, do people see their place, is a lease lost?

    python -m tests.bench.bench_queue [--count 100]

Runs a server of its own with its three provisioner daemons and a template that makes one
``terraform_data``. The last workspace is created by the CLI, to show what its user sees.
"""

import argparse
import contextlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from tests.support.house import House, until
from tests.support.postgres import TestPostgres, cloned

TEMPLATE = """
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}

resource "terraform_data" "nothing" {
  input = data.coder_workspace.me.transition
}
"""


@dataclass
class Watched:
    """What was seen of the queue while it was worked off."""

    longest: int = 0
    """The highest position that a job was shown at."""
    places: set[int] = field(default_factory=set[int])
    looks: list[float] = field(default_factory=list[float])
    """Milliseconds that the list of all jobs took."""


class Bench:
    """A deployment with the template, and a client of its API."""

    def __init__(self, root: Path, dsn: str) -> None:
        self.dsn = dsn
        self.house = House(root, dsn)
        self.house.start()
        words = ["--first-user-username", "ann", "--first-user-email", "ann@example.com"]
        words += ["--first-user-password", "Correct-horse-9"]
        self.house.coder("login", self.house.url, *words)
        folder = root / "nothing"
        folder.mkdir()
        (folder / "main.tf").write_text(TEMPLATE)
        self.house.coder("templates", "push", "nothing", "--directory", str(folder), "--yes")
        token = self.house.coder("tokens", "create", "--name", "bench").stdout.strip()
        self.client = httpx.Client(
            base_url=f"{self.house.url}/api/v2",
            headers={"Coder-Session-Token": token},
            timeout=60,
        )
        self.template: dict[str, Any] = self._get("/templates")[0]

    def _get(self, path: str, **query: str) -> Any:
        answer = self.client.get(path, params=query)
        answer.raise_for_status()
        return answer.json()

    def create(self, number: int) -> None:
        """Ask for one workspace."""
        body = {"name": f"w{number}", "template_id": self.template["id"]}
        self.client.post("/users/me/workspaces", json=body).raise_for_status()

    def watch(self, watched: Watched) -> bool:
        """Look at all builds once; return whether all have ended."""
        began = time.perf_counter()
        organization = self.template["organization_id"]
        jobs = self._get(f"/organizations/{organization}/provisionerjobs", limit="0")
        watched.looks.append((time.perf_counter() - began) * 1000)
        places = {job["queue_position"] for job in jobs if job["status"] == "pending"}
        watched.places |= places
        watched.longest = max(watched.longest, *places, 0)
        return not any(job["status"] in {"pending", "running"} for job in jobs)

    def builds(self) -> list[dict[str, Any]]:
        """Return every build's row of the queue."""
        with psycopg.connect(self.dsn) as connection:
            cursor = connection.execute(
                "SELECT created_at, started_at, completed_at, error, attempt"
                "  FROM provisioner_jobs WHERE type = 'workspace_build'"
            )
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def close(self) -> None:
        """End the deployment."""
        self.client.close()
        self.house.close()


@contextlib.contextmanager
def bench(root: Path, dsn: str) -> Generator[Bench]:
    """Yield a running deployment."""
    made = Bench(root, dsn)
    try:
        yield made
    finally:
        made.close()


def seconds(builds: list[dict[str, Any]], since: str, until_: str) -> list[float]:
    """Return the seconds between two times of each build."""
    pairs: list[tuple[datetime, datetime]] = [(one[since], one[until_]) for one in builds]
    return sorted((end - begin).total_seconds() for begin, end in pairs)


def spread(values: list[float]) -> str:
    """Return the median and the greatest."""
    return f"median {statistics.median(values):.2f} s, longest {values[-1]:.2f} s"


def run(made: Bench, count: int) -> None:
    """Queue the creates, watch them to their end, and print what came of it."""
    assert made.house.process is not None
    server = psutil.Process(made.house.process.pid)
    before, used = psutil.cpu_times(), server.cpu_times()
    began = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(made.create, range(count - 1)))
    posted = time.perf_counter() - began
    words = [sys.executable, "-m", "coder_cli", "create", "last", "--template", "nothing", "--yes"]
    told = subprocess.Popen(words, env=made.house.env, stderr=subprocess.PIPE, text=True)
    watched = Watched()
    until("the end of all builds", lambda: made.watch(watched), 600)
    took = time.perf_counter() - began
    after, now = psutil.cpu_times(), server.cpu_times()
    _, said = told.communicate(timeout=60)
    busy = (after.user + after.system) - (before.user + before.system)
    ours = sum(now[:4]) - sum(used[:4])
    builds = made.builds()
    failed = [one["error"] for one in builds if one["error"]]
    taken_over = sum(one["attempt"] > 1 for one in builds)
    lost = made.house.said().count("lease lost")
    print(f"{len(builds)} builds ended in {took:.1f} s: {len(builds) / took:.2f} a second")
    print(f"  posted in {posted:.1f} s; {len(failed)} failed {sorted(set(failed))}")
    print(f"  in the queue: {spread(seconds(builds, 'created_at', 'started_at'))}")
    print(f"  at work:      {spread(seconds(builds, 'started_at', 'completed_at'))}")
    print(f"  leases lost: {lost}; jobs taken over: {taken_over}")
    print(f"  places shown: {len(watched.places)}, up to {watched.longest}")
    looks = sorted(watched.looks)
    print(f"  list of all jobs: {len(looks)} looks, median {statistics.median(looks):.0f} ms")
    cores = psutil.cpu_count()
    print(f"  CPU of {cores} cores: {busy:.1f} s busy ({busy / took / (cores or 1):.0%});", end=" ")
    print(f"server with its terraforms {ours:.1f} s, {ours / len(builds):.2f} s a build")
    print("\nWhat the last one's user saw while waiting:")
    print("\n".join(line for line in said.splitlines() if "ueue" in line))
    if failed or lost or taken_over or len(builds) != count:
        raise SystemExit("not all is well")


def main() -> None:
    """Run once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    count = int(parser.parse_args().count)
    postgres = TestPostgres()
    root = Path(tempfile.mkdtemp(prefix="coder-bench-"))
    try:
        with cloned(postgres.start()) as dsn, bench(root, dsn) as made:
            run(made, count)
    finally:
        postgres.stop()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
