"""The words of a build: levels, stages, transitions, codes."""

from enum import StrEnum
from typing import Literal

LogLevel = Literal["trace", "debug", "info", "warn", "error"]
"""The levels of a job's log line."""


class Stage(StrEnum):
    """The headings under which a job's log is grouped."""

    SETTING_UP = "Setting up"
    INIT = "Initializing Terraform Directory"
    PARSE = "Parsing template parameters"
    PARSE_PARAMETERS = "Parse parameters"
    DETECT_PERSISTENT = "Detecting persistent resources"
    DETECT_EPHEMERAL = "Detecting ephemeral resources"
    PLAN = "Planning infrastructure"
    QUOTA = "Commit quota"
    START = "Starting workspace"
    STOP = "Stopping workspace"
    DELETE = "Destroying workspace"
    CLEANING_UP = "Cleaning Up"
    """Said by the caller, who owns the work directory."""


class Transition(StrEnum):
    """What a build does to a workspace."""

    START = "start"
    STOP = "stop"
    DELETE = "delete"

    @property
    def stage(self) -> Stage:
        """Return the heading of the apply step."""
        return Stage[self.name]

    @property
    def word(self) -> str:
        """Return the word templates see in ``data.coder_workspace.me.transition``."""
        return "destroy" if self is Transition.DELETE else self.value


class ErrorCode(StrEnum):
    """Why a job failed, for clients that act on it."""

    NONE = ""
    REQUIRED_TEMPLATE_VARIABLES = "REQUIRED_TEMPLATE_VARIABLES"
    CANCELED = "CANCELED"
    """Somebody asked for it; terraform stopped. Never sent to clients as an error code."""
