"""Calls about the deployment itself."""

from typing import TYPE_CHECKING

from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.deployment import BuildInfo, SSHConfigResponse


class DeploymentCalls(Transport):
    """``/buildinfo``, ``/deployment``."""

    __slots__ = ()

    def build_info(self) -> "BuildInfo":
        """Return the server's versions. Needs no token."""
        answer = self.get("/buildinfo")
        from coder_cli.sdk.deployment import BuildInfo

        return answer.read(BuildInfo)

    def ssh_config(self) -> "SSHConfigResponse":
        """Return how ``config-ssh`` should name hosts."""
        answer = self.get("/deployment/ssh")
        from coder_cli.sdk.deployment import SSHConfigResponse

        return answer.read(SSHConfigResponse)
