"""From an evaluated form to the values of a build, and a form where none can be evaluated. Pure.

Source: reference, agent and provisioner, section 6.3.
"""

from collections.abc import Collection, Mapping, Sequence

from server.kit.errors import FieldError
from server.templates.errors import BadParameters
from server.templates.model.values import Values, check_value
from server.terraform import Form, FormNote, FormParameter, Parameter

OWNER_NOT_FOUND = FormNote(
    "error",
    "Failed to fetch workspace owner",
    "There is no such user, or you may not create workspaces for them.",
    "owner_not_found",
)
_IMMUTABLE = "Immutable parameter changed"
_REQUIRED = FormNote(
    "error", "Required parameter not provided", "parameter value is null", "required"
)
_REFUSED = "Invalid parameter value"


def inputs(values: Values, ephemeral: Collection[str]) -> dict[str, str]:
    """Return what a form is asked with: last build < request < preset.

    What the last build had for ``ephemeral`` parameters is forgotten.
    """
    lasting = {name: value for name, value in values.previous.items() if name not in ephemeral}
    return {**lasting, **values.given, **values.preset}


def stale(form: Form, values: Values) -> set[str]:
    """Return the ephemeral parameters of a form that only the last build gave a value."""
    fresh = values.given.keys() | values.preset.keys()
    ephemeral = {one.parameter.name for one in form.parameters if one.parameter.ephemeral}
    return (ephemeral & values.previous.keys()) - fresh


def settle(form: Form, values: Values, before: Form) -> dict[str, str]:
    """Return the value of every parameter that exists for these answers, defaults included.

    ``before`` is the form of the last build's own values: what existed then. Values of parameters
    that do not exist are dropped; one that only a build can tell is left to it.

    Raises:
        BadParameters: with one FieldError for each parameter that is missing or refused.
    """
    existed = {one.parameter.name for one in before.parameters}
    wrong = [
        FieldError(one.parameter.name, _sentence(note))
        for one in form.parameters
        if (note := _complaint(one, values, existed)) is not None
    ]
    if wrong or form.errors:
        raise BadParameters(wrong, "\n".join(map(_sentence, form.errors)))
    return {one.parameter.name: one.value for one in form.parameters if one.known}


def _complaint(one: FormParameter, values: Values, existed: set[str]) -> FormNote | None:
    name, before = one.parameter.name, values.previous.get(one.parameter.name)
    fixed = not (values.first_build or one.parameter.mutable) and name in existed
    if fixed and one.known and before not in (None, one.value):
        return FormNote("error", _IMMUTABLE, _not_mutable(name))
    if any(note.code == "required" for note in one.errors):
        return FormNote("error", _REQUIRED.summary, f'Parameter "{name}" has no value.')
    return next(iter(one.errors), None)


def _not_mutable(name: str) -> str:
    return f'Parameter "{name}" is not mutable, so it can\'t be updated after creating a workspace.'


def _sentence(note: FormNote) -> str:
    return f"{note.summary}: {note.detail}" if note.detail else note.summary


def stored_form(
    parameters: Sequence[Parameter],
    given: Mapping[str, str],
    notes: Sequence[FormNote] = (),
) -> Form:
    """Return the form as the import saw it, whatever the answers."""
    return Form(
        parameters=tuple(_stored(parameter, given) for parameter in parameters),
        notes=tuple(notes),
    )


def _stored(parameter: Parameter, given: Mapping[str, str]) -> FormParameter:
    has_default = not parameter.required
    value = given.get(parameter.name, parameter.default_value if has_default else None)
    if value is None:
        return FormParameter(parameter, known=False, notes=(_REQUIRED,))
    complaint = check_value(parameter, value)
    notes = () if complaint is None else (FormNote("error", _REFUSED, complaint),)
    return FormParameter(parameter, value, has_default=has_default, notes=notes)


def not_live(reason: str) -> FormNote:
    """Return the warning that a form does not follow its answers."""
    return FormNote(
        "warning",
        "The form does not follow your answers",
        f"It shows the parameters as they were when the template was imported: {reason}.",
    )
