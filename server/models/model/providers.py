"""A provider as a deployment has set it up, and the rules of its address and its keys. Pure."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from coder_cli.sdk.chats.models import ChatProvider
from server.models.errors import BadBaseUrl, BadPolicy, BadProvider, KeyRequired

MAX_KEY_BYTES = 10_240
_MAX_URL = 2048

NAMES = MappingProxyType(
    {
        ChatProvider.ANTHROPIC: "Anthropic",
        ChatProvider.OPENAI: "OpenAI",
        ChatProvider.GOOGLE: "Google",
        ChatProvider.AZURE: "Azure OpenAI",
        ChatProvider.BEDROCK: "AWS Bedrock",
        ChatProvider.OPENAI_COMPAT: "OpenAI Compatible",
        ChatProvider.OPENROUTER: "OpenRouter",
        ChatProvider.VERCEL: "Vercel AI Gateway",
        ChatProvider.SCRIPTED: "Scripted (offline stand-in)",
    }
)

_KEYLESS = frozenset({ChatProvider.BEDROCK, ChatProvider.OPENAI_COMPAT, ChatProvider.SCRIPTED})
"""A cloud's ambient credentials, servers of one's own that ask for none, and no model at all."""

_ADDRESSED = frozenset({ChatProvider.AZURE, ChatProvider.OPENAI_COMPAT})
"""Providers that are somewhere else for everybody."""

_METADATA = frozenset(
    {"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
)
_METADATA_ADDRESSES = frozenset(
    ip_address(text)
    for text in ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254")
)
_NUMERIC = re.compile(r"(?:^|\.)(?:\d+|0[xX][0-9a-fA-F]*)\.?$")


@dataclass(frozen=True, slots=True)
class Provider:
    """A row of ``chat_providers``, without the key itself."""

    id: UUID
    provider: str
    display_name: str
    icon: str
    enabled: bool
    has_api_key: bool
    central_api_key_enabled: bool
    allow_user_api_key: bool
    allow_central_api_key_fallback: bool
    base_url: str
    created_at: datetime
    updated_at: datetime

    @property
    def has_central(self) -> bool:
        """Tell whether the deployment itself can call it."""
        return self.central_api_key_enabled and (self.has_api_key or keyless(self.provider))


@dataclass(frozen=True, slots=True)
class ProviderChange:
    """What is to be different; None stays. An empty ``api_key`` takes the key away."""

    display_name: str | None = None
    icon: str | None = None
    enabled: bool | None = None
    api_key: str | None = field(default=None, repr=False)
    central_api_key_enabled: bool | None = None
    allow_user_api_key: bool | None = None
    allow_central_api_key_fallback: bool | None = None
    base_url: str | None = None


def blank(name: ChatProvider, now: datetime) -> Provider:
    """Return a new provider of which nobody has said anything yet."""
    return Provider(
        id=uuid4(),
        provider=name,
        display_name="",
        icon="",
        enabled=True,
        has_api_key=False,
        central_api_key_enabled=True,
        allow_user_api_key=False,
        allow_central_api_key_fallback=False,
        base_url="",
        created_at=now,
        updated_at=now,
    )


def known(name: str) -> ChatProvider:
    """Return the provider called ``name``.

    Raises:
        BadProvider: nobody here can call it.
    """
    try:
        return ChatProvider(name.strip().lower())
    except ValueError:
        there_are = ", ".join(ChatProvider)
        raise BadProvider(f"{name!r} is none of {there_are}.") from None


def keyless(provider: str) -> bool:
    """Tell whether a provider can be called without a key."""
    return provider in _KEYLESS


def changed(before: Provider, change: ProviderChange, now: datetime) -> Provider:
    """Return ``before`` with ``change``, checked.

    Raises:
        BadBaseUrl: no request should go there.
        BadPolicy: a key could come from nowhere.
        KeyRequired: the deployment's key is to be used, and there is none.
    """
    key = change.api_key
    after = replace(
        before,
        display_name=_text(change.display_name, before.display_name),
        icon=_text(change.icon, before.icon),
        enabled=_kept(change.enabled, before.enabled),
        has_api_key=before.has_api_key if key is None else bool(key),
        central_api_key_enabled=_kept(
            change.central_api_key_enabled, before.central_api_key_enabled
        ),
        allow_user_api_key=_kept(change.allow_user_api_key, before.allow_user_api_key),
        allow_central_api_key_fallback=_kept(
            change.allow_central_api_key_fallback, before.allow_central_api_key_fallback
        ),
        base_url=_text(change.base_url, before.base_url).rstrip("/"),
        updated_at=now,
    )
    _check_policy(after)
    check_base_url(after.provider, after.base_url)
    return after


def _check_policy(provider: Provider) -> None:
    if not provider.central_api_key_enabled and not provider.allow_user_api_key:
        raise BadPolicy("Enable the central API key, API keys of users, or both.")
    if provider.allow_central_api_key_fallback and not (
        provider.central_api_key_enabled and provider.allow_user_api_key
    ):
        raise BadPolicy("A fallback needs both the central API key and API keys of users.")
    if provider.central_api_key_enabled and not provider.has_central:
        raise KeyRequired


def check_base_url(provider: str, url: str) -> None:
    """Refuse an address that no request with a key should go to.

    Addresses inside one's own network are fine, models are served there. Services that hand a
    machine its cloud's credentials are not, whoever asks. Names are not resolved here.

    Raises:
        BadBaseUrl: it is no such address; the text says why.
    """
    if not url:
        if provider in _ADDRESSED:
            raise BadBaseUrl("This provider needs an address, such as https://models.example.com.")
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadBaseUrl("It is no URL.") from None
    if parts.scheme not in ("http", "https") or not host or len(url) > _MAX_URL:
        raise BadBaseUrl("It must begin with http:// or https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise BadBaseUrl("It must not contain credentials; give them as the API key.")
    if parts.query or parts.fragment or any(c.isspace() or ord(c) < 32 for c in url):
        raise BadBaseUrl("It must end with its path: no query, no fragment, no spaces.")
    _check_host(host)


def _check_host(host: str) -> None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        if _NUMERIC.search(host):
            raise BadBaseUrl("Write an IPv4 address as four decimal numbers.") from None
        if host.rstrip(".") in _METADATA:
            raise BadBaseUrl("It is the metadata service of a cloud.") from None
        return
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_link_local or mapped in _METADATA_ADDRESSES:
        raise BadBaseUrl("It is a link-local address, or the metadata service of a cloud.")
    if mapped.is_multicast or mapped.is_unspecified:
        raise BadBaseUrl("It is no address of a host.")


def _kept(new: bool | None, old: bool) -> bool:  # noqa: FBT001, two values of one switch
    return old if new is None else new


def _text(new: str | None, old: str) -> str:
    return old if new is None else new.strip()
