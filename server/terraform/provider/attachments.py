"""The resources that hang on an agent or describe another resource: apps, scripts, variables, …"""

from uuid import UUID, uuid4

from server.terraform.provider import checks, cron
from server.terraform.provider.schema import (
    BOOL,
    NUMBER,
    Attribute,
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

_SLUG = r"^[a-z0-9](-?[a-z0-9])*$"


# ---------------------------------------------------------------- coder_app


def _slug(value: str, label: str) -> str | None:
    if checks.matches(_SLUG, "")(value, label) is None:
        return None
    return (
        f'invalid "coder_app" slug, must be a valid hostname ({quote(_SLUG)}, cannot contain two '
        f"consecutive hyphens or start/end with a hyphen): {quote(value)}"
    )


def _share(value: str, _label: str) -> str | None:
    if value in {"owner", "authenticated", "public"}:
        return None
    return f'invalid app share {quote(value)}, must be one of "owner", "authenticated", "public"'


def _open_in(value: str, _label: str) -> str | None:
    if value in {"tab", "slim-window"}:
        return None
    return 'invalid "coder_app" open_in value, must be one of "tab", "slim-window": ' + quote(value)


def _warn_hidden(value: Object, call: Call) -> None:
    if not value["hidden"]:
        return
    for name in ("display_name", "icon", "order"):
        if value.get(name):
            call.warn(f"`{name}` set when app is hidden", "", name)


APP = ResourceType(
    Body(
        {
            "id": computed(),
            "agent_id": required(),
            "slug": required("string", _slug),
            "display_name": optional(
                "string",
                checks.at_most_bytes(64, "display name is too long (max 64 characters)"),
            ),
            "icon": optional("string", checks.url),
            "command": optional(conflicts=("url", "subdomain")),
            "url": optional(conflicts=("command",)),
            "external": optional(
                BOOL, default=False, conflicts=("healthcheck", "command", "subdomain", "share")
            ),
            "subdomain": optional(BOOL),
            "share": optional("string", _share, default="owner"),
            "group": optional(
                "string", checks.at_most_bytes(64, "group name is too long (max 64 characters)")
            ),
            "order": optional(NUMBER),
            "hidden": optional(BOOL, default=False),
            "open_in": optional("string", _open_in, default="slim-window"),
            "tooltip": optional(
                "string", checks.at_most_bytes(2048, "tooltip is too long (max 2048 characters)")
            ),
        },
        {
            "healthcheck": Block(
                Nesting.SET,
                Body(
                    {
                        "url": required(),
                        "interval": required(NUMBER),
                        "threshold": required(NUMBER),
                    }
                ),
                at_most=1,
                conflicts=("command",),
            )
        },
    ),
    create=_warn_hidden,
)


# ---------------------------------------------------------------- coder_script


def _cron(value: str, _label: str) -> Finding | str | None:
    try:
        cron.check(value)
    except cron.BadCron as error:
        return f"{value} is not a valid cron expression: {error}"
    if cron.looks_unix(value):
        return Finding(
            f"The cron expression {quote(value)} has 5 fields; the first one is read as seconds.",
            f"Write {quote('0 ' + value)} to run it at second 0 of the minutes you mean.",
            warning=True,
        )
    return None


def _check_script(value: Object, call: Call) -> None:
    if not (value["run_on_start"] or value["run_on_stop"] or value["cron"]):
        call.error('at least one of "run_on_start", "run_on_stop", or "cron" must be set')
    if value["start_blocks_login"] and not value["run_on_start"]:
        call.error('"start_blocks_login" can only be set if "run_on_start" is "true"')


SCRIPT = ResourceType(
    Body(
        {
            "id": computed(),
            "agent_id": required(),
            "display_name": required(),
            "script": required(),
            "icon": optional(),
            "log_path": optional(),
            "cron": optional("string", _cron),
            "start_blocks_login": optional(BOOL, default=False),
            "run_on_start": optional(BOOL, default=False),
            "run_on_stop": optional(BOOL, default=False),
            "timeout": optional(NUMBER, checks.at_least(1), default=0),
        }
    ),
    create=_check_script,
)

# ---------------------------------------------------------------- coder_env

ENV = ResourceType(
    Body(
        {
            "id": computed(),
            "agent_id": required(),
            "name": required(
                "string",
                checks.matches(
                    r"^[a-zA-Z_][a-zA-Z0-9_]*$", "must be a valid environment variable name"
                ),
            ),
            "value": optional(default=""),
            "merge_strategy": optional(
                "string",
                checks.one_of("replace", "append", "prepend", "error"),
                default="replace",
            ),
        }
    )
)


# ---------------------------------------------------------------- coder_metadata


def _mark_nulls(value: Object, call: Call) -> None:
    seen = set[str]()
    for item in known_items(value["item"]):
        item["is_null"] = UNKNOWN if item["value"] is UNKNOWN else item["value"] is None
        if item["key"] is UNKNOWN:
            continue
        if item["key"] in seen:
            call.error(f"duplicate resource metadata key {quote(item['key'])}", "", "item")
        seen.add(item["key"])


_ITEM = Body(
    {
        "key": required(),
        "value": optional(),
        "sensitive": optional(BOOL, default=False),
        "is_null": computed(BOOL),
    }
)
METADATA = ResourceType(
    Body(
        {
            "id": computed(),
            "resource_id": required(),
            "hide": optional(BOOL),
            "icon": optional("string", checks.url),
            "daily_cost": optional(NUMBER),
        },
        {"item": Block(Nesting.LIST, _ITEM)},
    ),
    plan=_mark_nulls,
    create=_mark_nulls,
)


# ---------------------------------------------------------------- the small ones


def _new_subagent(value: Object, _call: Call) -> None:
    value["subagent_id"] = str(uuid4())


DEVCONTAINER = ResourceType(
    Body(
        {
            "id": computed(),
            "agent_id": required(),
            "workspace_folder": required("string", checks.not_empty),
            "config_path": optional(),
            "subagent_id": computed(),
        }
    ),
    create=_new_subagent,
)

EXTERNAL_AGENT = ResourceType(Body({"id": computed(), "agent_id": required()}))


def task_id(call: Call) -> str:
    """Return the id of the task this build serves, or nothing.

    Raises:
        ValueError: the variable holds something else than a UUID.
    """
    text = call.env.get("CODER_TASK_ID", "")
    return str(UUID(text)) if text and UUID(text).int else ""


def _begin_task(value: Object, call: Call) -> None:
    try:
        task = task_id(call)
    except ValueError:
        task = ""
    value["enabled"] = bool(task)
    value["id"] = task or value["id"]
    value["prompt"] = call.env.get("CODER_TASK_PROMPT") or None
    if not value["app_id"] and value["sidebar_app"]:
        value["app_id"] = value["sidebar_app"][0]["id"]
    if not value["app_id"]:
        call.error("'app_id' must be set")


AI_TASK = ResourceType(
    Body(
        {
            "id": computed(),
            "app_id": Attribute(
                optional=True, computed=True, checks=(checks.uuid,), conflicts=("sidebar_app",)
            ),
            "prompt": computed(),
            "enabled": computed(BOOL),
        },
        {
            "sidebar_app": Block(
                Nesting.SET,
                Body({"id": required("string", checks.uuid)}),
                at_most=1,
                conflicts=("app_id",),
                deprecated="This field has been deprecated in favor of the `app_id` field.",
            )
        },
    ),
    create=_begin_task,
)
