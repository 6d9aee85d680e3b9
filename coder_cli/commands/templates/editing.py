"""``coder templates edit``: a template's settings, of which only those given are changed."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_template
from coder_cli.commands.flags import Org, TemplateName, Yes
from coder_cli.commands.templates.requests import from_flags
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.durations import parse_duration
from coder_cli.kit.refused import Refused
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.templates import AutostopRequirement, Template, Weekday

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Text = str | None
Days = list[str]
Switch = bool | None


def edit(
    template: TemplateName,
    name: Annotated[Text, typer.Option(help="New name", metavar="<name>")] = None,
    display_name: Annotated[Text, typer.Option(help="Name for people", metavar="<name>")] = None,
    description: Annotated[Text, typer.Option(help="What it is for", metavar="<text>")] = None,
    icon: Annotated[Text, typer.Option(help="URL or path of an icon", metavar="<url>")] = None,
    deprecated: Annotated[
        Text,
        typer.Option(
            help='Why no new workspaces are made of it; "" takes it back', metavar="<why>"
        ),
    ] = None,
    default_ttl: Annotated[
        Text, typer.Option(help="Workspaces stop so long after a start", metavar="<duration>")
    ] = None,
    activity_bump: Annotated[
        Text, typer.Option(help="Use puts the stop off to so long from then", metavar="<duration>")
    ] = None,
    autostop_reminder: Annotated[
        Text, typer.Option(help="Owners are told so long before a stop", metavar="<duration>")
    ] = None,
    autostart_requirement_weekdays: Annotated[
        Days | None,
        typer.Option(help="Days on which workspaces may start by themselves", metavar="<days|all>"),
    ] = None,
    autostop_requirement_weekdays: Annotated[
        Days | None,
        typer.Option(help="Days on which workspaces must restart", metavar="<days|none>"),
    ] = None,
    autostop_requirement_weeks: Annotated[
        int | None, typer.Option(help="They must only every so many weeks", metavar="<n>")
    ] = None,
    failure_ttl: Annotated[
        Text, typer.Option(help="Failed workspaces stop after", metavar="<duration>")
    ] = None,
    dormancy_threshold: Annotated[
        Text, typer.Option(help="Unused workspaces are dormant after", metavar="<duration>")
    ] = None,
    dormancy_auto_deletion: Annotated[
        Text, typer.Option(help="Dormant workspaces are deleted after", metavar="<duration>")
    ] = None,
    agents_allowed: Annotated[
        Switch,
        typer.Option("--agents-allowed/--no-agents-allowed", help="Chats may make workspaces"),
    ] = None,
    allow_user_cancel_workspace_jobs: Annotated[
        Switch,
        typer.Option(
            "--allow-user-cancel-workspace-jobs/--no-allow-user-cancel-workspace-jobs",
            help="Owners may cancel builds",
        ),
    ] = None,
    allow_user_autostart: Annotated[
        Switch,
        typer.Option(
            "--allow-user-autostart/--no-allow-user-autostart", help="Owners may schedule starts"
        ),
    ] = None,
    allow_user_autostop: Annotated[
        Switch,
        typer.Option(
            "--allow-user-autostop/--no-allow-user-autostop", help="Owners may choose the stop"
        ),
    ] = None,
    require_active_version: Annotated[
        Switch,
        typer.Option(
            "--require-active-version/--no-require-active-version",
            help="Only the active version is built",
        ),
    ] = None,
    private: Annotated[
        Switch,
        typer.Option("--private/--no-private", help="Not everybody in the organization may use it"),
    ] = None,
    yes: Yes = False,
    org: Org = "",
) -> None:
    """Change settings of a template: those that are given; 0 switches a time off."""
    from coder_cli.sdk.templates import AutostartRequirement, UpdateTemplateMeta

    del yes  # Nothing is asked; scripts pass it.
    client = config.connect()
    found = find_template(client, org, template)
    starts = None
    if autostart_requirement_weekdays is not None:
        days = _weekdays("--autostart-requirement-weekdays", autostart_requirement_weekdays, "all")
        starts = AutostartRequirement(days_of_week=days)
    stops = _autostop(found, autostop_requirement_weekdays, autostop_requirement_weeks)
    spans = {
        "default_ttl_ms": milliseconds("--default-ttl", default_ttl),
        "activity_bump_ms": milliseconds("--activity-bump", activity_bump),
        "time_til_autostop_notify_ms": milliseconds("--autostop-reminder", autostop_reminder),
        "failure_ttl_ms": milliseconds("--failure-ttl", failure_ttl),
        "time_til_dormant_ms": milliseconds("--dormancy-threshold", dormancy_threshold),
        "time_til_dormant_autodelete_ms": milliseconds(
            "--dormancy-auto-deletion", dormancy_auto_deletion
        ),
    }
    with from_flags():
        change = UpdateTemplateMeta.model_validate(
            {
                **spans,
                "name": name,
                "display_name": display_name,
                "description": description,
                "icon": icon,
                "deprecation_message": deprecated,
                "autostart_requirement": starts,
                "autostop_requirement": stops,
                "agents_allowed": agents_allowed,
                "allow_user_cancel_workspace_jobs": allow_user_cancel_workspace_jobs,
                "allow_user_autostart": allow_user_autostart,
                "allow_user_autostop": allow_user_autostop,
                "require_active_version": require_active_version,
                "disable_everyone_group_access": private,
            }
        )
    if name == "":
        raise Refused("--name: a template needs a name.")
    if change == UpdateTemplateMeta():
        raise Refused("Say what to change: coder templates edit --help lists the settings.")
    if client.update_template(found.id, change):
        ui.result(f"Updated template {name or found.name} at {timestamp(SystemClock().now())}.")
    else:
        ui.result(f"Template {found.name} is like that already; nothing was changed.")


def milliseconds(flag: str, text: str | None) -> int | None:
    """Return a flag's duration in milliseconds, or None where it was not given.

    Raises:
        Refused: it is no duration, or a negative one.
    """
    if text is None:
        return None
    try:
        span = parse_duration(text)
    except ValueError as error:
        raise Refused(f"{flag}: {error}") from error
    if span < timedelta(0):
        raise Refused(f"{flag}: {text!r} must not be negative.")
    return span // timedelta(milliseconds=1)


def _autostop(
    found: "Template", days: list[str] | None, weeks: int | None
) -> "AutostopRequirement | None":
    from coder_cli.sdk.templates import AutostopRequirement

    if days is None and weeks is None:
        return None
    if weeks is not None and weeks < 1:
        raise Refused("--autostop-requirement-weeks: must be at least 1.")
    present = found.autostop_requirement
    chosen = present.days_of_week
    if days is not None:
        chosen = _weekdays("--autostop-requirement-weekdays", days, "none")
    return AutostopRequirement(days_of_week=chosen, weeks=present.weeks if weeks is None else weeks)


def _weekdays(flag: str, given: list[str], word: str) -> "list[Weekday]":
    """Return the days that are named, in full or by their first letters; ``word`` stands alone."""
    said = [part.strip().lower() for one in given for part in one.split(",") if part.strip()]
    if word in said:
        if said != [word]:
            raise Refused(f"{flag}: {word!r} cannot be combined with other days.")
        return list(WEEK) if word == "all" else []
    chosen: list[str] = []
    for part in said:
        days = [day for day in WEEK if day == part or (len(part) == 3 and day.startswith(part))]
        if not days:
            raise Refused(f"{flag}: {part!r} is not a weekday. Choose from: {', '.join(WEEK)}.")
        chosen += days
    return [day for day in WEEK if day in chosen]
