"""Words that an agent says on its line and that people read on the API: the same ones, said once.

With the standard library only: the agent has no pydantic.
"""

from enum import StrEnum


class AgentLifecycle(StrEnum):
    """How far the agent got with its scripts; it never goes back, except by a new agent process."""

    CREATED = "created"
    STARTING = "starting"
    START_TIMEOUT = "start_timeout"
    START_ERROR = "start_error"
    READY = "ready"
    SHUTTING_DOWN = "shutting_down"
    SHUTDOWN_TIMEOUT = "shutdown_timeout"
    SHUTDOWN_ERROR = "shutdown_error"
    OFF = "off"

    @property
    def starting(self) -> bool:
        """Say whether start scripts may still be running."""
        return self in {AgentLifecycle.CREATED, AgentLifecycle.STARTING}

    @property
    def shutting_down(self) -> bool:
        """Say whether the agent is on its way out, or gone."""
        return self in {
            AgentLifecycle.SHUTTING_DOWN,
            AgentLifecycle.SHUTDOWN_TIMEOUT,
            AgentLifecycle.SHUTDOWN_ERROR,
            AgentLifecycle.OFF,
        }


class LogLevel(StrEnum):
    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class ScriptStage(StrEnum):
    START = "start"
    STOP = "stop"
    CRON = "cron"


class ScriptStatus(StrEnum):
    OK = "ok"
    EXIT_FAILURE = "exit_failure"
    TIMED_OUT = "timed_out"
    PIPES_LEFT_OPEN = "pipes_left_open"


class AppHealth(StrEnum):
    DISABLED = "disabled"
    INITIALIZING = "initializing"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class AppSharingLevel(StrEnum):
    OWNER = "owner"
    AUTHENTICATED = "authenticated"
    ORGANIZATION = "organization"
    PUBLIC = "public"


class AppStatusState(StrEnum):
    """What an app of the workspace, such as an AI agent, says that it is doing."""

    WORKING = "working"
    IDLE = "idle"
    COMPLETE = "complete"
    FAILURE = "failure"
