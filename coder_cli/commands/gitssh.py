"""``coder gitssh``: what git runs in a workspace instead of ssh, to use its owner's key.

The agent names it in ``GIT_SSH_COMMAND`` of every process. Keys of the user's own come first.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from coder_cli.commands.boot import BootParser
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.sdk.agentidentity import agent_client
from coder_cli.sdk.errors import SdkError

CONNECTION_FAILED = 255
_HINT = """\
Coder used this public key for git. If the host did not accept it, add it to your account there:

  {key}
"""


def main(argv: list[str]) -> int:
    """Run ssh with the words in ``argv``; return its exit code.

    Raises:
        Refused: this is no workspace, or there is no ssh in it.
    """
    if argv[:1] in (["-h"], ["--help"]):
        _help()
    words = argv[1:] if argv[:1] == ["--"] else argv
    ssh = shutil.which("ssh")
    if ssh is None:
        raise Refused("There is no ssh in this workspace; install openssh-client.")
    key = _key()
    if key is None:
        return _run([ssh, *words])
    with tempfile.TemporaryDirectory(prefix="coder-gitssh-") as folder:
        path = Path(folder, "id")
        path.touch(mode=0o600)
        path.write_text(str(key["private_key"]).rstrip() + "\n")  # ssh insists on the line end.
        identities = [*_identities(ssh, words), str(path)]
        flags = [flag for identity in identities for flag in ("-i", identity)]
        code = _run([ssh, *flags, *words])
    if code == CONNECTION_FAILED:
        sys.stderr.write(_HINT.format(key=str(key["public_key"]).strip()))
    return code


def _help() -> None:
    parser = BootParser(
        "gitssh",
        "Run ssh with the SSH key of the workspace's owner. GIT_SSH_COMMAND names it for git.",
        usage="coder [global flags] gitssh -- <words for ssh>",
    )
    parser.parse_args(["--help"])


def _key() -> Any:
    try:
        server = agent_client(environ())
    except SdkError as error:
        sys.stderr.write(f"Coder's SSH key is not available: {error}\n")
        return None
    try:
        return server.get("/workspaceagents/me/gitsshkey")
    except SdkError as error:
        # Public repositories and keys of the user's own need no help of ours.
        sys.stderr.write(f"Coder's SSH key is not available: {error}\n")
        return None
    finally:
        server.close()


def _identities(ssh: str, words: list[str]) -> list[str]:
    """Return the user's own keys for the host; naming any key makes ssh forget its defaults."""
    asked = subprocess.run([ssh, "-G", *words], capture_output=True, text=True, check=False)
    lines = [line.split(maxsplit=1) for line in asked.stdout.splitlines()]
    names = [line[1] for line in lines if line[:1] == ["identityfile"] and len(line) > 1]
    paths = [Path(name).expanduser() for name in names]
    return [str(path) for path in paths if path.is_file()]


def _run(line: list[str]) -> int:
    process = subprocess.Popen(line)
    # Control-C is for ssh, which shares our terminal and must not inherit this; we clean up.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code
