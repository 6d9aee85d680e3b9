"""Refusals of this room; see the tree in ``server/kit/errors.py``.

ApiError
+ Unauthorized
| + UnknownAgent        no agent has this token, or its workspace was deleted
| + InvalidProof        of a machine's identity; the detail says what is wrong
+ Forbidden
| + NotLatestBuild      the workspace has a newer build
| + NoUserData          the agent's token gives no access to its owner's secrets
+ Invalid
| + UnknownVersion      of the control line
| + PortReserved        a port below nine
| + UnknownPlatform     no init script for it
| + UnknownApp          no app of this agent has the slug
| + WrongState          the agent must be connected for this
| + NotByBuild          the machine is of a job that builds no workspace
| + NotLatestMachine    the machine is of an earlier build
+ NotFound
| + NotConnected        the message names the agent's status
| + NoMachine           no agent runs on the machine
+ TooLarge
| + LogsFull            of one agent
+ Unreachable
| + BadAnswer           the agent's API said what nobody understands
"""

from server.kit.errors import (
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    Unauthorized,
)
from server.network import Unreachable


class UnknownAgent(Unauthorized):
    """No agent that may talk to us has this token."""

    def __init__(self) -> None:
        super().__init__(
            "Workspace agent not authorized.",
            detail=(
                "The agent cannot authenticate until the workspace provision job has been "
                "completed. If the job is no longer running, this agent is invalid."
            ),
        )


class InvalidProof(Unauthorized):
    """What a machine shows of itself is not what its cloud signs."""

    def __init__(self, cloud: str, why: str) -> None:
        super().__init__(f"Invalid {cloud} identity.", detail=why)


class NoMachine(NotFound):
    """No agent runs on the machine."""

    def __init__(self, instance: str) -> None:
        super().__init__(f'Instance with id "{instance}" not found.')


class NotByBuild(Invalid):
    """The machine was made by something else than a build of a workspace."""

    def __init__(self, kind: str) -> None:
        super().__init__(f'"{kind}" jobs cannot be authenticated.')


class NotLatestMachine(Invalid):
    """A later build has replaced the one that the machine belongs to."""

    def __init__(self, instance: str) -> None:
        super().__init__(
            f'Resource found for id "{instance}", but isn\'t registered on the latest history.'
        )


class NotLatestBuild(Forbidden):
    """A later build has replaced the one that this agent belongs to."""

    def __init__(self) -> None:
        super().__init__("Agent trying to connect from non-latest build.")


class NoUserData(Forbidden):
    """The template says that this agent gets nothing of its owner's."""

    def __init__(self) -> None:
        super().__init__(
            "This agent may not read data of the workspace's owner.",
            detail='Its api_key_scope is "no_user_data".',
        )


class UnknownVersion(Invalid):
    """The agent speaks a version of the line that we do not."""

    def __init__(self, version: str) -> None:
        super().__init__(
            "Unknown or unsupported API version",
            fields=[FieldError("version", f"{version!r} is not supported.")],
        )


class PortReserved(Invalid):
    """Ports below nine are the agent's own services."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Application port {port} is not permitted. "
            "Coder reserves ports less than 9 for internal use."
        )


class NoSuchPort(Invalid):
    """TCP has no such port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"{port} is not a port: they go from 1 to 65535.")


class UnknownPlatform(Invalid):
    """There is no agent for this system."""

    def __init__(self, os: str, arch: str) -> None:
        super().__init__(f"Unknown os/arch: {os}/{arch}")


class UnknownApp(Invalid):
    """No app of the agent has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__("Failed to get workspace app.", detail=f"No app found with slug {slug!r}")


class AgentRefused(Invalid):
    """The agent's own API said no; ``code`` is with which status."""

    def __init__(self, code: int, message: str, *, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.code = code


class NotConnected(NotFound):
    """The agent has no line to the server now."""

    def __init__(self, agent: str, workspace: str, status: str) -> None:
        super().__init__(f"Agent {agent!r} of workspace {workspace!r} is not connected: {status}.")


class WrongState(Invalid):
    """The agent must be connected to be asked."""

    def __init__(self, state: str) -> None:
        super().__init__(f'Agent state is "{state}", it must be in the "connected" state.')


class BadAnswer(Unreachable):
    """What the agent's API answered cannot be understood."""

    def __init__(self, what: str) -> None:
        super().__init__("The workspace agent's answer cannot be understood.", detail=f"It {what}.")


class LogsFull(TooLarge):
    """An agent keeps one MiB of logs."""

    def __init__(self) -> None:
        super().__init__("Logs limit exceeded", detail="An agent may keep at most 1 MiB of logs.")
