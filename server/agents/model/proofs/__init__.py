"""What clouds sign about their machines, verified: signature, chain, audience and time. Pure.

Nothing that a proof names is fetched: certificates and keys are the deployment's own (``Anchors``).
Source: reference, agent and provisioner, sections 1.1 and 1.2.
"""

from server.agents.model.proofs.anchors import Anchors, public_keys
from server.agents.model.proofs.aws import aws_instance
from server.agents.model.proofs.azure import azure_instance
from server.agents.model.proofs.google import google_instance

__all__ = ["Anchors", "aws_instance", "azure_instance", "google_instance", "public_keys"]
