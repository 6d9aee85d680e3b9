"""``coder_parameter``: what a person is asked when creating a workspace."""

from uuid import uuid4

from server.terraform.provider import checks, rules
from server.terraform.provider.agent import digest
from server.terraform.provider.schema import (
    BOOL,
    NUMBER,
    Attribute,
    Block,
    Body,
    Call,
    DataSource,
    Finding,
    Nesting,
    computed,
    optional,
    required,
)
from server.terraform.provider.values import Object


def _read(value: Object, call: Call) -> None:
    value["id"] = str(uuid4())
    value["optional"] = value["default"] is not None
    for rule in value["validation"]:
        rule["min_disabled"] = rule["min"] is None
        rule["max_disabled"] = rule["max"] is None
    name = digest(value["name"])
    given = call.env.get(f"CODER_PARAMETER_{name}")
    previous = call.env.get(f"CODER_PARAMETER_PREVIOUS_{name}")
    # What a form shows when a rule is broken; a build ends there.
    value["value"] = (given if given is not None else value["default"]) or ""
    form, value["form_type"] = value["form_type"] or "", "error"
    refused = _ephemeral(value)
    try:
        value["form_type"] = rules.form_type(value["type"], form, options=bool(value["option"]))
        if not refused:
            value["value"] = rules.resolve(value, given, previous, value["form_type"])
    except rules.Refused as rule:
        refused = refused or rule.findings
    call.found.extend(refused)


def _ephemeral(value: Object) -> tuple[Finding, ...]:
    if value["ephemeral"] and not value["mutable"]:
        return (Finding("parameter can't be immutable and ephemeral"),)
    if value["ephemeral"] and not value["optional"]:
        return (Finding("ephemeral parameter requires the default property"),)
    return ()


_OPTION = Body(
    {
        "name": required(),
        "value": required(),
        "description": optional(),
        "icon": optional("string", checks.url),
    }
)
_VALIDATION = Body(
    {
        "min": optional(NUMBER),
        "min_disabled": computed(BOOL),
        "max": optional(NUMBER),
        "max_disabled": computed(BOOL),
        "monotonic": optional(),
        "regex": optional(conflicts=("min", "max", "monotonic")),
        "error": optional(),
    }
)
PARAMETER = DataSource(
    Body(
        {
            "id": computed(),
            "name": required(),
            "display_name": optional(),
            "description": optional(),
            "type": optional("string", checks.one_of(*rules.TYPES), default="string"),
            "form_type": Attribute(optional=True, checks=(checks.one_of(*rules.FORM_TYPES),)),
            "styling": optional(default="{}"),
            "mutable": optional(BOOL, default=False),
            "default": optional(),
            "icon": optional("string", checks.url),
            "order": optional(NUMBER),
            "ephemeral": optional(BOOL, default=False),
            "optional": computed(BOOL),
            "value": computed(),
        },
        {
            "option": Block(Nesting.LIST, _OPTION),
            "validation": Block(Nesting.LIST, _VALIDATION, at_most=1),
        },
    ),
    read=_read,
)
