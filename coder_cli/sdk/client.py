"""The client of a deployment that commands use: every call, on one connection."""

from coder_cli.sdk.calls.chat_settings import ChatSettingCalls
from coder_cli.sdk.calls.chats import ChatCalls
from coder_cli.sdk.calls.deployment import DeploymentCalls
from coder_cli.sdk.calls.dry_runs import DryRunCalls
from coder_cli.sdk.calls.organizations import OrganizationCalls
from coder_cli.sdk.calls.provisioners import ProvisionerCalls
from coder_cli.sdk.calls.templates import TemplateCalls
from coder_cli.sdk.calls.users import UserCalls
from coder_cli.sdk.calls.workspace_settings import WorkspaceSettingCalls
from coder_cli.sdk.calls.workspaces import WorkspaceCalls


class Client(
    UserCalls,
    OrganizationCalls,
    TemplateCalls,
    DryRunCalls,
    WorkspaceCalls,
    WorkspaceSettingCalls,
    ProvisionerCalls,
    ChatCalls,
    ChatSettingCalls,
    DeploymentCalls,
):
    """Speak to one deployment: ``Client(url, token).user("me")``.

    Raises (every call):
        ApiError: the server refused.
        Unreachable: nothing answered.
        BadAnswer: what answered is not a deployment this client understands.
    """

    __slots__ = ()
