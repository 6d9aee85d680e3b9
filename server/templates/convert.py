"""Templates, versions and what they ask for, as the wire shows them."""

import json
import re
from collections.abc import Sequence
from typing import Any, cast

from coder_cli.sdk import forms as live
from coder_cli.sdk import templates as sdk
from coder_cli.sdk.jobs import MatchedProvisioners, ProvisionerJob, ProvisionerType
from coder_cli.sdk.users import MinimalUser
from server.settings import ExternalAuthProvider
from server.templates.model.templates import BuildTime, Preset, Template, Version
from server.terraform import Form, FormNote, FormParameter, Parameter, Variable

TRANSITIONS = ("start", "stop", "delete")


def template_to_sdk(template: Template, times: Sequence[BuildTime] = ()) -> sdk.Template:
    """Return a template as clients see it."""
    return sdk.Template(
        id=template.id,
        created_at=template.created_at,
        updated_at=template.updated_at,
        organization_id=template.organization_id,
        organization_name=template.organization_name,
        organization_display_name=template.organization_display_name,
        organization_icon=template.organization_icon,
        name=template.name,
        display_name=template.display_name,
        provisioner=ProvisionerType(template.provisioner),
        active_version_id=template.active_version_id,
        active_user_count=template.active_user_count,
        build_time_stats=_build_times(template, times),
        description=template.description,
        deprecated=bool(template.deprecated),
        deprecation_message=template.deprecated,
        icon=template.icon,
        default_ttl_ms=template.default_ttl_ms,
        activity_bump_ms=template.activity_bump_ms,
        autostop_requirement=sdk.AutostopRequirement(
            days_of_week=_days(template.autostop_days), weeks=template.autostop_weeks
        ),
        autostart_requirement=sdk.AutostartRequirement(days_of_week=_days(template.autostart_days)),
        created_by_id=template.created_by,
        created_by_name=template.created_by_name,
        allow_user_autostart=template.allow_user_autostart,
        allow_user_autostop=template.allow_user_autostop,
        allow_user_cancel_workspace_jobs=template.allow_user_cancel_workspace_jobs,
        failure_ttl_ms=template.failure_ttl_ms,
        time_til_dormant_ms=template.time_til_dormant_ms,
        time_til_dormant_autodelete_ms=template.time_til_dormant_autodelete_ms,
        require_active_version=template.require_active_version,
        max_port_share_level=sdk.PortShareLevel(template.max_port_share_level),
        use_classic_parameter_flow=template.use_classic_parameter_flow,
        cors_behavior=sdk.CORSBehavior(template.cors_behavior),
        time_til_autostop_notify_ms=template.time_til_autostop_notify_ms,
        agents_allowed=template.agents_allowed,
    )


def _days(days: list[str]) -> list[sdk.Weekday]:
    return cast("list[sdk.Weekday]", days)


def _build_times(template: Template, times: Sequence[BuildTime]) -> dict[str, sdk.TransitionStats]:
    known = {time.transition: time for time in times if time.template_id == template.id}
    return {
        transition: sdk.TransitionStats(P50=known[transition].p50, P95=known[transition].p95)
        if transition in known
        else sdk.TransitionStats()
        for transition in TRANSITIONS
    }


def version_to_sdk(
    version: Version, job: ProvisionerJob, matched: MatchedProvisioners | None = None
) -> sdk.TemplateVersion:
    """Return a version as clients see it."""
    return sdk.TemplateVersion(
        id=version.id,
        template_id=version.template_id,
        organization_id=version.organization_id,
        created_at=version.created_at,
        updated_at=version.updated_at,
        name=version.name,
        message=version.message,
        job=job,
        readme=version.readme,
        created_by=MinimalUser(
            id=version.created_by,
            username=version.created_by_username,
            name=version.created_by_name,
            avatar_url=version.created_by_avatar_url,
        ),
        archived=version.archived,
        warnings=_warnings(job, matched),
        matched_provisioners=matched,
        has_external_agent=version.has_external_agent,
    )


def _warnings(
    job: ProvisionerJob, matched: MatchedProvisioners | None
) -> list[sdk.TemplateVersionWarning]:
    waits = job.completed_at is None and matched is not None and matched.count == 0
    return [sdk.TemplateVersionWarning.NO_MATCHING_PROVISIONERS] if waits else []


def parameter_to_sdk(parameter: Parameter) -> sdk.TemplateVersionParameter:
    """Return a parameter as clients see it."""
    return sdk.TemplateVersionParameter(
        name=parameter.name,
        display_name=parameter.display_name,
        description=parameter.description,
        description_plaintext=plain_text(parameter.description),
        type=sdk.ParameterType(parameter.type),
        form_type=sdk.FormType(parameter.form_type),
        mutable=parameter.mutable,
        default_value=parameter.default_value,
        icon=parameter.icon,
        options=[
            sdk.TemplateVersionParameterOption(
                name=option.name,
                description=option.description,
                value=option.value,
                icon=option.icon,
            )
            for option in parameter.options
        ],
        validation_error=parameter.validation_error,
        validation_regex=parameter.validation_regex,
        validation_min=parameter.validation_min,
        validation_max=parameter.validation_max,
        validation_monotonic=parameter.validation_monotonic,
        required=parameter.required,
        ephemeral=parameter.ephemeral,
    )


_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(
    r"(^\s{0,3}(#{1,6}|>|[-*+]|\d+\.)\s+)|(\*\*|__|`+|~~|(?<!\w)[*_]|[*_](?!\w))", re.MULTILINE
)


def plain_text(markdown: str) -> str:
    """Return a description without its Markdown, for terminals."""
    return _MARKS.sub("", _LINK.sub(r"\1", markdown)).strip()


def variable_to_sdk(variable: Variable) -> sdk.TemplateVersionVariable:
    """Return a variable as clients see it; a secret's values are blank."""
    return sdk.TemplateVersionVariable(
        name=variable.name,
        description=variable.description,
        type=variable.type,
        value="" if variable.sensitive else variable.value,
        default_value="" if variable.sensitive else variable.default_value,
        required=variable.required,
        sensitive=variable.sensitive,
    )


def preset_to_sdk(preset: Preset) -> sdk.Preset:
    """Return a preset as clients see it."""
    return sdk.Preset(
        ID=preset.id,
        Name=preset.name,
        Parameters=[
            sdk.PresetParameter(Name=name, Value=value)
            for name, value in sorted(preset.parameters.items())
        ],
        Default=preset.is_default,
        DesiredPrebuildInstances=preset.desired_instances,
        Description=preset.description,
        Icon=preset.icon,
    )


def example_to_sdk(example_id: str, about: dict[str, Any], markdown: str) -> sdk.TemplateExample:
    """Return a starter template as clients see it; ``about`` is its README's front matter."""
    return sdk.TemplateExample(
        id=example_id,
        name=about.get("display_name", example_id),
        description=about.get("description", ""),
        icon=about.get("icon", ""),
        tags=about.get("tags", []),
        markdown=markdown,
    )


def form_to_sdk(request_id: int, form: Form) -> live.DynamicParametersResponse:
    """Return an evaluated form as clients see it."""
    return live.DynamicParametersResponse(
        id=request_id,
        diagnostics=[_note_to_sdk(note) for note in form.notes],
        parameters=[_form_parameter_to_sdk(one) for one in form.parameters],
    )


def _note_to_sdk(note: FormNote) -> live.FriendlyDiagnostic:
    return live.FriendlyDiagnostic(
        severity=note.severity,
        summary=note.summary,
        detail=note.detail,
        extra=live.DiagnosticExtra(code=note.code),
    )


def _form_parameter_to_sdk(one: FormParameter) -> live.PreviewParameter:
    parameter = one.parameter
    return live.PreviewParameter(
        name=parameter.name,
        display_name=parameter.display_name,
        description=parameter.description,
        type=parameter.type,
        form_type=parameter.form_type,
        styling=_styling(parameter.styling),
        mutable=parameter.mutable,
        default_value=live.NullableValue(value=parameter.default_value, valid=one.has_default),
        value=live.NullableValue(value=one.value, valid=one.known),
        icon=parameter.icon,
        options=[
            live.PreviewParameterOption(
                name=option.name,
                description=option.description,
                value=live.NullableValue(value=option.value, valid=True),
                icon=option.icon,
            )
            for option in parameter.options
        ],
        validations=_validations(parameter),
        required=parameter.required,
        order=parameter.order,
        ephemeral=parameter.ephemeral,
        diagnostics=[_note_to_sdk(note) for note in one.notes],
    )


def _styling(text: str) -> live.PreviewParameterStyling:
    """Return a parameter's styling; it is cosmetic, so what cannot be read is left out."""
    try:
        return live.PreviewParameterStyling.model_validate(json.loads(text))
    except ValueError:
        return live.PreviewParameterStyling()


def _validations(parameter: Parameter) -> list[live.PreviewParameterValidation]:
    found = live.PreviewParameterValidation(
        validation_error=parameter.validation_error,
        validation_regex=parameter.validation_regex or None,
        validation_min=parameter.validation_min,
        validation_max=parameter.validation_max,
        validation_monotonic=parameter.validation_monotonic or None,
    )
    return [] if found == live.PreviewParameterValidation() else [found]


def external_auth_to_sdk(
    provider: ExternalAuthProvider, page: str, *, linked: bool, optional: bool
) -> sdk.TemplateVersionExternalAuth:
    """Return a sign-in that a version asks for."""
    return sdk.TemplateVersionExternalAuth(
        id=provider.id,
        type=provider.type,
        display_name=provider.display_name,
        display_icon=provider.display_icon,
        authenticate_url=page,
        authenticated=linked,
        optional=optional,
    )
