"""Commands in the workspace: run them, look at them, end them."""

from server.tools.shell.commands import parsed_commands
from server.tools.shell.execute import execute
from server.tools.shell.processes import process_list, process_output, process_signal

__all__ = ["execute", "parsed_commands", "process_list", "process_output", "process_signal"]
