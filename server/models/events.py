"""What changed in the settings of chats, told at commit: whoever keeps some reads them again."""

from enum import StrEnum
from uuid import UUID

from typing_extensions import override

from server.kit.facts import Fact

CONFIG_TOPIC = "chat-config"


class ConfigKind(StrEnum):
    """What kind of setting changed."""

    PROVIDERS = "providers"
    MODEL_CONFIG = "model_config"


class ChatConfigEvent(Fact):
    """A provider or a model changed. Source: reference, chats, section 5.4."""

    kind: ConfigKind
    entity_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        """Return the topic of every replica that keeps settings of chats."""
        return (CONFIG_TOPIC,)
