"""What this deployment is: facts for clients."""

from dataclasses import dataclass
from uuid import UUID

from coder_cli.kit.build import version
from coder_cli.sdk.deployment import BuildInfo
from server.kit.authz import Actor
from server.kit.db import Database
from server.provisioning import API_VERSION
from server.settings import Settings
from server.web import store


@dataclass(slots=True)
class Deployment:
    """The settings of this server, and the URL under which it is reached."""

    settings: Settings
    access_url: str
    agent_api_version: str = "2.0"
    id: UUID | None = None

    async def build_info(self, database: Database, actor: Actor) -> BuildInfo:
        """Return versions and addresses for a client that has just met us."""
        if self.id is None:
            async with database.tx(actor) as tx:
                self.id = await store.deployment_id(tx)
        return BuildInfo(
            external_url="https://github.com/coder/coder",
            version=version(),
            dashboard_url=self.access_url,
            agent_api_version=self.agent_api_version,
            provisioner_api_version=API_VERSION,
            upgrade_message=self.settings.client.cli_upgrade_message,
            deployment_id=str(self.id),
        )
