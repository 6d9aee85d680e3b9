"""``coder_agent`` and ``coder_agent_instance``."""

from hashlib import sha256
from posixpath import isabs
from urllib.parse import urljoin
from uuid import uuid4

from server.terraform.provider import checks
from server.terraform.provider.schema import (
    BOOL,
    NUMBER,
    STRING_MAP,
    Block,
    Body,
    Call,
    Finding,
    Nesting,
    ResourceType,
    computed,
    optional,
    required,
)
from server.terraform.provider.values import UNKNOWN, Object, known_items, quote

DISPLAY_APPS = {
    "vscode": True,
    "vscode_insiders": False,
    "web_terminal": True,
    "ssh_helper": True,
    "port_forwarding_helper": True,
}
_PLAIN_DIRECTORIES = frozenset({"", "~", "$HOME"})


def digest(name: str) -> str:
    """Return how a name is written inside an environment variable's name."""
    return sha256(name.encode()).hexdigest()


def _directory(value: str, _label: str) -> Finding | None:
    if value in _PLAIN_DIRECTORIES:
        return None
    return Finding(
        'Setting "dir" to a value other than $HOME will break Coder Desktop file sync.',
        "Leave it out, or use `$HOME`, if people are to sync files with this workspace.",
        warning=True,
    )


def _volume_path(value: str, _label: str) -> str | None:
    if not value:
        return "volume path must not be empty"
    return None if isabs(value) else "volume path must be an absolute path"


def _one_monitor(items: list[Object], _label: str) -> str | None:
    if any(item.get("memory") or item.get("volume") for item in items):
        return None
    return "resources_monitoring must define at least one monitor"


def _volumes_differ(items: list[Object], _label: str) -> str | None:
    paths = [volume["path"] for volume in items]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    return None if twice is None else f"duplicate volume path {quote(twice)}"


def _fresh(value: Object, call: Call) -> None:
    # A new token at every read is what makes resources that use it new at every start.
    value["token"] = call.env.get(f"CODER_RUNNING_WORKSPACE_AGENT_TOKEN_{digest('')}") or str(
        uuid4()
    )
    call.conceal((value["token"],))
    script = call.env.get(f"CODER_AGENT_SCRIPT_{value['os']}_{value['arch']}", "")
    # The agent's files are at the root of the access URL, whatever path it has.
    value["init_script"] = script.replace("${ACCESS_URL}", urljoin(call.url, "/")).replace(
        "${AUTH_TYPE}", value.get("auth") or "token"
    )
    if not value.get("display_apps"):
        value["display_apps"] = [dict(DISPLAY_APPS)]


def _plan(value: Object, call: Call) -> None:
    if not value.get("display_apps"):
        value["display_apps"] = [dict(DISPLAY_APPS)]
    seen = set[str]()
    for item in known_items(value["metadata"]):
        if item["key"] is UNKNOWN:
            continue
        if item["key"] in seen:
            call.error(f"duplicate agent metadata key {quote(item['key'])}", "", "metadata")
        seen.add(item["key"])


_THRESHOLD = required(NUMBER, checks.between(0, 100))
_MEMORY = Body({"enabled": required(BOOL), "threshold": _THRESHOLD})
_VOLUME = Body(
    {"path": required("string", _volume_path), "enabled": required(BOOL), "threshold": _THRESHOLD}
)
_MONITORING = Body(
    {},
    {
        "memory": Block(Nesting.SET, _MEMORY, at_most=1),
        "volume": Block(Nesting.SET, _VOLUME, checks=(_volumes_differ,)),
    },
)
_METADATA = Body(
    {
        "key": required(),
        "script": required(),
        "interval": required(NUMBER),
        "display_name": optional(),
        "timeout": optional(NUMBER),
        "order": optional(NUMBER),
    }
)
_AGENT = Body(
    {
        "id": computed(),
        "arch": required("string", checks.one_of("amd64", "armv7", "arm64")),
        "os": required("string", checks.one_of("linux", "darwin", "windows")),
        "auth": optional(
            "string",
            checks.one_of(
                "token",
                "google-instance-identity",
                "aws-instance-identity",
                "azure-instance-identity",
            ),
            default="token",
        ),
        "api_key_scope": optional("string", checks.one_of("all", "no_user_data"), default="all"),
        "dir": optional(
            "string",
            _directory,
            deprecated="dir has been deprecated and will be removed in a future release.",
        ),
        "env": optional(STRING_MAP),
        "startup_script": optional(),
        "shutdown_script": optional(),
        "startup_script_behavior": optional(
            "string", checks.one_of("blocking", "non-blocking"), default="non-blocking"
        ),
        "connection_timeout": optional(NUMBER, checks.at_least(0), default=120),
        "troubleshooting_url": optional(),
        "motd_file": optional(),
        "order": optional(NUMBER),
        "token": computed(sensitive=True),
        "init_script": computed(),
    },
    {
        "metadata": Block(Nesting.LIST, _METADATA),
        "display_apps": Block(
            Nesting.SET,
            Body({name: optional(BOOL, default=shown) for name, shown in DISPLAY_APPS.items()}),
            at_most=1,
        ),
        "resources_monitoring": Block(Nesting.SET, _MONITORING, at_most=1, checks=(_one_monitor,)),
    },
)

AGENT = ResourceType(_AGENT, plan=_plan, create=_fresh, read=_fresh)
AGENT_INSTANCE = ResourceType(
    Body({"id": computed(), "agent_id": required(), "instance_id": required()}), version=0
)
