"""Live forms: a template cut down to its parameters, evaluated for the answers so far."""

from server.terraform.forms.evaluator import Evaluator, InstalledEvaluator
from server.terraform.forms.slicing import cut

__all__ = ["Evaluator", "InstalledEvaluator", "cut"]
