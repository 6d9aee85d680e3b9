"""Settings of chats, of the deployment and of one user. Texts here; ``model.config`` knows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from server.chats.model.config import CUSTOM_PROMPT, THRESHOLD, Setting, TurnConfig, turn_config
from server.kit.db import Tx

SITE: LiteralString = "SELECT key, value FROM site_configs WHERE key = ANY(%(keys)s)"

# Prefixes are compared without LIKE, to which "_" would be any character.
USER: LiteralString = """
    SELECT key, value FROM user_configs
     WHERE user_id = %(user)s AND starts_with(key, %(prefix)s)
"""

OF_A_TURN: LiteralString = """
    SELECT key, value, true AS site FROM site_configs WHERE key = ANY(%(keys)s)
    UNION ALL
    SELECT key, value, false FROM user_configs
     WHERE user_id = %(user)s AND (key = %(prompt)s OR starts_with(key, %(threshold)s))
"""

SET_SITE: LiteralString = """
    INSERT INTO site_configs (key, value) VALUES (%(key)s, %(value)s)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""

SET_USER: LiteralString = """
    INSERT INTO user_configs (user_id, key, value) VALUES (%(user)s, %(key)s, %(value)s)
    ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value
"""

FORGET_USER: LiteralString = """
    DELETE FROM user_configs WHERE user_id = %(user)s AND key = %(key)s
"""

USABLE_TEMPLATES: LiteralString = """
    SELECT id FROM templates WHERE id = ANY(%(ids)s) AND NOT deleted AND deprecated = ''
"""

MODEL_ENABLED: LiteralString = """
    SELECT enabled FROM chat_model_configs WHERE id = %(id)s AND NOT deleted
"""


@dataclass(frozen=True, slots=True)
class _Pair:
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class _Line(_Pair):
    site: bool


async def of_a_turn(tx: Tx, owner_id: UUID) -> TurnConfig:
    """Return every setting that a turn of this owner needs, in one statement."""
    args = {
        "keys": [str(key) for key in Setting],
        "user": owner_id,
        "prompt": CUSTOM_PROMPT,
        "threshold": THRESHOLD,
    }
    lines = await tx.all(_Line, OF_A_TURN, args)
    return turn_config(
        {line.key: line.value for line in lines if line.site},
        {line.key: line.value for line in lines if not line.site},
    )


async def site(tx: Tx, keys: Sequence[Setting]) -> dict[str, str]:
    """Return the deployment's texts under these keys; what is not set is not there."""
    pairs = await tx.all(_Pair, SITE, {"keys": [str(key) for key in keys]})
    return {pair.key: pair.value for pair in pairs}


async def set_site(tx: Tx, values: Mapping[Setting, str]) -> None:
    """Set the deployment's texts."""
    await tx.many(SET_SITE, [{"key": str(key), "value": value} for key, value in values.items()])


async def user(tx: Tx, user_id: UUID, prefix: str) -> dict[str, str]:
    """Return a user's texts whose keys begin so."""
    pairs = await tx.all(_Pair, USER, {"user": user_id, "prefix": prefix})
    return {pair.key: pair.value for pair in pairs}


async def set_user(tx: Tx, user_id: UUID, key: str, value: str) -> None:
    """Set a user's text."""
    await tx.run(SET_USER, {"user": user_id, "key": key, "value": value})


async def forget_user(tx: Tx, user_id: UUID, key: str) -> bool:
    """Delete a user's text; False when there was none."""
    return bool(await tx.run(FORGET_USER, {"user": user_id, "key": key}))


async def usable_templates(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the templates that workspaces can still be made from."""
    return set(await tx.values(USABLE_TEMPLATES, {"ids": list(ids)}))


async def model_enabled(tx: Tx, model_id: UUID) -> bool | None:
    """Tell whether a model is switched on; None when there is no such model."""
    return await tx.value(MODEL_ENABLED, {"id": model_id})
