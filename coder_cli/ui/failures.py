"""How a failure reads: which command, then why, then what to do about it."""

from coder_cli.sdk.errors import ApiError
from coder_cli.ui.printer import note, styled


def show_failure(command: str, error: BaseException) -> None:
    """Print the two-part error text: the command and its help, then ``error:`` and the causes."""
    note(f'Encountered an error running "{command}", see "{command} --help" for more information')
    note(f"{styled('error:', 'red')} {explain(error)}")


def explain(error: BaseException) -> str:
    """Return why something failed, for a person."""
    if not isinstance(error, ApiError):
        return str(error) or type(error).__name__
    lines = [error.message]
    if error.detail and error.detail != error.message:
        lines.append(error.detail)
    lines += [f"  {field}: {detail}" for field, detail in error.validations]
    if error.status == 401:
        lines.append("Try logging in using 'coder login [url]'.")
    return "\n".join(lines)
