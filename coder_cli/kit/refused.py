"""The one exception by which a command gives up in words."""


class Refused(Exception):
    """The command cannot go on. The message is a sentence for the person who typed it."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
