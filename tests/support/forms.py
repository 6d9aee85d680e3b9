"""An evaluator of forms that follows a script, and remembers what it was asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from server.terraform import (
    Form,
    FormNote,
    FormParameter,
    FormQuestion,
    NoForm,
    Option,
    Parameter,
)

REQUIRED = FormNote(
    "error", "Required parameter not provided", "parameter value is null", "required"
)


def shown(
    name: str, inputs: Mapping[str, str], default: str | None = None, **more: object
) -> FormParameter:
    """Return a parameter as it is for some inputs."""
    fields: dict[str, object] = {"default_value": default or "", "required": default is None}
    parameter = Parameter(name, **{**fields, **more})  # pyright: ignore[reportArgumentType] - a script's fields
    value = inputs.get(name, default)
    notes = (REQUIRED,) if value is None else ()
    return FormParameter(
        parameter,
        value or "",
        known=value is not None,
        has_default=default is not None,
        notes=notes,
    )


def conditional(question: FormQuestion) -> Form:
    """A form whose immutable, required ``model`` exists only with a ``gpu``."""
    inputs = question.inputs
    gpu = shown("gpu", inputs, "false", mutable=True, type="bool")
    found = [gpu]
    if gpu.value == "true":
        options = (Option("Small", "s"), Option("Large", "l"))
        found.append(shown("model", inputs, options=options))
    return Form(tuple(found))


@dataclass
class ScriptedEvaluator:
    """Answers questions by a function; without one there is no form."""

    script: Callable[[FormQuestion], Form] | None = None
    questions: list[FormQuestion] = field(default_factory=list[FormQuestion])

    async def evaluate(
        self,
        question: FormQuestion,
        known: Mapping[str, Parameter] | None = None,
    ) -> Form:
        self.questions.append(question)
        if self.script is None:
            raise NoForm("the script has no form")
        return self.script(question)
