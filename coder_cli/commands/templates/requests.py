"""Requests that flags fill in: what does not fit is refused by the flag's name."""

from collections.abc import Generator
from contextlib import contextmanager

from coder_cli.kit.refused import Refused


@contextmanager
def from_flags() -> Generator[None]:
    """Turn what is wrong with a request into a refusal of the flags that it was made of.

    Raises:
        Refused: a value is not possible.
    """
    from pydantic import ValidationError

    try:
        yield
    except ValidationError as error:
        lines = [
            f"--{str(one['loc'][0]).replace('_', '-')}: {one['msg'].removeprefix('Value error, ')}."
            for one in error.errors()
        ]
        raise Refused("\n".join(lines)) from error
