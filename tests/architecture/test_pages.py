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
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    named = [
        name
        for name in listed
        if name
        and (ROOT / name).is_file()
        and name != "tests/architecture/test_pages.py"
        and _REGISTRY_HOSTS.search((ROOT / name).read_text(errors="ignore"))
    ]
    assert named == []
