"""Work in a user's name has the rights of a session of theirs; locked out, it has none."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from server.identity import actor_of
from server.kit.authz import Actor, as_system
from server.kit.errors import Forbidden
from tests.support.people import People


async def acting(people: People, user_id: UUID, *, enter: bool = False) -> Actor:
    async with people.database.tx(as_system("test")) as tx:
        return await actor_of(tx, user_id, owners_enter_workspaces=enter)


async def test_it_may_what_a_session_of_the_user_may(people: People) -> None:
    ada = await people.add("ada", "owner")
    olga = await people.add("olga", "template-admin", inside=["organization-admin"])
    for person in (ada, olga):
        session = await people.actor(person)
        assert await acting(people, person.id, enter=True) == replace(session, key_id="")
    assert (await acting(people, ada.id)).roles == {"owner-without-workspace-access"}


async def test_a_suspended_or_deleted_user_does_nothing(people: People) -> None:
    await people.add("ada", "owner")
    bob = await people.add("bob")
    async with people.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE users SET status = 'suspended' WHERE id = %(id)s", {"id": bob.id})
    with pytest.raises(Forbidden, match="'bob' is suspended"):
        await acting(people, bob.id)
    async with people.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE users SET deleted = true WHERE id = %(id)s", {"id": bob.id})
    for nobody in (bob.id, uuid4()):
        with pytest.raises(Forbidden, match="no longer exists"):
            await acting(people, nobody)
