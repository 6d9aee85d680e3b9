"""Models: which providers and models a deployment offers, and with whose keys. See README.md."""

from server.models.actions.catalogue import unpriced
from server.models.actions.resealing import forget_keys, reseal_keys
from server.models.actions.resolving import choose, effort_of, prices_of, resolve
from server.models.errors import NoDefaultModel, NoSuchModelConfig
from server.models.events import CONFIG_TOPIC, ChatConfigEvent, ConfigKind
from server.models.model.configs import ModelConfig, Resolved, default_threshold
from server.models.routes import routes
from server.models.store.providers import enabled as enabled_providers

__all__ = [
    "CONFIG_TOPIC",
    "ChatConfigEvent",
    "ConfigKind",
    "ModelConfig",
    "NoDefaultModel",
    "NoSuchModelConfig",
    "Resolved",
    "choose",
    "default_threshold",
    "effort_of",
    "enabled_providers",
    "forget_keys",
    "prices_of",
    "reseal_keys",
    "resolve",
    "routes",
    "unpriced",
]
