"""Systems that an agent runs on. Pure."""

from server.agents.errors import UnknownPlatform

PLATFORMS = tuple(
    (os, arch)
    for os, arches in (
        ("linux", ("amd64", "arm64", "armv7")),
        ("darwin", ("amd64", "arm64")),
        ("windows", ("amd64", "arm64")),
    )
    for arch in arches
)
"""Operating systems and architectures by the names that templates use."""


def script_name(os: str, arch: str) -> str:
    """Return the file that starts an agent there.

    Raises:
        UnknownPlatform: there is none.
    """
    if (os, arch) not in PLATFORMS:
        raise UnknownPlatform(os, arch)
    return "windows.ps1" if os == "windows" else "unix.sh"
