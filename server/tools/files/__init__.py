"""Files of the workspace: read, write, change and attach them."""

from server.tools.files.attaching import attach_file
from server.tools.files.changing import edit_files, write_file
from server.tools.files.reading import read_file

__all__ = ["attach_file", "edit_files", "read_file", "write_file"]
