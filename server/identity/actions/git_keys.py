"""SSH key pairs for git: everybody has one, made with the account."""

import asyncio
from typing import assert_never
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from server.identity import policy
from server.identity.actions import find
from server.identity.model.options import IdentityOptions, KeygenAlgorithm
from server.identity.model.people import GitKey
from server.identity.store import git_keys as store
from server.kit.authz import Action, Actor
from server.kit.db import Database, Tx
from server.kit.errors import NotFound

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


async def generate(algorithm: KeygenAlgorithm) -> tuple[str, str]:
    """Return a new private and public key in OpenSSH's formats. Slow for RSA: open no ``tx``."""
    return await asyncio.to_thread(_generate, algorithm)


async def git_ssh_key(tx: Tx, user_id: UUID) -> GitKey:
    """Return a user's key pair, for their agents and builds.

    Raises:
        NotFound: the user is gone.
    """
    found = await store.get(tx, user_id)
    if found is None:
        raise NotFound
    return found


async def own(tx: Tx, who: str) -> GitKey:
    """Return the key pair of the user called ``who``, as far as the actor may read it.

    Raises:
        NotFound: the user is hidden.
        Forbidden: the user's personal things are not the actor's to read.
    """
    user = await find.visible_user(tx, who)
    policy.may(tx.actor, Action.READ_PERSONAL, user)
    return await git_ssh_key(tx, user.id)


async def regenerate(db: Database, actor: Actor, who: str, options: IdentityOptions) -> GitKey:
    """Make a user a new key pair; the old one is gone.

    Raises:
        NotFound: the user is hidden.
        Forbidden: the user's personal things are not the actor's to change.
    """
    async with db.tx(actor) as tx:
        user = await find.visible_user(tx, who)
        policy.may(actor, Action.UPDATE_PERSONAL, user)
    pair = await generate(options.ssh_keygen_algorithm)
    async with db.tx(actor) as tx:
        await store.put(tx, user.id, *pair)
        return await git_ssh_key(tx, user.id)


def _generate(algorithm: KeygenAlgorithm) -> tuple[str, str]:
    key = _private(algorithm)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.decode(), public.decode() + "\n"


def _private(algorithm: KeygenAlgorithm) -> PrivateKey:
    match algorithm:
        case KeygenAlgorithm.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case KeygenAlgorithm.ECDSA:
            return ec.generate_private_key(ec.SECP256R1())
        case KeygenAlgorithm.RSA4096:
            return rsa.generate_private_key(public_exponent=65537, key_size=4096)
        case _:
            assert_never(algorithm)
