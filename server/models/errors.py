"""Refusals of providers and models, in the words that clients know.

ApiError
+ Invalid
  + NoSuchModelConfig    400  also one that is disabled, or whose provider is
  + NoDefaultModel       400
  + BadProvider          400
  + BadBaseUrl           400
  + BadPolicy            400
  + KeyRequired          400
  + BadOptions           400  one FieldError for each option that makes no sense
  + StillReferenced      400
  + UserKeysNotAllowed   400
  + ProviderDisabled     400
+ Conflict
  + ProviderExists       409
"""

from collections.abc import Sequence

from server.kit.errors import Conflict, FieldError, Invalid


class NoSuchModelConfig(Invalid):
    """A model was asked for that does not exist, or may not be used."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("Invalid model config ID.", detail=detail)


class NoDefaultModel(Invalid):
    """Nobody said which model, and there is no default."""

    def __init__(self) -> None:
        super().__init__("No default chat model config is configured.")


class BadProvider(Invalid):
    """A provider that nobody here can call."""

    def __init__(self, detail: str) -> None:
        super().__init__("Invalid provider.", detail=detail)


class BadBaseUrl(Invalid):
    """An address that no request should go to."""

    def __init__(self, detail: str) -> None:
        wrong = FieldError("base_url", detail)
        super().__init__("Invalid provider base URL.", detail=detail, fields=[wrong])


class BadPolicy(Invalid):
    """A provider whose keys could come from nowhere."""

    def __init__(self, detail: str) -> None:
        super().__init__("Invalid credential policy.", detail=detail)


class KeyRequired(Invalid):
    """The deployment's key is to be used, and there is none."""

    def __init__(self) -> None:
        super().__init__("API key is required when central API key is enabled.")


class BadOptions(Invalid):
    """Options of a model that make no sense."""

    def __init__(self, fields: Sequence[FieldError]) -> None:
        super().__init__("Invalid model config.", fields=fields)


class StillReferenced(Invalid):
    """Chats were led with models of this provider, and their costs name them."""

    def __init__(self) -> None:
        super().__init__(
            "Provider models are still referenced by existing chats.",
            detail="Disable the provider instead: its models are offered no more.",
        )


class UserKeysNotAllowed(Invalid):
    """The provider takes the deployment's key only."""

    def __init__(self) -> None:
        super().__init__("Provider does not allow user API keys.")


class ProviderDisabled(Invalid):
    """The provider is switched off."""

    def __init__(self) -> None:
        super().__init__("Provider is disabled.")


class ProviderExists(Conflict):
    """There is one entry for each provider."""

    def __init__(self) -> None:
        super().__init__("Chat provider already exists.")
