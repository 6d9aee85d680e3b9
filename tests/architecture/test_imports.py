"""The import contracts, and who may act as the system."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SYSTEM_CALLERS = {
    "server/agents/actions/switchboard.py",  # connection times of agents, dead replicas
    "server/chats/actions/admitting.py",  # money of all users
    "server/chats/actions/context.py",  # the owner of an agent is looked up, to act for them
    "server/chats/actions/gitsync.py",  # branches of all chats; providers are asked as the owners
    "server/chats/actions/keeping.py",  # old chats of all users
    "server/chats/actions/streaming/reading.py",  # read once for all listeners; routes ask first
    "server/chats/actions/watching.py",  # likewise, for those who watch all of their chats
    "server/chats/worker/ledger.py",  # steps are stored under a lease; tools act as the owner
    "server/cli/dbcrypt.py",  # keys of sealed columns
    "server/identity/actions/linking.py",  # tokens of linked accounts are renewed
    "server/identity/actions/sessions.py",  # a session is looked up before anybody is known
    "server/identity/actions/setup.py",  # the first user, and rescue from a terminal
    "server/network/relay.py",  # the row of this replica
    "server/provisioning/actions/leases.py",  # jobs and their workers
    "server/web/metrics.py",  # counts for Prometheus
}
"""Modules that act as the deployment itself; reviewed one by one."""


def test_the_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_caller_of_as_system_is_known() -> None:
    callers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "server").rglob("*.py")
        if "as_system(" in path.read_text() and path.name != "authz.py"
    }
    assert callers == SYSTEM_CALLERS
