"""Sign-ins of other services that a deployment offers: what each is, with the defaults of its type.

They come from ``CODER_EXTERNAL_AUTH_<n>_<KEY>`` or a list in the YAML file.
Source: reference, API and CLI, section 2.10.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, cast
from urllib.parse import urlsplit

import re2

from server.settings.kinds import Kind, Shown
from server.settings.option import Group, Names, option

_re2: Any = re2  # The library has no types.
GROUP = Group("External Authentication", "")
INDEXED: Final = re.compile(r"CODER_(?:EXTERNAL_AUTH|GITAUTH)_(\d{1,3})_([A-Z_]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAuthProvider:
    """One service whose accounts people link to theirs; URLs that are empty are not offered."""

    id: str = ""
    type: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    auth_url: str = ""
    token_url: str = ""
    validate_url: str = ""
    revoke_url: str = ""
    app_install_url: str = ""
    app_installations_url: str = ""
    device_flow: bool = False
    device_code_url: str = ""
    no_refresh: bool = False
    scopes: tuple[str, ...] = ()
    regex: str = ""
    """RE2; matches the URLs of the git server."""
    display_name: str = ""
    display_icon: str = ""

    def serves(self, url: str) -> bool:
        """Tell whether a git URL belongs to this service."""
        return bool(self.regex) and _re2.search(self.regex, url) is not None


_FLAGS: Final = frozenset({"device_flow", "no_refresh"})
_URLS: Final = tuple(one.name for one in fields(ExternalAuthProvider) if one.name.endswith("_url"))
_KEYS: Final = frozenset(one.name for one in fields(ExternalAuthProvider))
_IGNORED: Final = frozenset(
    {"mcp_url", "mcp_tool_allow_regex", "mcp_tool_deny_regex", "code_challenge_methods_supported"}
)
"""Keys of the original that change nothing here: proof keys (S256) are always sent."""


def _provider(kind: str, host: str, **values: Any) -> ExternalAuthProvider:
    return ExternalAuthProvider(
        type=kind,
        regex=rf"^(https?://)?{re.escape(host)}(/.*)?$" if host else "",
        display_icon=f"/icon/{kind.partition('-')[0]}.svg",
        **values,
    )


_GITHUB = "https://github.com/login"
_KNOWN: Final[Mapping[str, ExternalAuthProvider]] = {
    one.type: one
    for one in (
        _provider(
            "github",
            "github.com",
            auth_url=f"{_GITHUB}/oauth/authorize",
            token_url=f"{_GITHUB}/oauth/access_token",
            validate_url="https://api.github.com/user",
            device_code_url=f"{_GITHUB}/device/code",
            app_installations_url="https://api.github.com/user/installations",
            scopes=("repo", "workflow"),
            display_name="GitHub",
        ),
        _provider(
            "gitlab",
            "gitlab.com",
            auth_url="https://gitlab.com/oauth/authorize",
            token_url="https://gitlab.com/oauth/token",  # noqa: S106 - a URL
            validate_url="https://gitlab.com/oauth/token/info",
            revoke_url="https://gitlab.com/oauth/revoke",
            scopes=("write_repository", "read_api"),
            display_name="GitLab",
        ),
        _provider(
            "bitbucket-cloud",
            "bitbucket.org",
            auth_url="https://bitbucket.org/site/oauth2/authorize",
            token_url="https://bitbucket.org/site/oauth2/access_token",  # noqa: S106 - a URL
            validate_url="https://api.bitbucket.org/2.0/user",
            scopes=("account", "repository:write"),
            display_name="BitBucket",
        ),
        _provider(
            "gitea",
            "gitea.com",
            auth_url="https://gitea.com/login/oauth/authorize",
            token_url="https://gitea.com/login/oauth/access_token",  # noqa: S106 - a URL
            validate_url="https://gitea.com/login/oauth/userinfo",
            scopes=("read:repository", "write:repository", "read:user"),
            display_name="Gitea",
        ),
        _provider(
            "azure-devops",
            "dev.azure.com",
            auth_url="https://app.vssps.visualstudio.com/oauth2/authorize",
            token_url="https://app.vssps.visualstudio.com/oauth2/token",  # noqa: S106 - a URL
            scopes=("vso.code_write",),
            display_name="Azure DevOps",
        ),
        _provider(
            "slack",
            "",
            auth_url="https://slack.com/oauth/v2/authorize",
            token_url="https://slack.com/api/oauth.v2.access",  # noqa: S106 - a URL
            revoke_url="https://slack.com/api/auth.revoke",
            display_name="Slack",
        ),
        _provider("bitbucket-server", "", display_name="Bitbucket Server"),
        _provider("azure-devops-entra", "", display_name="Azure DevOps (Entra)"),
        _provider("jfrog", "", display_name="JFrog"),
    )
}
_OWN_HOST: Final[Mapping[str, Mapping[str, str]]] = {
    "github": {
        "token_url": "/login/oauth/access_token",
        "validate_url": "/api/v3/user",
        "device_code_url": "/login/device/code",
        "app_installations_url": "/api/v3/user/installations",
    },
    "gitlab": {
        "token_url": "/oauth/token",
        "validate_url": "/oauth/token/info",
        "revoke_url": "/oauth/revoke",
    },
    "gitea": {
        "token_url": "/login/oauth/access_token",
        "validate_url": "/login/oauth/userinfo",
    },
    "bitbucket-server": {
        "token_url": "/rest/oauth2/latest/token",
        "validate_url": "/rest/api/latest/inbox/pull-requests/count",
    },
}
"""Paths on a host of one's own: known once ``auth_url`` names it."""


def parse_providers(words: Sequence[str]) -> tuple[ExternalAuthProvider, ...]:
    """Read the providers, each a JSON object or a list of such.

    Raises:
        ValueError: one is not usable; the message says which and why, and repeats no secret.
    """
    found: list[ExternalAuthProvider] = []
    for word in words:
        try:
            given: object = json.loads(word) if word.strip() else []
        except ValueError:
            raise ValueError('write it like [{"type": "github", "client_id": "…"}].') from None
        many = cast("list[object]", given) if isinstance(given, list) else [given]
        found.extend(_read(one) for one in many)
    for one in found:
        if sum(other.id == one.id for other in found) > 1:
            raise ValueError(f"two providers have the id {one.id!r}; give one another 'id'.")
    return tuple(found)


def indexed(environ: Mapping[str, str]) -> list[str]:
    """Return the providers that the environment numbers, as words of the option."""
    found: dict[int, dict[str, str]] = {}
    for name, value in environ.items():
        match = INDEXED.fullmatch(name)
        if match and value:
            found.setdefault(int(match[1]), {})[match[2].lower()] = value
    return [json.dumps(found[number]) for number in sorted(found)]


def _read(given: object) -> ExternalAuthProvider:
    if not isinstance(given, dict):
        raise ValueError("a provider is a mapping with 'type', 'client_id' and 'client_secret'.")  # noqa: TRY004 - all that cannot be read is told alike
    values = {str(key): value for key, value in cast("dict[Any, Any]", given).items()}
    if unknown := set(values) - _KEYS - _IGNORED:
        raise ValueError(f"a provider has no {min(unknown)!r}.")
    typed = {key: _typed(key, value) for key, value in values.items() if key in _KEYS}
    kind = str(typed.get("type") or typed.get("id") or "")
    start = _defaults(kind, str(typed.get("auth_url", "")))
    made = replace(start, **{key: value for key, value in typed.items() if value != ""})
    made = replace(made, type=kind, id=made.id or kind, display_name=made.display_name or kind)
    _check(made)
    return made


def _typed(key: str, value: object) -> object:
    if key in _FLAGS:
        return str(value).lower() in ("true", "1", "t", "yes")
    if key == "scopes":
        many = cast("list[object]", value) if isinstance(value, list) else [value]
        return tuple(part for one in many for part in re.split(r"[\s,]+", str(one)) if part)
    return str(value)


def _defaults(kind: str, auth_url: str) -> ExternalAuthProvider:
    known = _KNOWN.get(kind, ExternalAuthProvider())
    parts = urlsplit(auth_url)
    if not parts.hostname or parts.hostname == urlsplit(known.auth_url).hostname:
        return known
    own = _OWN_HOST.get(kind, {})
    base = f"{parts.scheme}://{parts.netloc}"
    cleared = dict.fromkeys(_URLS, "") | {key: f"{base}{path}" for key, path in own.items()}
    regex = rf"^(https?://)?{re.escape(parts.hostname)}(:\d+)?(/.*)?$"
    return replace(known, regex=regex, **cast("dict[str, Any]", cleared))


def _check(one: ExternalAuthProvider) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}", one.id):
        raise ValueError(f"the provider id {one.id!r} must be letters, digits, '-' and '_'.")
    if not one.client_id:
        raise ValueError(f"the provider {one.id!r} needs a 'client_id'.")
    if not one.client_secret and not one.device_flow:
        raise ValueError(f"the provider {one.id!r} needs a 'client_secret' or 'device_flow'.")
    needed = ("token_url", "device_code_url" if one.device_flow else "auth_url")
    for key in needed:
        if not getattr(one, key):
            raise ValueError(f"the provider {one.id!r} of type {one.type!r} needs {key!r}.")
    for key in _URLS:
        text = str(getattr(one, key))
        url = urlsplit(text)
        if text and (url.scheme not in ("http", "https") or not url.hostname):
            raise ValueError(f"{key!r} of the provider {one.id!r} is not a URL.")
    try:
        _re2.compile(one.regex)
    except _re2.error:
        raise ValueError(
            f"'regex' of the provider {one.id!r} is not a regular expression."
        ) from None


def _shown(providers: tuple[ExternalAuthProvider, ...]) -> Shown:
    return [{"id": one.id, "type": one.type, "client_id": one.client_id} for one in providers]


PROVIDERS: Final = Kind("providers", parse_providers, _shown, _shown, many=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAuth:
    """Which services people link."""

    providers: tuple[ExternalAuthProvider, ...] = option(
        PROVIDERS,
        Names(
            flag="external-auth-providers",
            yaml="externalAuthProviders",
            json="external_auth",
            name="External Auth Providers",
        ),
        GROUP,
        "Services whose accounts people link, such as GitHub: a JSON list. Each is easier to set "
        "by CODER_EXTERNAL_AUTH_<n>_<KEY>, with keys such as TYPE, CLIENT_ID and CLIENT_SECRET.",
        secret=True,
        numbered=("CODER_EXTERNAL_AUTH_<n>_<KEY>", indexed),
    )
