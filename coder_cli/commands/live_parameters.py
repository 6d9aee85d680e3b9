"""Parameters that follow the answers: the server evaluates the form again after each of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coder_cli import ui
from coder_cli.commands.parameters import Situation, Wanted, refuse_unknown, value_for
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from coder_cli.sdk.common import NameValue
    from coder_cli.sdk.forms import (
        DynamicParametersResponse,
        FriendlyDiagnostic,
        PreviewParameter,
    )
    from coder_cli.sdk.templates import TemplateVersionParameter

Evaluate = Callable[[Mapping[str, str]], "DynamicParametersResponse"]
"""Return the form for the answers so far."""

MOST_ROUNDS = 2000
"""Of a form that never comes to an end, however it is answered."""


def resolve_live(evaluate: Evaluate, wants: Wanted, situation: Situation) -> "list[NameValue]":
    """Return the values to send with a build; people are asked in the order of the form.

    Raises:
        Refused: a name is unknown, a value does not fit, or required ones are missing.
    """
    from coder_cli.sdk.common import NameValue

    filling = _Filling(evaluate, wants, situation)
    filling.fill()
    return [NameValue(name=name, value=value) for name, value in filling.chosen().items()]


@dataclass(slots=True)
class _Filling:
    """A form that is being filled in."""

    evaluate: Evaluate
    wants: Wanted
    situation: Situation
    values: dict[str, str] = field(default_factory=dict[str, str])
    """What will be sent, as far as it exists in the end."""
    decided: set[str] = field(default_factory=set[str])
    form: "dict[str, PreviewParameter]" = field(default_factory=dict[str, "PreviewParameter"])

    def fill(self) -> None:
        """Decide one parameter after the other until none is left that exists."""
        given = {**self.wants.values, **self.wants.ephemeral}
        inputs = {**self.situation.previous, **given}
        self._look(inputs)
        if once := {n for n, one in self.form.items() if one.ephemeral} - given.keys():
            # What was said for one build does not count for the next.
            inputs = {name: value for name, value in inputs.items() if name not in once}
            if once & self.situation.previous.keys():
                self._look(inputs)
        for _ in range(MOST_ROUNDS):
            open_ = [one for name, one in self.form.items() if name not in self.decided]
            if not open_:
                break
            self._refuse_missing(open_)
            one = open_[0]
            self.decided.add(one.name)
            value = value_for(_plain(one), given.get(one.name), self.wants, self.situation)
            if value is None:
                continue
            self.values[one.name] = value
            if value != one.value.value or not one.value.valid:
                inputs[one.name] = value
                self._look(inputs)
                self._judge(one.name)
        refuse_unknown(given, self.form, self.wants)
        self._refuse_errors()

    def chosen(self) -> dict[str, str]:
        """Return the values of the parameters that exist for these answers."""
        return {name: value for name, value in self.values.items() if name in self.form}

    def _look(self, inputs: Mapping[str, str]) -> None:
        answer = self.evaluate(inputs)
        for note in answer.diagnostics:
            if note.severity == "error":
                raise Refused(f"The parameters cannot be evaluated. {_sentence(note)}")
            if self.situation.ask and not self.form:
                ui.warn(_sentence(note))
        self.form = {one.name: one for one in answer.parameters}

    def _judge(self, name: str) -> None:
        """Have somebody who is there answer again what the server does not take."""
        one = self.form.get(name)
        wrong = _error(one) if one else None
        given = {*self.wants.values, *self.wants.ephemeral}
        asked = self.situation.ask and name not in given
        if wrong and asked:
            ui.note(f"  {ui.styled(wrong, 'red')}")
            self.decided.discard(name)

    def _refuse_missing(self, open_: "list[PreviewParameter]") -> None:
        if self.situation.ask:
            return
        known = {**self.situation.previous, **self.wants.values, **self.wants.defaults}
        missing = [one.name for one in open_ if one.required and not known.get(one.name)]
        if len(missing) > 1:
            flags = " ".join(f"--parameter {name}=<value>" for name in missing)
            raise Refused(f"Parameters {', '.join(missing)} need values: pass {flags}.")

    def _refuse_errors(self) -> None:
        for one in self.form.values():
            if wrong := _error(one):
                raise Refused(
                    f"Parameter {one.name!r}: {wrong.rstrip('.')}."
                    f" Give it another value: --parameter {one.name}=<value>."
                )


def _error(one: "PreviewParameter") -> str | None:
    return next((_sentence(n) for n in one.diagnostics if n.severity == "error"), None)


def _sentence(note: "FriendlyDiagnostic") -> str:
    return f"{note.summary}: {note.detail}" if note.detail else note.summary


def _plain(one: "PreviewParameter") -> "TemplateVersionParameter":
    """Return a parameter in the shape that is asked for and checked."""
    from coder_cli.sdk.templates import (
        FormType,
        ParameterType,
        TemplateVersionParameter,
        TemplateVersionParameterOption,
    )

    # A newer server may know more of both.
    types, forms = {t.value for t in ParameterType}, {f.value for f in FormType}
    rules = one.validations[0] if one.validations else None
    return TemplateVersionParameter(
        name=one.name,
        display_name=one.display_name,
        description_plaintext=one.description,
        type=ParameterType(one.type) if one.type in types else ParameterType.STRING,
        form_type=FormType(one.form_type) if one.form_type in forms else FormType.DEFAULT,
        mutable=one.mutable,
        default_value=one.default_value.value,
        options=[
            TemplateVersionParameterOption(
                name=option.name, description=option.description, value=option.value.value
            )
            for option in one.options
        ],
        validation_error=rules.validation_error if rules else "",
        validation_regex=(rules.validation_regex or "") if rules else "",
        validation_min=rules.validation_min if rules else None,
        validation_max=rules.validation_max if rules else None,
        validation_monotonic=(rules.validation_monotonic or "") if rules else "",
        required=one.required,
        ephemeral=one.ephemeral,
    )
