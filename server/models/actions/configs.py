"""Set up models: what is offered, how it is called, and which one is the default."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from coder_cli.sdk.chats.models import ChatProvider
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid, NotFound
from server.llm import Json
from server.models import policy
from server.models.actions import standin
from server.models.errors import BadProvider
from server.models.events import ChatConfigEvent, ConfigKind
from server.models.model.configs import ModelConfig, default_threshold
from server.models.model.providers import known
from server.models.store import configs, providers

MAX_CONTEXT = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """What is to be different; None stays. ``options`` are checked, and replace all of them."""

    provider: str | None = None
    model: str | None = None
    display_name: str | None = None
    enabled: bool | None = None
    is_default: bool | None = None
    context_limit: int | None = None
    compression_threshold: int | None = None
    options: Mapping[str, Json] | None = None


async def listed(tx: Tx) -> list[ModelConfig]:
    """Return the models: all for whoever sets them up, those on offer for everybody else."""
    offered_only = not policy.reads_all(tx.actor)
    found = await configs.listed(tx, offered_only=offered_only)
    if not found:
        await standin.offer(tx)
        found = await configs.listed(tx, offered_only=offered_only)
    return found


async def create(tx: Tx, change: ConfigChange) -> ModelConfig:
    """Offer a model. The first is the default; a real one takes that over from the stand-in.

    Raises:
        Invalid: a field is missing, or makes no sense.
        BadProvider: the provider was not set up.
    """
    policy.may_update(tx.actor)
    await providers.lock(tx)
    wanted = change.context_limit or 0
    blank = ModelConfig(
        id=uuid4(),
        provider="",
        model="",
        display_name="",
        enabled=True,
        is_default=False,
        context_limit=wanted,
        compression_threshold=default_threshold(wanted),
        options={},
        created_at=tx.now,
        updated_at=tx.now,
    )
    made = await _changed(tx, blank, change)
    await configs.insert(tx, made)
    if change.is_default or await _replaces_stand_in(tx, made):
        await configs.set_default(tx, made.id)
    await elect(tx)
    await _announce(tx, made.id)
    return await get(tx, made.id)


async def update(tx: Tx, config_id: UUID, change: ConfigChange) -> ModelConfig:
    """Change a model; what ``change`` leaves open stays.

    Raises:
        NotFound: there is none.
        Invalid: a field makes no sense.
    """
    policy.may_update(tx.actor)
    await providers.lock(tx)
    before = await get(tx, config_id)
    await configs.update(tx, await _changed(tx, before, change))
    if change.is_default:
        await configs.set_default(tx, config_id)
    demoted = config_id if change.is_default is False else None
    await elect(tx, but=demoted)
    await _announce(tx, config_id)
    return await get(tx, config_id)


async def delete(tx: Tx, config_id: UUID) -> None:
    """Offer a model no more. Chats that used it go on with the default.

    Raises:
        NotFound: there is none.
    """
    policy.may_update(tx.actor)
    await providers.lock(tx)
    await get(tx, config_id)
    await configs.delete(tx, config_id)
    await elect(tx)
    await _announce(tx, config_id)


async def elect(tx: Tx, but: UUID | None = None) -> None:
    """See to it that exactly one model is the default, if there are any; rather not ``but``."""
    best = await configs.candidate(tx, but)
    if best is not None and not best.is_default:
        await configs.set_default(tx, best.id)


async def get(tx: Tx, config_id: UUID) -> ModelConfig:
    """Return a model, whoever asks.

    Raises:
        NotFound: there is none.
    """
    found = await configs.get(tx, config_id)
    if found is None:
        raise NotFound
    return found


async def _changed(tx: Tx, before: ModelConfig, change: ConfigChange) -> ModelConfig:
    after = replace(
        before,
        provider=before.provider if change.provider is None else known(change.provider),
        model=before.model if change.model is None else change.model.strip(),
        display_name=before.display_name
        if change.display_name is None
        else change.display_name.strip(),
        enabled=before.enabled if change.enabled is None else change.enabled,
        context_limit=before.context_limit
        if change.context_limit is None
        else change.context_limit,
        compression_threshold=before.compression_threshold
        if change.compression_threshold is None
        else change.compression_threshold,
        options=before.options if change.options is None else change.options,
    )
    _check(after)
    if after.provider != before.provider and await providers.named(tx, after.provider) is None:
        raise BadProvider(f"Set up the provider {after.provider} first.")
    return after


def _check(config: ModelConfig) -> None:
    wrong: list[FieldError] = []
    if not config.provider:
        wrong.append(FieldError("provider", "It must be given."))
    if not config.model or len(config.model) > 512:
        wrong.append(FieldError("model", "It must be given, in at most 512 characters."))
    if not 0 < config.context_limit <= MAX_CONTEXT:
        wrong.append(FieldError("context_limit", "It must be greater than 0."))
    if not 0 <= config.compression_threshold <= 100:
        wrong.append(FieldError("compression_threshold", "It must be between 0 and 100."))
    if wrong:
        raise Invalid("Invalid model config.", fields=wrong)


async def _replaces_stand_in(tx: Tx, made: ModelConfig) -> bool:
    if made.provider == ChatProvider.SCRIPTED:
        return False
    now = await configs.chosen(tx, None, None)
    return now is not None and now.provider == ChatProvider.SCRIPTED


async def _announce(tx: Tx, config_id: UUID) -> None:
    await tx.announce(ChatConfigEvent(kind=ConfigKind.MODEL_CONFIG, entity_id=config_id))
