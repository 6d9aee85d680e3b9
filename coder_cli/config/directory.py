"""The configuration directory: small text files that only their owner may read."""

import os
from contextlib import suppress
from pathlib import Path

from coder_cli.kit.refused import Refused

DIRECTORY_MODE = 0o750
FILE_MODE = 0o600


class ConfigDirectory:
    """Read and write ``session``, ``url`` and their neighbours."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str) -> str:
        """Return the text of a file, without white space around it; empty if there is none.

        Raises:
            Refused: the file exists but cannot be read.
        """
        try:
            return (self.path / name).read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"Cannot read {self.path / name}: {_why(error)}.") from error

    def write(self, name: str, text: str) -> None:
        """Replace a file at once: a reader sees the old text or the new, never half of one.

        Raises:
            Refused: the directory or the file cannot be written.
        """
        target = self.path / name
        draft = target.with_name(f".{name}.{os.getpid()}")
        try:
            self.path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w"
            ) as file:
                file.write(text)
            draft.replace(target)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise Refused(
                f"Cannot write {target}: {_why(error)}. Choose another directory with"
                " --global-config or CODER_CONFIG_DIR."
            ) from error

    def remove(self, name: str) -> None:
        """Delete a file if it is there.

        Raises:
            Refused: it is there but cannot be deleted.
        """
        try:
            (self.path / name).unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise Refused(f"Cannot delete {self.path / name}: {_why(error)}.") from error


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not text"
