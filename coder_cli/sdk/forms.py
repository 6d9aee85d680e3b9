"""Live forms: what a template version asks, evaluated for one owner and the answers so far."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from coder_cli.sdk.common import Request, Shape


class NullableValue(Shape):
    """A text; ``valid`` is false when there is none, or only a build can tell."""

    value: str = ""
    valid: bool = False


class DiagnosticExtra(Shape):
    code: str = ""


class FriendlyDiagnostic(Shape):
    severity: Literal["error", "warning"]
    summary: str
    detail: str = ""
    extra: DiagnosticExtra = Field(default_factory=DiagnosticExtra)


class PreviewParameterStyling(Shape):
    placeholder: str | None = None
    disabled: bool | None = None
    label: str | None = None
    mask_input: bool | None = None


class PreviewParameterOption(Shape):
    name: str
    description: str = ""
    value: NullableValue
    icon: str = ""


class PreviewParameterValidation(Shape):
    validation_error: str = ""
    validation_regex: str | None = None
    validation_min: int | None = None
    validation_max: int | None = None
    validation_monotonic: str | None = None


class PreviewParameter(Shape):
    """A parameter that exists for the answers so far."""

    name: str
    display_name: str = ""
    description: str = ""
    type: str = "string"
    form_type: str = "input"
    styling: PreviewParameterStyling = Field(default_factory=PreviewParameterStyling)
    mutable: bool = False
    default_value: NullableValue = Field(default_factory=NullableValue)
    value: NullableValue = Field(default_factory=NullableValue)
    icon: str = ""
    options: list[PreviewParameterOption] = []
    validations: list[PreviewParameterValidation] = []
    required: bool = False
    order: int = 0
    ephemeral: bool = False
    diagnostics: list[FriendlyDiagnostic] = []


class DynamicParametersRequest(Request):
    """The answers so far; the reply carries the same id."""

    id: int = Field(default=0, ge=-(2**53), le=2**53)
    inputs: dict[str, str] = {}
    owner_id: UUID | None = None


class DynamicParametersResponse(Shape):
    id: int
    diagnostics: list[FriendlyDiagnostic] = []
    parameters: list[PreviewParameter] = []
