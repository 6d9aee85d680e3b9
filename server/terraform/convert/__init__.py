"""From terraform's JSON to our values: pure, and the same for a plan and for a state."""

from server.terraform.convert.graph import Graph
from server.terraform.convert.instances import (
    Instance,
    plan_instances,
    state_instances,
    stored_instances,
)
from server.terraform.convert.offers import Offers, offers
from server.terraform.convert.refused import Refused
from server.terraform.convert.resources import Made, resources

__all__ = [
    "Graph",
    "Instance",
    "Made",
    "Offers",
    "Refused",
    "offers",
    "plan_instances",
    "resources",
    "state_instances",
    "stored_instances",
]
