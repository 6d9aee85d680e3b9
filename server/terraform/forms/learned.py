"""What one evaluation of a form taught, and what of it holds for other answers, too.

Where no expression of a slice looks at a parameter, answers change nothing but values. Those are
judged by the provider's own rules, here: terraform need not be asked again.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from server.terraform.environment import question_values
from server.terraform.forms import recorded
from server.terraform.model import Form, FormNote, FormQuestion, Parameter
from server.terraform.provider import Evaluation, Recorder
from server.terraform.provider.catalog import DATA_SOURCES
from server.terraform.provider.schema import Call

T = TypeVar("T")
_PARAMETER = "coder_parameter"


@dataclass(frozen=True, slots=True)
class Learned:
    """The outcome of a plan of a slice."""

    evaluations: Sequence[Evaluation]
    unknown: Sequence[Parameter]
    notes: Sequence[FormNote]

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing went wrong that another answer might cure."""
        failed = any(note.severity == "error" for note in self.notes)
        return not failed and all(e.value.get("form_type") != "error" for e in self.evaluations)

    def form(self, question: FormQuestion) -> Form:
        """Return the form for the question that this was learned from."""
        return recorded.form(self.evaluations, self.unknown, self.notes, question.inputs)

    def again(self, question: FormQuestion) -> Form:
        """Return the form for other answers to the same question; only values differ."""
        recorder, env = Recorder(), question_values(question)
        for evaluation in self.evaluations:
            if evaluation.kind == _PARAMETER:
                call = Call(env, question.access_url)
                config = deepcopy(evaluation.value)
                recorder.read(_PARAMETER, DATA_SOURCES[_PARAMETER], config, call)
            else:
                recorder.evaluations.append(evaluation)
        return recorded.form(recorder.evaluations, self.unknown, self.notes, question.inputs)


@dataclass(slots=True)
class Cache(Generic[T]):
    """Values by their key, the ones used last, within bounds."""

    most: int
    most_bytes: int
    _kept: dict[str, tuple[T, int]] = field(default_factory=dict[str, tuple[T, int]])
    _bytes: int = 0

    def get(self, key: str) -> T | None:
        """Return what is kept for a key."""
        kept = self._kept.pop(key, None)
        if kept is None:
            return None
        self._kept[key] = kept
        return kept[0]

    def put(self, key: str, value: T) -> None:
        """Keep a value; what was not used for longest makes room."""
        size = len(repr(value))
        self._bytes += size - self._kept.pop(key, (value, 0))[1]
        self._kept[key] = (value, size)
        while len(self._kept) > self.most or self._bytes > self.most_bytes:
            self._bytes -= self._kept.pop(next(iter(self._kept)))[1]
