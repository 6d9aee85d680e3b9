"""Why something cannot be done with a process; each message is for whoever asked."""


class ProcessError(Exception):
    """What was asked cannot be done."""


class NotStarted(ProcessError):
    """The operating system did not start it; ``detail`` says why."""

    def __init__(self, detail: str) -> None:
        super().__init__("Failed to start process.")
        self.detail = detail


class WrongRequest(ProcessError):
    """Something that was asked for can never be."""


class NoSuchProcess(ProcessError):
    """There is none, it was forgotten, or it is another chat's."""

    def __init__(self, name: str) -> None:
        super().__init__(f'Process "{name}" not found.')


class NotRunning(ProcessError):
    """It has ended."""

    def __init__(self, name: str) -> None:
        super().__init__(f'Process "{name}" is not running.')


class OtherInput(ProcessError):
    """The token of the request belongs to another one."""

    def __init__(self) -> None:
        super().__init__("This client token was used to start another command.")


class TooMany(ProcessError):
    """The agent runs as many processes as it may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} processes are running; end some of them first.")
