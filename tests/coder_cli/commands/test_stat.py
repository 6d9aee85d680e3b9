"""``coder stat``: figures of machines and containers that the test writes down."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from coder_cli.commands import stat
from coder_cli.kit.refused import Refused

GIB = 1 << 30


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with 8 GiB of memory of which 3 are in use, without control groups."""
    write(tmp_path / "proc/meminfo", f"MemTotal: {8 << 20} kB\nMemAvailable: {5 << 20} kB\n")
    write(tmp_path / "proc/stat", "cpu  100 0 50 1000 20 0 0 0 0 0\ncpu0 1 1 1 1\n")
    write(tmp_path / "proc/self/cgroup", "0::/\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def container(machine: Path, *, limit: str = str(2 * GIB), cpu: str = "150000 100000") -> Path:
    """Put us into a container of version 2."""
    group = machine / "sys/fs/cgroup"
    write(group / "memory.current", str(GIB))
    write(group / "memory.stat", f"anon 1\ninactive_file {GIB // 2}\n")
    write(group / "memory.max", limit)
    write(group / "cpu.max", cpu)
    write(group / "cpu.stat", "usage_usec 1000000\n")
    return group


def said(argv: list[str], root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert stat.main(argv, root, lambda _: None) == 0
    return capsys.readouterr().out.strip()


def test_memory_of_a_machine(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(["mem"], machine, capsys) == "3/8 GiB (38%)"
    assert said(["mem", "--prefix", "Mi"], machine, capsys) == "3072/8192 MiB (38%)"
    assert json.loads(said(["mem", "-o", "json"], machine, capsys)) == {
        "prefix": "Gi",
        "total": 8.0,
        "unit": "B",
        "used": 3.0,
    }


def test_memory_of_a_container(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    container(machine)
    assert said(["mem"], machine, capsys) == "0.5/2 GiB (25%)"
    assert said(["mem", "--host"], machine, capsys) == "3/8 GiB (38%)"


def test_a_container_without_limits_has_the_machines(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    container(machine, limit="max", cpu="max 100000")
    assert said(["mem"], machine, capsys) == "0.5/8 GiB (6%)"


def test_memory_of_a_container_of_version_1(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group = machine / "sys/fs/cgroup/memory"
    write(group / "memory.usage_in_bytes", str(GIB))
    write(group / "memory.stat", f"total_inactive_file {GIB // 4}\n")
    write(group / "memory.limit_in_bytes", str(3 * GIB))
    assert said(["mem"], machine, capsys) == "0.8/3 GiB (25%)"


def test_cores_of_a_container(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    group = container(machine)

    def work(_: float) -> None:
        write(group / "cpu.stat", "usage_usec 900000000\n")

    assert stat.main(["cpu", "-o", "json"], machine, work) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["total"], found["unit"], found["prefix"]) == (1.5, "cores", "")
    assert found["used"] > 0


def test_cores_of_a_machine(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(["cpu"], machine, capsys).startswith("0/")
    assert said(["cpu"], machine, capsys).endswith("cores (0%)")


def test_disk(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "GiB (" in said(["disk", "--path", str(machine)], machine, capsys)
    found = json.loads(
        said(["disk", "--path", str(machine), "--prefix", "Mi", "-o", "json"], machine, capsys)
    )
    assert 0 < found["used"] <= found["total"]
    with pytest.raises(Refused, match="No such file"):
        stat.main(["disk", "--path", str(machine / "none")], machine)


def test_all_at_once(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said([], machine, capsys)
    assert [line.split()[0] for line in text.splitlines()] == ["cpu", "mem", "disk"]
    assert set(json.loads(said(["-o", "json"], machine, capsys))) == {"cpu", "mem", "disk"}


def test_wrong_words_are_refused(machine: Path) -> None:
    with pytest.raises(Refused, match="Choose from: cpu, mem, disk"):
        stat.main(["gpu"], machine)
    with pytest.raises(Refused, match="Choose text or json"):
        stat.main(["mem", "-o", "xml"], machine)
    with pytest.raises(Refused, match="meminfo is missing"):
        stat.main(["mem"], machine / "empty", lambda _: None)


def test_nothing_but_the_standard_library_is_loaded() -> None:
    code = (
        "import sys; from coder_cli.main import run; run(['stat', 'mem']);"
        "print([m for m in ('typer', 'pydantic', 'httpx', 'rich') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
