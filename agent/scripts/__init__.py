"""Scripts: what a template runs when a workspace starts and stops. See README.md."""

from agent.scripts.crontab import Crontab
from agent.scripts.directories import Directories
from agent.scripts.output import LogSink
from agent.scripts.runner import Runner, Verdict

__all__ = ["Crontab", "Directories", "LogSink", "Runner", "Verdict"]
