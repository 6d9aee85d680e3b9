"""The project speaks of itself alone."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_REGISTRY_HOSTS = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org)\b"
)


def test_no_file_names_a_registry_host() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    named = [
        name
        for name in listed
        if name != "tests/architecture/test_pages.py"
        and _REGISTRY_HOSTS.search((ROOT / name).read_text(errors="ignore"))
    ]
    assert named == []
