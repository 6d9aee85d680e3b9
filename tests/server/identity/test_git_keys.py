"""SSH key pairs for git: real ones, which OpenSSH reads."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from server.identity import KeygenAlgorithm, git_ssh_key
from server.identity.actions.git_keys import generate
from server.kit.authz import as_system
from server.kit.errors import NotFound
from tests.support.people import People


@pytest.mark.parametrize(
    ("algorithm", "prefix"),
    [
        (KeygenAlgorithm.ED25519, "ssh-ed25519 "),
        (KeygenAlgorithm.ECDSA, "ecdsa-sha2-nistp256 "),
        (KeygenAlgorithm.RSA4096, "ssh-rsa "),
    ],
)
async def test_a_pair_belongs_together_in_openssh_form(
    algorithm: KeygenAlgorithm, prefix: str, tmp_path: Path
) -> None:
    private, public = await generate(algorithm)
    assert public.startswith(prefix)
    assert public.endswith("\n")
    assert private.startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    derived = load_ssh_private_key(private.encode(), None).public_key()
    assert derived == load_ssh_public_key(public.encode())
    path = tmp_path / "key"
    path.write_text(private)
    path.chmod(0o600)
    assert derive(path).split()[:2] == public.split()[:2]


def derive(path: Path) -> str:
    """Return the public half of a private key, as OpenSSH's own tool derives it."""
    done = subprocess.run(
        ["ssh-keygen", "-y", "-f", path], capture_output=True, text=True, check=True
    )
    return done.stdout


async def test_a_key_is_shown_and_made_anew(people: People) -> None:
    ada, bob = await people.add("ada", "owner"), await people.add("bob")
    before = (await bob.api.get("/users/me/gitsshkey")).json()
    after = (await bob.api.put("/users/me/gitsshkey")).json()
    assert before["user_id"] == after["user_id"] == str(bob.id)
    assert before["public_key"] != after["public_key"]
    assert set(after) == {"user_id", "created_at", "updated_at", "public_key"}
    assert (await bob.api.get("/users/me/gitsshkey")).json() == after
    assert (await ada.api.get("/users/bob/gitsshkey")).json() == after
    async with people.database.tx(as_system("test")) as tx:
        pair = await git_ssh_key(tx, bob.id)
    assert load_ssh_private_key(pair.private_key.encode(), None)
    assert pair.private_key not in repr(pair)


async def test_an_auditor_sees_the_user_but_not_their_personal_things(people: People) -> None:
    auditor = await people.add("auditor", "auditor")
    await people.add("bob")
    assert (await auditor.api.get("/users/bob")).status_code == 200
    for path in ("gitsshkey", "appearance", "preferences", "login-type"):
        assert (await auditor.api.get(f"/users/bob/{path}")).status_code == 403
    assert (await auditor.api.put("/users/bob/gitsshkey")).status_code == 403


async def test_a_deleted_user_has_no_key(people: People) -> None:
    ada, bob = await people.add("ada", "owner"), await people.add("bob")
    await ada.api.delete("/users/bob")
    async with people.database.tx(as_system("test")) as tx:
        with pytest.raises(NotFound):
            await git_ssh_key(tx, bob.id)
