"""What an agent and its server say to each other: one set of shapes for both ends of the line.

Plain dataclasses and ``json`` instead of pydantic, because the agent idles in every workspace and
pays for each import in memory and start-up time. Times on the wire are RFC 3339 in UTC, durations
are seconds. Unknown keys are ignored, so that an old end understands a newer one.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum, StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

Json: TypeAlias = Any
"""A value as ``json.loads`` returns it; it becomes typed by ``from_json``."""
T = TypeVar("T")

VERSION: Final = "2.0"
"""The newest version of the line; the ``version`` query parameter of the control WebSocket."""
TOKEN_HEADER: Final = "Coder-Session-Token"  # noqa: S105 — the name of a header, not a token
RPC_PATH: Final = "/api/v2/workspaceagents/me/rpc"
STREAM_PATH: Final = "/api/v2/workspaceagents/me/streams/{stream_id}"
FRAME: Final = 256 * 1024
"""The most bytes one binary frame of a stream carries. An empty frame ends its direction."""
PING_EVERY: Final = 5.0
PONG_WITHIN: Final = 10.0
"""Both ends ping every ``PING_EVERY`` seconds and give the line up ``PONG_WITHIN`` later."""


class Port(IntEnum):
    """Ports of a stream that mean a service of the agent; from ``MINIMUM`` on they are TCP."""

    SSH = 1
    RECONNECTING_PTY = 2
    SPEEDTEST = 3
    HTTP_API = 4
    MINIMUM = 9
    SSH_STANDARD = 22


class StreamClose(IntEnum):
    """WebSocket close codes of a stream, beside 1000 for a normal end."""

    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    UNREACHABLE = 4404
    """Nothing listens at that port of the workspace, or there is no such agent."""


class Method(StrEnum):
    """What may be called; the first block by the agent, the second by the server."""

    MANIFEST = "manifest"
    STARTUP = "startup"
    LIFECYCLE = "lifecycle"
    LOGS = "logs"
    SCRIPT_COMPLETED = "script_completed"
    CONNECTION = "connection"
    STATS = "stats"
    METADATA = "metadata"
    APP_HEALTHS = "app_healths"
    BANNERS = "banners"

    OPEN = "open"
    PING = "ping"


class LifecycleState(StrEnum):
    """How far an agent's life went; it never goes back, except by a new agent process."""

    CREATED = "created"
    STARTING = "starting"
    START_TIMEOUT = "start_timeout"
    START_ERROR = "start_error"
    READY = "ready"
    SHUTTING_DOWN = "shutting_down"
    SHUTDOWN_TIMEOUT = "shutdown_timeout"
    SHUTDOWN_ERROR = "shutdown_error"
    OFF = "off"


class LogLevel(StrEnum):
    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class ScriptStage(StrEnum):
    START = "start"
    STOP = "stop"
    CRON = "cron"


class ScriptStatus(StrEnum):
    OK = "ok"
    EXIT_FAILURE = "exit_failure"
    TIMED_OUT = "timed_out"
    PIPES_LEFT_OPEN = "pipes_left_open"


class ConnectionAction(StrEnum):
    CONNECT = "connect"
    DISCONNECT = "disconnect"


class ConnectionType(StrEnum):
    SSH = "ssh"
    VSCODE = "vscode"
    JETBRAINS = "jetbrains"
    RECONNECTING_PTY = "reconnecting_pty"


class SharingLevel(StrEnum):
    OWNER = "owner"
    AUTHENTICATED = "authenticated"
    ORGANIZATION = "organization"
    PUBLIC = "public"


class AppHealth(StrEnum):
    DISABLED = "disabled"
    INITIALIZING = "initializing"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Script:
    """A ``coder_script`` as the agent runs it. ``timeout`` 0 means no limit."""

    id: UUID
    log_source_id: UUID
    script: str
    display_name: str = ""
    log_path: str = ""
    cron: str = ""
    run_on_start: bool = False
    run_on_stop: bool = False
    start_blocks_login: bool = False
    timeout: float = 0


@dataclass(frozen=True, slots=True)
class Healthcheck:
    url: str = ""
    interval: float = 0
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class App:
    id: UUID
    slug: str
    display_name: str = ""
    url: str = ""
    external: bool = False
    command: str = ""
    icon: str = ""
    subdomain: bool = False
    subdomain_name: str = ""
    sharing_level: SharingLevel = SharingLevel.OWNER
    healthcheck: Healthcheck = field(default_factory=Healthcheck)
    health: AppHealth = AppHealth.DISABLED
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class MetadataSource:
    key: str
    script: str
    display_name: str = ""
    interval: float = 0
    timeout: float = 0


@dataclass(frozen=True, slots=True)
class Devcontainer:
    id: UUID
    workspace_folder: str
    config_path: str = ""
    name: str = ""
    subagent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A user secret, given to processes as a variable, or written to a file."""

    value: str = field(repr=False)
    env_name: str = ""
    file_path: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that an agent must know about itself. May hold secrets: never log one."""

    agent_id: UUID
    workspace_id: UUID
    agent_name: str
    workspace_name: str
    owner_username: str
    directory: str = ""
    environment_variables: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    git_auth_configs: int = 0
    vs_code_port_proxy_uri: str = ""
    motd_path: str = ""
    disable_direct_connections: bool = False
    derp_force_websockets: bool = False
    derp_map: Json = None
    scripts: tuple[Script, ...] = field(default=(), repr=False)
    apps: tuple[App, ...] = ()
    metadata: tuple[MetadataSource, ...] = field(default=(), repr=False)
    devcontainers: tuple[Devcontainer, ...] = ()
    parent_id: UUID | None = None
    secrets: tuple[Secret, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Startup:
    """Who the agent is. ``host_key`` is the public line of its SSH server's key."""

    version: str
    expanded_directory: str = ""
    subsystems: tuple[str, ...] = ()
    host_key: str = ""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    state: LifecycleState
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LogLine:
    created_at: datetime
    output: str
    level: LogLevel = LogLevel.INFO


@dataclass(frozen=True, slots=True)
class Logs:
    log_source_id: UUID
    logs: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class LogsStored:
    """The answer to ``logs``: when the limit is exceeded, the agent sends no more of them."""

    log_limit_exceeded: bool = False


@dataclass(frozen=True, slots=True)
class ScriptTiming:
    """One finished run of a script; the params of ``script_completed``."""

    script_id: UUID
    start: datetime
    end: datetime
    exit_code: int
    stage: ScriptStage
    status: ScriptStatus


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """Somebody came or went. Both reports of one session carry the same ``id``."""

    id: UUID
    action: ConnectionAction
    type: ConnectionType
    timestamp: datetime
    ip: str = "127.0.0.1"
    status_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stats:
    """What went on since the last report. An empty one only asks for the interval."""

    connections_by_proto: dict[str, int] = field(default_factory=dict[str, int])
    connection_count: int = 0
    connection_median_latency_ms: float = 0
    rx_packets: int = 0
    rx_bytes: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0
    session_count_vscode: int = 0
    session_count_jetbrains: int = 0
    session_count_reconnecting_pty: int = 0
    session_count_ssh: int = 0


@dataclass(frozen=True, slots=True)
class StatsTaken:
    report_interval_ms: int


@dataclass(frozen=True, slots=True)
class MetadataResult:
    collected_at: datetime
    age: float = 0
    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class MetadataValue:
    key: str
    result: MetadataResult


@dataclass(frozen=True, slots=True)
class MetadataUpdate:
    metadata: tuple[MetadataValue, ...]


@dataclass(frozen=True, slots=True)
class AppHealthUpdate:
    id: UUID
    health: AppHealth


@dataclass(frozen=True, slots=True)
class AppHealths:
    updates: tuple[AppHealthUpdate, ...]


@dataclass(frozen=True, slots=True)
class Banner:
    enabled: bool = False
    message: str = ""
    background_color: str = ""


@dataclass(frozen=True, slots=True)
class Banners:
    banners: tuple[Banner, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """Ask the agent to dial back a stream and join it to ``port``."""

    stream_id: str
    port: int


@dataclass(frozen=True, slots=True)
class Empty:
    """Params or result of a method that needs none."""


# --- JSON-RPC 2.0 ---------------------------------------------------------------------------


class ErrorCode(IntEnum):
    """JSON-RPC's own codes, and ours from -32000 down."""

    PARSE = -32700
    INVALID_REQUEST = -32600
    UNKNOWN_METHOD = -32601
    INVALID_PARAMS = -32602
    INTERNAL = -32603


class BadShape(ValueError):
    """The other end said something that does not fit its shape."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call. Without an ``id`` it is a notification and gets no answer."""

    method: str
    params: Mapping[str, Json]
    id: int | str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    id: int | str | None
    result: Json


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that says no."""

    id: int | str | None
    code: int
    message: str


Message: TypeAlias = Request | Result | Failure


def encode(message: Message) -> str:
    """Return ``message`` as the text of one frame."""
    body: dict[str, Json] = {"jsonrpc": "2.0"}
    match message:
        case Request():
            body |= {"method": message.method, "params": message.params}
            if message.id is not None:
                body["id"] = message.id
        case Result():
            body |= {"id": message.id, "result": message.result}
        case Failure():
            error = {"code": message.code, "message": message.message}
            body |= {"id": message.id, "error": error}
    return json.dumps(body, separators=(",", ":"))


def decode(text: str | bytes) -> Message:
    """Return what one frame says.

    Raises:
        BadShape: the frame is not JSON-RPC 2.0.
    """
    try:
        body: Json = json.loads(text)
    except ValueError as error:
        raise BadShape(f"not JSON: {error}") from None
    match body:
        case {"jsonrpc": "2.0", "method": str(method)}:
            params = body.get("params", {})
            if not isinstance(params, dict):
                raise BadShape(f"params of {method!r} must be an object")
            return Request(method, cast("dict[str, Json]", params), body.get("id"))
        case {"jsonrpc": "2.0", "id": id_, "error": {"code": int(code), "message": str(message)}}:
            return Failure(id_, code, message)
        case {"jsonrpc": "2.0", "id": id_, "result": result}:
            return Result(id_, result)
        case _:
            raise BadShape("not a JSON-RPC 2.0 message")


# --- shapes to JSON and back ----------------------------------------------------------------


def to_json(value: object) -> Json:
    """Return ``value``, one of the shapes above, as plain JSON types."""
    match value:
        case None | bool() | int() | float() | str():
            return value.value if isinstance(value, Enum) else value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case dict():
            pairs = cast("dict[str, object]", value)
            return {key: to_json(item) for key, item in pairs.items()}
        case tuple() | list():
            return [to_json(item) for item in cast("tuple[object, ...]", value)]
        case _:
            if not is_dataclass(value):
                raise TypeError(f"{type(value).__name__} has no JSON form")
            return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}


def from_json(shape: type[T], body: Json) -> T:
    """Return ``body``, as ``json.loads`` gave it, as an instance of ``shape``.

    Raises:
        BadShape: a key is missing, or a value does not fit; the message names the place.
    """
    return _read(shape, body, shape.__name__)


@cache
def _plan(shape: type) -> tuple[tuple[str, Any, bool], ...]:
    hints = get_type_hints(shape)
    return tuple(
        (
            each.name,
            hints[each.name],
            each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(shape)
    )


def _read(hint: Any, body: Json, where: str) -> Any:
    if hint is Any:
        return body
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not NoneType)
        return None if body is None else _read(inner, body, where)
    if origin is tuple:
        return _read_items(get_args(hint)[0], body, where)
    if origin is dict:
        if not isinstance(body, dict):
            raise BadShape(f"{where} must be an object")
        inner = get_args(hint)[1]
        pairs = cast("dict[str, Json]", body)
        return {key: _read(inner, item, f"{where}.{key}") for key, item in pairs.items()}
    if is_dataclass(hint):
        return _read_object(cast("type[object]", hint), body, where)
    return _read_scalar(hint, body, where)


def _read_items(inner: Any, body: Json, where: str) -> tuple[Any, ...]:
    if body is None:  # Go writes an empty list as null.
        return ()
    if not isinstance(body, list):
        raise BadShape(f"{where} must be a list")
    items = cast("list[Json]", body)
    return tuple(_read(inner, item, f"{where}[{at}]") for at, item in enumerate(items))


def _read_object(shape: type, body: Json, where: str) -> Any:
    if not isinstance(body, dict):
        raise BadShape(f"{where} must be an object")
    pairs = cast("dict[str, Json]", body)
    known: dict[str, Any] = {}
    for name, hint, required in _plan(shape):
        if name in pairs:
            known[name] = _read(hint, pairs[name], f"{where}.{name}")
        elif required:
            raise BadShape(f"{where}.{name} is missing")
    return shape(**known)


def _read_scalar(kind: type, body: Json, where: str) -> Any:
    # No message repeats the value: it may be a secret of the manifest.
    try:
        if kind is datetime:
            return datetime.fromisoformat(body).astimezone(UTC)
        if kind is UUID or issubclass(kind, Enum):
            return kind(body)
    except (ValueError, TypeError, AttributeError):
        raise BadShape(f"{where} is not a {kind.__name__}") from None
    fits = isinstance(body, int | float) if kind is float else isinstance(body, kind)
    if not fits or (isinstance(body, bool) and kind is not bool):
        raise BadShape(f"{where} must be {kind.__name__}, not {type(body).__name__}")
    return body
