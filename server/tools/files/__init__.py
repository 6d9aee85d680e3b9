"""Files of the workspace: read, write and change them."""

from server.tools.files.changing import edit_files, write_file
from server.tools.files.reading import read_file

__all__ = ["edit_files", "read_file", "write_file"]
