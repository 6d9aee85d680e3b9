"""``GIT_ASKPASS`` in a workspace: answer git's questions with the owner's linked account.

Git runs the program with its question as the only word: ``Password for 'https://github.com': ``.
Source: reference, agent and provisioner, section 2.3.
"""

import re
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from coder_cli.commands.boot import BootParser
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.sdk.agentidentity import agent_client
from coder_cli.sdk.direct import Direct
from coder_cli.sdk.errors import SdkError

_QUESTION = re.compile(r"(Username|Password) for '([^']+)': ?")
PATIENCE = 10 * 60.0
"""Seconds that git waits for a person to link an account."""
_OPEN = "Open the following URL to authenticate with Git:\n\n{url}\n\n"
_UNABLE = (
    "Coder was unable to handle this git request. The default git behavior will be used instead.\n"
)


def main(argv: list[str]) -> int:
    """Print the answer to git's question; 1 when there is none, and git asks the person.

    Raises:
        Refused: this is no question of git's, or no workspace.
    """
    parser = BootParser("gitaskpass", "Answer git's question for a user name or a password.")
    parser.add_argument("question", help="Password for 'https://…': ")
    match = _QUESTION.fullmatch(str(parser.parse_args(argv).question))
    if match is None:
        raise Refused("Git asks for a user name or a password; this is neither.")
    wanted, url = match[1].lower(), match[2]
    auth = _auth(url)
    if auth is None:
        sys.stderr.write(_UNABLE)
        return 1
    if auth.get("url"):
        sys.stderr.write("Nobody linked an account there; git can be asked again.\n")
        return 1
    sys.stdout.write(f"{auth.get(wanted) or ''}\n")
    return 0


def _auth(url: str) -> Any:
    """Return the account for a git URL, when the person has linked one; None leaves it to git."""
    parts = urlsplit(url)
    # Without the name in front of the host, which may be a token; with the port behind it.
    asked = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    path = f"/workspaceagents/me/external-auth?{urlencode({'match': asked, **_here()})}"
    try:
        api = agent_client(environ())
        try:
            told = api.get(path)
            if told.get("url"):
                sys.stderr.write(_OPEN.format(url=told["url"]))
                sys.stderr.flush()
                told = _linked(api, path, told)
            return told
        finally:
            api.close()
    except SdkError:
        return None


def _here() -> dict[str, str]:
    """Return what git works on, and for which chat: the server looks for its pull request."""
    branch = _git("rev-parse", "--abbrev-ref", "HEAD")
    origin = _git("config", "--get", "remote.origin.url")
    parts = urlsplit(origin)
    if parts.password or (parts.username and parts.scheme.startswith("http")):
        # A token in a remote's URL is nobody's business.
        origin = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    told = {
        "git_branch": "" if branch == "HEAD" else branch,
        "git_remote_origin": origin,
        "chat_id": _id(environ().get("CODER_CHAT_ID", "")),
    }
    return {name: value for name, value in told.items() if value}


def _id(text: str) -> str:
    """Return ``text`` if it is an id: for what is none, git would get no answer at all."""
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _git(*words: str) -> str:
    """Return what git says of the repository it runs us in, or nothing."""
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _linked(api: Direct, path: str, told: Any) -> Any:
    """Wait for the person: each question is held by the server for half a minute."""
    until = time.monotonic() + PATIENCE
    while told.get("url") and time.monotonic() < until:
        told = api.get(f"{path}&listen=true")
    return told
