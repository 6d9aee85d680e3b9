"""What a template may know about the build it serves: workspace, owner, host, task, secrets."""

import json
import platform
import re
import sys
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from server.terraform.provider.attachments import task_id
from server.terraform.provider.rules import strings
from server.terraform.provider.schema import (
    BOOL,
    NUMBER,
    STRING,
    STRING_LIST,
    STRING_MAP,
    Body,
    Call,
    DataSource,
    computed,
    optional,
    required,
)
from server.terraform.provider.values import Object, quote

_ARCHITECTURES = {
    "x86_64": "amd64",
    "AMD64": "amd64",
    "aarch64": "arm64",
    "armv7l": "armv7",
    "armv6l": "armv7",
}
_SYSTEMS = {"win32": "windows", "cygwin": "windows"}


def _needed(call: Call, what: str, name: str) -> str:
    value = call.env.get(name, "")
    # Only a real build must know it; an import plans without.
    if not value and call.env.get("CODER_WORKSPACE_BUILD_ID"):
        call.error(f"{what} is missing: {name} is required")
    return value


def _flag(call: Call, name: str) -> bool:
    return call.env.get(name, "").lower() == "true"


def _workspace(value: Object, call: Call) -> None:
    transition = call.env.get("CODER_WORKSPACE_TRANSITION") or "start"
    claim = _flag(call, "CODER_WORKSPACE_IS_PREBUILD_CLAIM")
    prebuild = _flag(call, "CODER_WORKSPACE_IS_PREBUILD") and not claim
    value.update(
        id=call.env.get("CODER_WORKSPACE_ID") or str(uuid4()),
        name=call.env.get("CODER_WORKSPACE_NAME") or "default",
        transition=transition,
        start_count=int(transition == "start"),
        is_prebuild=prebuild,
        prebuild_count=int(prebuild),
        is_prebuild_claim=claim,
        access_url=call.url,
        access_port=_port(call),
        template_id=_needed(call, "template ID", "CODER_WORKSPACE_TEMPLATE_ID"),
        template_name=_needed(call, "template name", "CODER_WORKSPACE_TEMPLATE_NAME"),
        template_version=_needed(call, "template version", "CODER_WORKSPACE_TEMPLATE_VERSION"),
    )


def _port(call: Call) -> int:
    address = urlsplit(call.url)
    try:
        return address.port or (443 if address.scheme == "https" else 80)
    except ValueError as error:
        call.error(f"couldn't parse port of {quote(call.url)}: {error}")
        return 0


WORKSPACE = DataSource(
    Body(
        {
            "id": computed(),
            "name": computed(),
            "transition": computed(),
            "start_count": computed(NUMBER),
            "is_prebuild": computed(BOOL),
            "prebuild_count": computed(NUMBER),
            "is_prebuild_claim": computed(BOOL),
            "access_url": computed(),
            "access_port": computed(NUMBER),
            "template_id": computed(),
            "template_name": computed(),
            "template_version": computed(),
        }
    ),
    read=_workspace,
)


def _roles(text: str) -> list[dict[str, str]] | None:
    """Return the roles that a JSON text lists, or None when it is something else."""
    try:
        content: Any = json.loads(text)
        return [{key: str(r.get(key, "")) for key in ("name", "org_id")} for r in content or ()]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _owner(value: Object, call: Call) -> None:
    def own(name: str, default: str = "") -> str:
        return call.env.get(f"CODER_WORKSPACE_OWNER{name}") or default

    value.update(
        id=own("_ID") or str(uuid4()),
        name=own("", "default"),
        full_name=own("_NAME", "default"),
        email=own("_EMAIL", "default@example.com"),
        ssh_public_key=own("_SSH_PUBLIC_KEY"),
        ssh_private_key=own("_SSH_PRIVATE_KEY"),
        session_token=own("_SESSION_TOKEN"),
        oidc_access_token=own("_OIDC_ACCESS_TOKEN"),
        login_type=own("_LOGIN_TYPE") or None,
    )
    groups, roles = strings(own("_GROUPS", "[]")), _roles(own("_RBAC_ROLES", "[]"))
    if groups is None:
        call.error("invalid user groups: not a JSON list of strings")
    if roles is None:
        call.error("invalid user rbac roles: not a JSON list of objects with name and org_id")
    value.update(groups=groups, rbac_roles=roles)


OWNER = DataSource(
    Body(
        {
            "id": computed(),
            "name": computed(),
            "full_name": computed(),
            "email": computed(),
            "ssh_public_key": computed(),
            "ssh_private_key": computed(sensitive=True),
            "groups": computed(STRING_LIST),
            "session_token": computed(sensitive=True),
            "oidc_access_token": computed(sensitive=True),
            "login_type": computed(),
            "rbac_roles": computed(["list", ["object", {"name": STRING, "org_id": STRING}]]),
        }
    ),
    read=_owner,
    version=0,
)


def _provisioner(value: Object, _call: Call) -> None:
    machine = platform.machine()
    value.update(
        id=str(uuid4()),
        os=_SYSTEMS.get(sys.platform, sys.platform),
        arch=_ARCHITECTURES.get(machine, machine),
    )


PROVISIONER = DataSource(
    Body({"id": computed(), "os": computed(), "arch": computed()}), read=_provisioner
)


def _external_auth(value: Object, call: Call) -> None:
    if not value["id"]:
        call.error("id is required")
    value["access_token"] = call.env.get(f"CODER_EXTERNAL_AUTH_ACCESS_TOKEN_{value['id']}", "")


EXTERNAL_AUTH = DataSource(
    Body(
        {
            "id": required(),
            "optional": optional(BOOL),
            "access_token": computed(sensitive=True),
        }
    ),
    read=_external_auth,
)


def _tags(value: Object, _call: Call) -> None:
    value["id"] = str(uuid4())


TAGS = DataSource(Body({"id": computed(), "tags": optional(STRING_MAP)}), read=_tags)


def _task(value: Object, call: Call) -> None:
    try:
        task = task_id(call)
    except ValueError:
        call.error(f"invalid task ID: {quote(call.env['CODER_TASK_ID'])} is not a UUID")
        return
    value.update(
        id=task or str(uuid4()),
        enabled=bool(task),
        prompt=call.env.get("CODER_TASK_PROMPT", ""),
    )


TASK = DataSource(
    Body({"id": computed(), "prompt": computed(), "enabled": computed(BOOL)}),
    read=_task,
    version=0,
)

_POSIX_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]*$"


def _secret_env(value: str, _label: str) -> str | None:
    if not value or re.fullmatch(_POSIX_NAME, value):
        return None
    name = quote(_POSIX_NAME)
    return f"`env` must be a POSIX-compliant identifier matching {name}; got {quote(value)}"


def _secret_file(value: str, _label: str) -> str | None:
    if not value or value.startswith(("/", "~/")):
        return None
    return f"`file` must start with `/` or `~/`; got {quote(value)}"


def _secret(value: Object, call: Call) -> None:
    name, path = value["env"] or "", value["file"] or ""
    if bool(name) == bool(path):
        call.error("exactly one of `env` or `file` must be set")
        return
    if name:
        what = f"environment variable {quote(name)}"
        variable, value["id"] = f"CODER_SECRET_ENV_{name}", f"env:{name}"
    else:
        what = f"file {quote(path)}"
        variable, value["id"] = f"CODER_SECRET_FILE_{path.encode().hex()}", f"file:{path}"
    value["value"] = call.env.get(variable, "")
    # A workspace must always be able to stop and to be deleted.
    real = call.env.get("CODER_WORKSPACE_BUILD_ID")
    if real and call.env.get("CODER_WORKSPACE_TRANSITION") == "start" and not value["value"]:
        # An author may leave the help empty.
        hint = [f"Help message: {value['help_message']}"] if value["help_message"] else []
        resolve = f"To resolve: ensure a secret exposes the {what}."
        call.error(
            f"Missing required secret: {what}",
            "\n\n".join([f"Required: {what}", *hint, resolve]),
        )


SECRET = DataSource(
    Body(
        {
            "id": computed(),
            "env": optional("string", _secret_env),
            "file": optional("string", _secret_file),
            "help_message": required(),
            "value": computed(sensitive=True),
        }
    ),
    read=_secret,
)
