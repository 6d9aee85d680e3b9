"""``GIT_ASKPASS`` in a workspace: answer git's questions with the owner's linked account.

Git runs the program with its question as the only word: ``Password for 'https://github.com': ``.
Source: reference, agent and provisioner, section 2.3.
"""

import re
import sys
from typing import Any
from urllib.parse import quote, urlsplit

from coder_cli.commands.boot import BootParser
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.sdk.agentidentity import agent_client
from coder_cli.sdk.errors import SdkError

_QUESTION = re.compile(r"(Username|Password) for '([^']+)': ?")
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
        sys.stderr.write(f"Open the following URL to authenticate with Git:\n\n{auth['url']}\n\n")
        return 1
    sys.stdout.write(f"{auth.get(wanted) or ''}\n")
    return 0


def _auth(url: str) -> Any:
    parts = urlsplit(url)
    host = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
    try:
        api = agent_client(environ())
    except SdkError:
        return None
    try:
        return api.get(f"/workspaceagents/me/external-auth?match={quote(host, safe='')}")
    except SdkError:
        return None
    finally:
        api.close()
