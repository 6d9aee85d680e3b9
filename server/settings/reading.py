"""From flags, environment, file and defaults to one frozen value, with the source of each part."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import yaml

from server.settings.chatting import Chats
from server.settings.external_auth import ExternalAuth
from server.settings.introspection import Introspection, Logging
from server.settings.networking import Networking, Sessions, Tls
from server.settings.option import Option, options_of
from server.settings.running import (
    Client,
    Database,
    Limits,
    Provisioning,
    Server,
    Storage,
)
from server.settings.sealing import Sealing

CONFIG_ENV = "CODER_CONFIG_PATH"


class SettingsError(Exception):
    """A setting cannot be used; the message names the option, its source and the reason."""


class Source(StrEnum):
    """Where a value came from."""

    FLAG = "flag"
    ENV = "env"
    YAML = "yaml"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set about a server."""

    networking: Networking = field(default_factory=Networking)
    tls: Tls = field(default_factory=Tls)
    sessions: Sessions = field(default_factory=Sessions)
    database: Database = field(default_factory=Database)
    storage: Storage = field(default_factory=Storage)
    provisioning: Provisioning = field(default_factory=Provisioning)
    logging: Logging = field(default_factory=Logging)
    introspection: Introspection = field(default_factory=Introspection)
    client: Client = field(default_factory=Client)
    limits: Limits = field(default_factory=Limits)
    chats: Chats = field(default_factory=Chats)
    external_auth: ExternalAuth = field(default_factory=ExternalAuth)
    sealing: Sealing = field(default_factory=Sealing)
    server: Server = field(default_factory=Server)
    config_dir: Path = Path("~/.config/coderv2")
    """The configuration directory of this user (``--global-config``)."""
    sources: Mapping[str, Source] = field(default_factory=dict[str, Source])
    """Flag to source; a flag that is absent has its default."""
    path: str = ""
    """``$PATH``, where terraform is looked for."""
    state_dir: Path | None = None
    """``$STATE_DIRECTORY`` of systemd: where root keeps data of accounts without a home."""
    notify_socket: str = ""
    """``$NOTIFY_SOCKET`` of systemd: who wants to know that the server is up."""

    @property
    def cache_dir(self) -> Path:
        """Where things that can be made again are kept."""
        return self.storage.cache_dir or Path("~/.cache/coder").expanduser()


OPTIONS: tuple[tuple[str, str, Option], ...] = tuple(options_of(Settings))
"""Room, field and option of everything that can be set."""


@dataclass(frozen=True, slots=True)
class Given:
    """What came from outside, before it is understood."""

    flags: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Flag without dashes to the words that were given for it."""
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    config_path: str = ""
    config_dir: Path = Path("~/.config/coderv2")


def process_environ() -> Mapping[str, str]:
    """Return the environment of this process: the server's one look at it."""
    return os.environ  # noqa: TID251, this is that one place


def load(given: Given) -> Settings:
    """Return the settings: flag over environment over YAML file over default.

    Raises:
        SettingsError: A value cannot be used or the file names an unknown key.
    """
    path = given.config_path or given.environ.get(CONFIG_ENV, "")
    written = _read_yaml(Path(path).expanduser()) if path else {}
    values: dict[str, dict[str, Any]] = {}
    sources: dict[str, Source] = {}
    for room, name, option in OPTIONS:
        value, source = _settle(option, given, written, path)
        values.setdefault(room, {})[name] = value
        sources[option.flag] = source
    rooms: dict[str, Any] = {
        room.name: cast("type[Any]", room.type)(**values[room.name])
        for room in fields(Settings)
        if room.name in values
    }
    state = given.environ.get("STATE_DIRECTORY", "").split(":")[0]
    settings = Settings(
        **rooms,
        config_dir=given.config_dir.expanduser(),
        sources=sources,
        path=given.environ.get("PATH", os.defpath),
        state_dir=Path(state) if state else None,
        notify_socket=given.environ.get("NOTIFY_SOCKET", ""),
    )
    _check(settings)
    return settings


def _settle(
    option: Option, given: Given, written: Mapping[str, list[str]], path: str
) -> tuple[Any, Source]:
    """Return the value of one option and where it came from."""
    source, origin, words = _find(option, given, written, path)
    try:
        return option.kind.parse(words), source
    except ValueError as refused:
        raise SettingsError(f"{origin}: {refused}") from None


def _find(
    option: Option, given: Given, written: Mapping[str, list[str]], path: str
) -> tuple[Source, str, Sequence[str]]:
    if option.flag in given.flags:
        return Source.FLAG, f"--{option.flag}", given.flags[option.flag]
    # An empty variable counts as unset: unit files and compose files write them so.
    if value := given.environ.get(option.env, ""):
        return Source.ENV, f"--{option.flag} (from {option.env})", [value]
    if option.numbered is not None:
        variables, gather = option.numbered
        if words := gather(given.environ):
            return Source.ENV, variables, words
    if (key := ".".join(option.yaml_path)) in written:
        return Source.YAML, f"--{option.flag} (from {key} in {path})", written[key]
    default = option.dynamic(given.environ) if option.dynamic else option.default
    return Source.DEFAULT, f"--{option.flag} (by default)", [default] if default else []


def _read_yaml(path: Path) -> dict[str, list[str]]:
    """Return dotted key to words of every value of the file."""
    try:
        document: object = yaml.safe_load(path.read_text("utf-8"))
    except OSError as refused:
        raise SettingsError(
            f"The configuration file {path} cannot be read: {refused.strerror}."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as refused:
        where = " ".join(str(refused).split())
        raise SettingsError(f"The configuration file {path} is not YAML: {where}") from None
    if document is None:
        return {}
    known = {".".join(option.yaml_path) for _, _, option in OPTIONS}
    found: dict[str, list[str]] = {}
    _walk(document, (), known, found)
    unknown = sorted(set(found) - known)
    if unknown:
        keys = ", ".join(repr(key) for key in unknown)
        raise SettingsError(
            f"The configuration file {path} has keys that are no settings: {keys}. "
            "'coder server --write-config' shows the ones there are."
        )
    return found


def _walk(node: object, at: tuple[str, ...], known: set[str], found: dict[str, list[str]]) -> None:
    key = ".".join(at)
    if isinstance(node, dict) and key not in known:
        for name, inner in cast("dict[object, object]", node).items():
            _walk(inner, (*at, str(name)), known, found)
    elif node is not None or not any(f"{one}.".startswith(f"{key}.") for one in known):
        found[key] = _words(cast("object", node))


def _words(node: object) -> list[str]:
    match node:
        case bool():
            return [str(node).lower()]
        case list():
            return [word for one in cast("list[object]", node) for word in _items(one)]
        case dict():
            pairs = cast("dict[object, object]", node).items()
            return [f"{key}={value}" for key, value in pairs]
        case _:
            return [str(node)]


def _items(node: object) -> list[str]:
    """Return the words of one item of a list; a mapping stays whole, as JSON."""
    return [json.dumps(node)] if isinstance(node, dict) else _words(node)


def _check(settings: Settings) -> None:
    """Refuse settings that make no sense together."""
    tls = settings.tls
    if settings.networking.http_address is None and not tls.enable:
        raise SettingsError(
            "--http-address is empty and --tls-enable is off: nothing would listen."
        )
    if not tls.enable:
        return
    if tls.address is None:
        raise SettingsError("--tls-address: must be set when --tls-enable is on.")
    if not tls.cert_files or len(tls.cert_files) != len(tls.key_files):
        raise SettingsError(
            f"--tls-cert-file and --tls-key-file: TLS needs one key for each certificate, at least "
            f"one; {len(tls.cert_files)} and {len(tls.key_files)} were given."
        )
