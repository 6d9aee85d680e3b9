"""From what the provider recorded, and terraform said, to a form. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from server.terraform.convert.instances import Object, label
from server.terraform.model import Form, FormNote, FormParameter, Option, Parameter
from server.terraform.provider import Evaluation, Finding

REQUIRED = FormNote(
    "error", "Required parameter not provided", "parameter value is null", "required"
)
NOT_KNOWN = FormNote(
    "warning",
    "The value is not known yet",
    "It depends on something that exists only once the workspace is built.",
)
MOST_PARAMETERS = 1000

_PARAMETER = "coder_parameter"


def form(
    evaluations: Sequence[Evaluation],
    unknown: Sequence[Parameter],
    notes: Sequence[FormNote],
    inputs: Mapping[str, str],
) -> Form:
    """Return the form that a plan came to; ``unknown`` are parameters it could not evaluate."""
    asked = [_evaluated(e, inputs) for e in evaluations if e.kind == _PARAMETER]
    asked += [_unknown(parameter, inputs) for parameter in unknown]
    asked.sort(key=lambda one: (one.parameter.order, one.parameter.name))
    unique = {one.parameter.name: one for one in reversed(asked)}
    tags: dict[str, str] = {}
    for evaluation in evaluations:
        if evaluation.kind == "coder_workspace_tags":
            tags.update(_strings(evaluation.value.get("tags")))
    return Form(
        parameters=tuple(one for one in asked if unique[one.parameter.name] is one)[
            :MOST_PARAMETERS
        ],
        notes=(*notes, *_duplicates(asked)),
        workspace_tags=tags,
    )


def _duplicates(asked: Sequence[FormParameter]) -> list[FormNote]:
    counts: dict[str, int] = {}
    for one in asked:
        counts[one.parameter.name] = counts.get(one.parameter.name, 0) + 1
    return [
        FormNote(
            "error",
            f'Found {count} duplicate parameters with name "{name}"',
            "Parameter names must be unique.",
        )
        for name, count in counts.items()
        if count > 1
    ]


def _evaluated(evaluation: Evaluation, inputs: Mapping[str, str]) -> FormParameter:
    value = evaluation.value
    parameter = parameter_of(value)
    missing = parameter.required and parameter.name not in inputs
    notes = (REQUIRED,) if missing else tuple(map(_note, evaluation.findings))
    return FormParameter(
        parameter=parameter,
        value="" if missing else _text(value, "value"),
        known=not missing,
        has_default=value.get("default") is not None,
        notes=notes,
    )


def _unknown(parameter: Parameter, inputs: Mapping[str, str]) -> FormParameter:
    given = inputs.get(parameter.name)
    return FormParameter(
        parameter=parameter,
        value=given or "",
        known=given is not None,
        has_default=False,
        notes=(NOT_KNOWN,) if given is None else (),
    )


def _note(finding: Finding) -> FormNote:
    return FormNote("warning" if finding.warning else "error", finding.summary, finding.detail)


def parameter_of(value: Object) -> Parameter:
    """Return a parameter from a data source's attributes, known or null."""
    rules: Object = next(iter(value.get("validation") or ()), cast("Object", {}))
    return Parameter(
        name=_text(value, "name"),
        type=_text(value, "type") or "string",
        display_name=_text(value, "display_name"),
        description=_text(value, "description"),
        form_type=_text(value, "form_type") or "input",
        styling=_text(value, "styling") or "{}",
        mutable=value.get("mutable") is True,
        default_value=_text(value, "default"),
        icon=_text(value, "icon"),
        options=tuple(_option(one) for one in value.get("option") or ()),
        validation_regex=_text(rules, "regex"),
        validation_error=_text(rules, "error"),
        validation_min=_whole(rules.get("min")),
        validation_max=_whole(rules.get("max")),
        validation_monotonic=_text(rules, "monotonic"),
        required=value.get("default") is None,
        order=_whole(value.get("order")) or 0,
        ephemeral=value.get("ephemeral") is True,
        value=_text(value, "value"),
    )


def _option(option: Object) -> Option:
    return Option(
        name=_text(option, "name"),
        value=_text(option, "value"),
        description=_text(option, "description"),
        icon=_text(option, "icon"),
    )


def _text(value: Object, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    items = cast("dict[str, object]", value).items()
    return {name: text for name, text in items if isinstance(text, str)}


def module_of(address: str) -> str:
    """Return a module's dotted path of calls: ``module.a[0].module.b`` is ``a.b``."""
    return ".".join(label(address).removeprefix("module.").split(".module.")) if address else ""
