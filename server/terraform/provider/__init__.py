"""The ``coder/coder`` provider: what templates say in HCL, answered over gRPC."""

from server.terraform.provider.host import ProviderHost, Reattach
from server.terraform.provider.recorder import Evaluation, Recorder
from server.terraform.provider.schema import Finding
from server.terraform.provider.service import Session

__all__ = ["Evaluation", "Finding", "ProviderHost", "Reattach", "Recorder", "Session"]
