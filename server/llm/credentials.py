"""Where a provider is called, and as whom: what `models` resolves, and clients are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field


def _no_headers() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A provider's address and the key to use. The key never shows in a repr.

    An empty key is none: servers of one's own, or a cloud's ambient credentials (Bedrock).
    """

    provider: str
    base_url: str = ""
    """Empty is the provider's own."""
    api_key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=_no_headers)
