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
    if value["ephemeral"] and not value["mutable"]:
        call.error("parameter can't be immutable and ephemeral")
        return
    if value["ephemeral"] and not value["optional"]:
        call.error("ephemeral parameter requires the default property")
        return
    name = digest(value["name"])
    given = call.env.get(f"CODER_PARAMETER_{name}")
    previous = call.env.get(f"CODER_PARAMETER_PREVIOUS_{name}")
    try:
        form = rules.form_type(
            value["type"], value["form_type"] or "", options=bool(value["option"])
        )
        value["form_type"] = form
        value["value"] = rules.resolve(value, given, previous, form)
    except rules.Refused as refused:
        call.found.append(refused.finding)


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
