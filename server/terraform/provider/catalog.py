"""Every type of ``coder/coder``, by its name in HCL."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.terraform.provider import agent, attachments, checks, workspace
from server.terraform.provider.parameter import PARAMETER
from server.terraform.provider.preset import PRESET
from server.terraform.provider.schema import Body, DataSource, ResourceType, optional

PROVIDER = Body({"url": optional("string", checks.url)})

RESOURCES: Mapping[str, ResourceType] = {
    "coder_agent": agent.AGENT,
    "coder_agent_instance": agent.AGENT_INSTANCE,
    "coder_ai_task": attachments.AI_TASK,
    "coder_app": attachments.APP,
    "coder_devcontainer": attachments.DEVCONTAINER,
    "coder_env": attachments.ENV,
    "coder_external_agent": attachments.EXTERNAL_AGENT,
    "coder_metadata": attachments.METADATA,
    "coder_script": attachments.SCRIPT,
}

DATA_SOURCES: Mapping[str, DataSource] = {
    "coder_external_auth": workspace.EXTERNAL_AUTH,
    "coder_parameter": PARAMETER,
    "coder_provisioner": workspace.PROVISIONER,
    "coder_secret": workspace.SECRET,
    "coder_task": workspace.TASK,
    "coder_workspace": workspace.WORKSPACE,
    "coder_workspace_owner": workspace.OWNER,
    "coder_workspace_preset": PRESET,
    "coder_workspace_tags": workspace.TAGS,
}


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """What a provider offers."""

    provider: Body
    resources: Mapping[str, ResourceType]
    data_sources: Mapping[str, DataSource]


CODER = Catalog(PROVIDER, RESOURCES, DATA_SOURCES)
