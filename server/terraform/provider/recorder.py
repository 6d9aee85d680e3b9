"""What a template asks, learned from the provider itself: the evaluated data sources, in order."""

from dataclasses import dataclass, field

from server.terraform.provider.schema import Call, DataSource, Finding
from server.terraform.provider.values import Object, has_unknown, without_unknown


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One data source as terraform evaluated it."""

    kind: str
    """Its type, such as ``coder_parameter``."""
    value: Object
    """Every attribute and block by name, defaults and results filled in."""
    findings: tuple[Finding, ...]
    """What is wrong with it; a session that records refuses nothing."""


@dataclass(slots=True)
class Recorder:
    """Give it to ``ProviderHost.serve``: nothing fails, and afterwards it tells what was read.

    A parameter whose value breaks a rule is answered with that value, so that whatever depends on
    it is evaluated too; the rule it broke is in ``findings``. A ``form_type`` that does not fit
    becomes ``error``.
    """

    evaluations: list[Evaluation] = field(default_factory=list[Evaluation])
    """In the order in which terraform asked."""
    validated: list[tuple[str, Object]] = field(default_factory=list[tuple[str, Object]])
    """Type and configuration of each data source that was not wholly known when it was validated;
    what is not known is null. Terraform may have read it later, or never (``count = 0``, or a value
    that only an apply tells)."""

    heard: int = 0
    """Bytes of all requests so far."""

    def saw(self, kind: str, config: Object) -> None:
        """Note a configuration that terraform wants to have validated."""
        if has_unknown(config):
            self.validated.append((kind, without_unknown(config)))

    def read(self, kind: str, source: DataSource, config: Object, call: Call) -> Object:
        """Evaluate a data source; return its value, whatever is wrong with it."""
        found = list(source.body.findings(config))
        value = source.body.planned(config, create=False)
        source.read(value, call)
        found += [finding for finding in call.found if finding not in found]
        self.evaluations.append(Evaluation(kind, value, tuple(found)))
        return value
