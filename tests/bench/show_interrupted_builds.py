"""What becomes of a workspace whose build is cut short: the server or terraform killed, the build
cancelled, the disk full. Each on the real product, told as its user sees it. Run by hand:

    python -m tests.bench.show_interrupted_builds [killed-server power-cut cancelled full-disk]
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.house import House, until
from tests.support.postgres import TestPostgres, cloned

TEMPLATE = """
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}

resource "terraform_data" "disk" {
  input = "ROOT/made/${data.coder_workspace.me.id}"

  provisioner "local-exec" {
    when        = destroy
    command     = "rm -rf \\"$DISK\\""
    environment = { DISK = self.input }
  }
}

resource "terraform_data" "machine" {
  count = data.coder_workspace.me.start_count
  input = terraform_data.disk.output

  provisioner "local-exec" {
    command     = "eval \\"$SCRIPT\\""
    quiet       = true
    environment = {
      DISK   = self.input
      SCRIPT = "mkdir -p $DISK; touch $DISK/begun; until [ -e ROOT/go ]; do sleep 0.1; done"
    }
  }
}

resource "terraform_data" "address" {
  count = data.coder_workspace.me.start_count
  # Long, so that the state needs more room than it had before.
  input = "${terraform_data.machine[0].output} ${join(" ", range(1000))}"
}
"""


@dataclass
class Told:
    """What a scenario came to."""

    create: str = ""
    """All that ``coder create`` printed."""
    code: int = 0
    status: str = ""
    """The workspace's, when the interrupted build had ended."""
    state: list[str] = field(default_factory=list[str])
    """The resources in the state then, as ``coder state pull`` has it."""
    refused: str = ""
    """What ``coder delete`` printed while the disk was still full."""
    delete: str = ""
    left: list[Path] = field(default_factory=list[Path])
    """What is on the host after the deletion: directories of the workspace, of jobs, processes."""


class Site:
    """A deployment with a template whose apply waits until it is let go on."""

    def __init__(self, root: Path, dsn: str, cache: Path | None = None) -> None:
        self.root = root
        self.house = House(root, dsn)
        self.cache = cache or root / "cache"
        self.house.env["CODER_CACHE_DIRECTORY"] = str(self.cache)

    def open(self) -> None:
        """Start the server and push the template."""
        self.house.start()
        words = ["--first-user-username", "ann", "--first-user-email", "ann@example.com"]
        words += ["--first-user-password", "Correct-horse-9"]
        self.house.coder("login", self.house.url, *words)
        folder = self.root / "slow"
        folder.mkdir()
        (folder / "main.tf").write_text(TEMPLATE.replace("ROOT", str(self.root)))
        self.house.coder("templates", "push", "slow", "--directory", str(folder), "--yes")

    @contextlib.contextmanager
    def creating(self, name: str, told: Told) -> Generator[subprocess.Popen[bytes]]:
        """Create a workspace, and hand over when terraform is in the middle of its apply."""
        (self.root / "go").unlink(missing_ok=True)
        words = [sys.executable, "-m", "coder_cli", "create", name, "--template", "slow", "--yes"]
        log = self.root / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                words, env=self.house.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            until("the apply", lambda: list((self.root / "made").glob("*/begun")))
            yield process
            told.code = process.wait(120)
        finally:
            process.kill()
            process.wait()
            told.create = log.read_text(errors="replace")

    def look(self, name: str, told: Told) -> None:
        """Note the workspace's status and state."""
        told.status = self.house.workspace(name)["latest_build"]["status"]
        pulled = json.loads(self.house.coder("state", "pull", name).stdout or "{}")
        told.state = [
            f"{one['type']}.{one['name']}"
            + "".join(f" ({i['status']})" for i in one["instances"] if "status" in i)
            for one in pulled.get("resources", [])
            if one["mode"] == "managed"
        ]

    def delete(self, name: str, told: Told) -> None:
        """Delete the workspace and note what is left of it."""
        done = self.house.coder("delete", name, "--yes")
        told.delete = done.stderr
        told.left = [*(self.root / "made").glob("*"), *(self.cache / "jobs").glob("*")]

    def terraforms(self) -> list[int]:
        """Return the processes of terraform, and of what it runs, in this deployment's jobs."""
        found: list[int] = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(self.cache / "jobs"):
                    found.append(int(entry.name))
        return found


def killed_server(site: Site) -> Told:
    """Kill the server in mid-apply; terraform lives on alone. Start the server again."""
    told = Told()
    with site.creating("killed", told):
        site.house.stop(signal.SIGKILL)
        assert site.terraforms(), "terraform went with the server"
        (site.root / "go").touch()
        site.house.start()
    site.look("killed", told)
    site.delete("killed", told)
    return told


def power_cut(site: Site) -> Told:
    """Kill the server, terraform and everything it runs at once."""
    told = Told()
    with site.creating("cut", told):
        running = site.terraforms()
        site.house.stop(signal.SIGKILL)
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        (site.root / "go").touch()
        site.house.start()
    site.look("cut", told)
    site.delete("cut", told)
    return told


def cancelled(site: Site) -> Told:
    """Press ctrl-c in mid-apply."""
    told = Told()
    with site.creating("cancelled", told) as process:
        process.send_signal(signal.SIGINT)
    site.look("cancelled", told)
    assert not site.terraforms()
    site.delete("cancelled", told)
    return told


def full_disk(site: Site) -> Told:
    """Fill the disk of the cache directory in mid-apply; delete before and after room is made."""
    told = Told()
    filler = site.cache / "filler"
    with site.creating("full", told):
        fill(filler)
        (site.root / "go").touch()
    site.look("full", told)
    told.refused = site.house.coder("delete", "full", "--yes", check=False).stderr
    filler.unlink()
    site.delete("full", told)
    return told


def fill(path: Path) -> None:
    """Write a file until the disk has no room for another byte."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


@contextlib.contextmanager
def small_disk(place: Path) -> Generator[str]:
    """Mount 16 MiB at ``place``; yield why that is impossible, or nothing."""
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        refused = done.stderr.strip() if done.returncode else ""
    except OSError as error:
        refused = str(error)
    try:
        yield refused
    finally:
        if not refused:
            subprocess.run(["umount", "-l", str(place)], check=False)


SCENARIOS: dict[str, Callable[[Site], Told]] = {
    "killed-server": killed_server,
    "power-cut": power_cut,
    "cancelled": cancelled,
    "full-disk": full_disk,
}


@contextlib.contextmanager
def sites(root: Path, dsn: str, *, disk: Path | None = None) -> Generator[Site]:
    """Yield an open deployment, its cache on a disk of its own if one is given."""
    site = Site(root, dsn, disk)
    try:
        site.open()
        yield site
    finally:
        (site.root / "go").touch()
        site.house.close()


def show(name: str, told: Told) -> None:
    """Print what a scenario came to."""
    print(f"\n######## {name}: {SCENARIOS[name].__doc__}")
    for title, text in (
        (f"coder create (exit status {told.code})", told.create),
        ("coder delete, the disk still full", told.refused),
        ("coder delete", told.delete),
    ):
        if text:
            print(f"---- {title}\n{text.rstrip()}")
    print(f"---- status after the build: {told.status}; state: {', '.join(told.state) or 'empty'}")
    print(f"---- left after delete: {[str(path) for path in told.left] or 'nothing'}")


def main(names: list[str]) -> None:
    """Play the scenarios named, or all."""
    postgres = TestPostgres()
    base = postgres.start()
    root = Path(tempfile.mkdtemp(prefix="coder-show-"))
    try:
        for name in names or SCENARIOS:
            folder = root / name
            folder.mkdir()
            with contextlib.ExitStack() as stack:
                disk = None
                if name == "full-disk":
                    disk = folder / "disk"
                    refused = stack.enter_context(small_disk(disk))
                    if refused:
                        print(f"\n######## {name}: not shown, no disk can be mounted: {refused}")
                        continue
                dsn = stack.enter_context(cloned(base))
                site = stack.enter_context(sites(folder, dsn, disk=disk))
                show(name, SCENARIOS[name](site))
    finally:
        postgres.stop()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
