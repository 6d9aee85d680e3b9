"""Merge ``coder_env`` into an environment."""

from collections.abc import Iterable, Mapping

from server.terraform.convert.refused import Refused
from server.terraform.model import Env


def merge(base: Mapping[str, str], extra: Iterable[Env]) -> dict[str, str]:
    """Return ``base`` with each entry merged in by its own strategy, one after the other.

    Raises:
        Refused: an entry of strategy ``error`` finds its name taken.
    """
    merged = dict(base)
    for env in extra:
        before = merged.get(env.name)
        match env.merge_strategy:
            case "append" if before:
                merged[env.name] = f"{before}:{env.value}"
            case "prepend" if before:
                merged[env.name] = f"{env.value}:{before}"
            case "error" if before is not None:
                raise Refused(
                    f'duplicate env var "{env.name}": '
                    'a coder_env with merge_strategy "error" finds it already set',
                    env.address,
                )
            case _:
                merged[env.name] = env.value
    return merged
