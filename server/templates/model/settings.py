"""The settings of a template that people may change, merged field by field. Pure."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, get_args

from coder_cli.sdk import templates as sdk
from server.kit.errors import FieldError, Invalid
from server.templates.model.access import everyone, without_everyone
from server.templates.model.templates import Template

COLUMNS = (
    "name",
    "display_name",
    "description",
    "icon",
    "deprecated",
    "default_ttl_ms",
    "activity_bump_ms",
    "failure_ttl_ms",
    "time_til_dormant_ms",
    "time_til_dormant_autodelete_ms",
    "autostop_days",
    "autostop_weeks",
    "autostart_days",
    "allow_user_autostart",
    "allow_user_autostop",
    "allow_user_cancel_workspace_jobs",
    "require_active_version",
    "use_classic_parameter_flow",
    "max_port_share_level",
    "cors_behavior",
    "time_til_autostop_notify_ms",
    "agents_allowed",
    "group_acl",
)

_RENAMED = {
    "deprecation_message": "deprecated",
    "dormant_ttl_ms": "time_til_dormant_ms",
    "delete_ttl_ms": "time_til_dormant_autodelete_ms",
    "template_use_classic_parameter_flow": "use_classic_parameter_flow",
}

MAX_WEEKS = 16
MINUTE_MS = 60_000


def settings(template: Template) -> dict[str, Any]:
    """Return a template's settings by column."""
    fields = asdict(template)
    return {column: fields[column] for column in COLUMNS}


def changed(
    template: Template, request: sdk.CreateTemplateRequest | sdk.UpdateTemplateMeta
) -> dict[str, Any]:
    """Return a template's settings after ``request``; what it leaves out stays as it is.

    Raises:
        Invalid: a setting that makes no sense.
    """
    after = settings(template)
    asked = request.model_dump(mode="json", exclude_none=True)
    if not asked.get("name"):
        asked.pop("name", None)
    for field, value in asked.items():
        column = _RENAMED.get(field, field)
        if column in after:
            after[column] = value
    if request.autostart_requirement is not None:
        after["autostart_days"] = _in_order(request.autostart_requirement.days_of_week)
    if request.autostop_requirement is not None:
        after["autostop_days"] = _in_order(request.autostop_requirement.days_of_week)
        after["autostop_weeks"] = request.autostop_requirement.weeks or 1
    if request.disable_everyone_group_access:
        after["group_acl"] = without_everyone(template.group_acl, template.organization_id)
    elif request.disable_everyone_group_access is False:
        after["group_acl"] = {**everyone(template.organization_id), **template.group_acl}
    _check(after)
    return after


def _in_order(days: Iterable[sdk.Weekday]) -> list[str]:
    named = set(days)
    return [day for day in get_args(sdk.Weekday) if day in named]


def _check(after: dict[str, Any]) -> None:
    wrong: list[FieldError] = []
    if after["autostop_weeks"] < 1:
        wrong.append(FieldError("autostop_requirement.weeks", "Must be a positive integer."))
    if len(after["description"].encode()) >= 128:
        wrong.append(FieldError("description", "Must be shorter than 128 bytes."))
    if 0 < after["time_til_autostop_notify_ms"] < MINUTE_MS:
        detail = "Must be 0 (disabled) or at least one minute."
        wrong.append(FieldError("time_til_autostop_notify_ms", detail))
    if after["autostop_weeks"] > MAX_WEEKS:
        detail = f"Must be at most {MAX_WEEKS} weeks."
        wrong.append(FieldError("autostop_requirement.weeks", detail))
    if wrong:
        raise Invalid("Invalid template settings.", fields=wrong)
