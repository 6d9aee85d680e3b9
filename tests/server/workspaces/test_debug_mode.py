"""Terraform's debug messages may hold secrets: the deployment decides whether there are any."""

import pytest

from coder_cli.sdk.builds import Transition
from server.kit.errors import Invalid
from server.workspaces.model import BuildOrder, WorkspaceRules
from server.workspaces.policy import may_debug

DEBUG = BuildOrder(Transition.START, log_level="debug")


def test_debug_messages_need_the_deployments_leave() -> None:
    may_debug(DEBUG, WorkspaceRules(terraform_debug=True))
    may_debug(BuildOrder(Transition.START), WorkspaceRules(terraform_debug=False))
    with pytest.raises(Invalid, match="Terraform debug mode is disabled"):
        may_debug(DEBUG, WorkspaceRules(terraform_debug=False))
