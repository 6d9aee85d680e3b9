"""Models in SQL: what is offered, which one is the default, and what a turn needs of one."""

from dataclasses import dataclass, field
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx, jsonb
from server.models.model.configs import ModelConfig

COLUMNS: LiteralString = """
    c.id, c.provider, c.model, c.display_name, c.enabled, c.is_default, c.context_limit,
    c.compression_threshold, c.options, c.created_at, c.updated_at, c.deleted
"""
_OFFERED: LiteralString = """
    c.enabled AND NOT c.deleted
    AND EXISTS (SELECT FROM chat_providers p WHERE p.provider = c.provider AND p.enabled)
"""

LIST: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_model_configs c
     WHERE NOT c.deleted AND (%(all)s OR ({_OFFERED}))
     ORDER BY c.is_default DESC, c.provider, c.model, c.created_at, c.id
"""
BY_ID: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_model_configs c WHERE c.id = %(id)s AND NOT c.deleted
"""
INSERT: LiteralString = """
    INSERT INTO chat_model_configs (id, provider, model, display_name, enabled, is_default,
                                    context_limit, compression_threshold, options,
                                    created_at, updated_at)
    VALUES (%(id)s, %(provider)s, %(model)s, %(display_name)s, %(enabled)s, false,
            %(context_limit)s, %(compression_threshold)s, %(options)s, %(now)s, %(now)s)
"""
UPDATE: LiteralString = """
    UPDATE chat_model_configs
       SET provider = %(provider)s, model = %(model)s, display_name = %(display_name)s,
           enabled = %(enabled)s, context_limit = %(context_limit)s,
           compression_threshold = %(compression_threshold)s, options = %(options)s,
           updated_at = %(now)s
     WHERE id = %(id)s
"""
DELETE: LiteralString = """
    UPDATE chat_model_configs SET deleted = true, is_default = false, updated_at = %(now)s
     WHERE id = %(id)s
"""

DEMOTE: LiteralString = "UPDATE chat_model_configs SET is_default = false WHERE is_default"
PROMOTE: LiteralString = "UPDATE chat_model_configs SET is_default = true WHERE id = %(id)s"
# Who is to be the default: one that is offered before one that is not, a model before the
# stand-in, the present default before others, the oldest.
CANDIDATE: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_model_configs c
     WHERE NOT c.deleted
     ORDER BY ({_OFFERED}) DESC,
              c.is_default AND c.id IS DISTINCT FROM %(but)s::uuid DESC,
              c.id IS DISTINCT FROM %(but)s::uuid DESC, c.provider <> 'scripted' DESC,
              c.created_at, c.id
     LIMIT 1
"""

# Asked for by id: that one, offered or not, so that the refusal can say what is wrong. Otherwise
# the last one while it is offered, or the default.
CHOSEN: LiteralString = f"""
    SELECT {COLUMNS}, ({_OFFERED}) AS offered
      FROM chat_model_configs c
     WHERE NOT c.deleted
       AND CASE WHEN %(id)s::uuid IS NOT NULL THEN c.id = %(id)s::uuid
                ELSE (c.id = %(last)s::uuid AND {_OFFERED}) OR c.is_default END
     ORDER BY (c.id = %(last)s::uuid) DESC NULLS LAST
     LIMIT 1
"""
ACCESS: LiteralString = """
    SELECT p.id AS provider_id, p.enabled, p.api_key, p.central_api_key_enabled AS central,
           p.allow_user_api_key AS users, p.allow_central_api_key_fallback AS fallback, p.base_url,
           k.api_key AS user_key
      FROM chat_providers p
      LEFT JOIN user_chat_provider_keys k
             ON k.provider = p.provider AND k.user_id = %(user_id)s
     WHERE p.provider = %(provider)s
"""


@dataclass(frozen=True, slots=True)
class Chosen(ModelConfig):
    """A model, and whether it may be used at all."""

    offered: bool = True


@dataclass(frozen=True, slots=True)
class Access:
    """How one person may call a provider; keys are sealed."""

    provider_id: UUID
    enabled: bool
    api_key: bytes | None = field(repr=False)
    central: bool
    users: bool
    fallback: bool
    base_url: str
    user_key: bytes | None = field(repr=False)


async def listed(tx: Tx, *, offered_only: bool) -> list[ModelConfig]:
    """Return the models, the default first."""
    return await tx.all(ModelConfig, LIST, {"all": not offered_only})


async def get(tx: Tx, config_id: UUID) -> ModelConfig | None:
    """Return a model, unless it was deleted."""
    return await tx.one(ModelConfig, BY_ID, {"id": config_id})


async def insert(tx: Tx, config: ModelConfig) -> None:
    """Store a new model; which one is the default is another question."""
    await tx.run(INSERT, {**_args(config), "now": tx.now})


async def update(tx: Tx, config: ModelConfig) -> None:
    """Store a model as it is now."""
    await tx.run(UPDATE, {**_args(config), "now": tx.now})


async def delete(tx: Tx, config_id: UUID) -> None:
    """Offer a model no more; chats and costs go on naming it."""
    await tx.run(DELETE, {"id": config_id, "now": tx.now})


async def set_default(tx: Tx, config_id: UUID) -> None:
    """Make this model the default, and no other."""
    await tx.run(DEMOTE)
    await tx.run(PROMOTE, {"id": config_id})


async def candidate(tx: Tx, but: UUID | None = None) -> ModelConfig | None:
    """Return who should be the default, rather not ``but``; None where there is no model."""
    return await tx.one(ModelConfig, CANDIDATE, {"but": but})


async def chosen(tx: Tx, config_id: UUID | None, last: UUID | None) -> Chosen | None:
    """Return the model that is asked for, or else the last one, or else the default."""
    return await tx.one(Chosen, CHOSEN, {"id": config_id, "last": last})


async def access(tx: Tx, provider: str, user_id: UUID) -> Access | None:
    """Return how a user may call a provider."""
    return await tx.one(Access, ACCESS, {"provider": provider, "user_id": user_id})


def _args(config: ModelConfig) -> dict[str, object]:
    return {
        "id": config.id,
        "provider": config.provider,
        "model": config.model,
        "display_name": config.display_name,
        "enabled": config.enabled,
        "context_limit": config.context_limit,
        "compression_threshold": config.compression_threshold,
        "options": jsonb(config.options),
    }
