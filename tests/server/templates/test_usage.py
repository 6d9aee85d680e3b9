"""How much a template is used, ready workspaces made anew, and rules that reach workspaces."""

from datetime import datetime, timedelta
from typing import Any

from server.kit.authz import as_system
from server.terraform import Imported, Prebuilds, Preset
from tests.server.templates.conftest import Workshop
from tests.server.templates.test_templates import add_workspace
from tests.support.people import Person

USED = """
    INSERT INTO template_usage (template_id, user_id, hour)
    VALUES (%(template)s, %(user)s, %(hour)s) ON CONFLICT DO NOTHING
"""
DORMANT = "UPDATE workspaces SET dormant_at = %(at)s, last_used_at = %(at)s"
TIMES = "SELECT dormant_at, deleting_at, last_used_at FROM workspaces"


async def used(shop: Workshop, template: str, who: Person, hour: datetime) -> None:
    async with shop.people.database.tx(as_system("test")) as tx:
        await tx.run(USED, {"template": template, "user": who.id, "hour": hour})


async def times(shop: Workshop) -> dict[str, Any]:
    async with shop.people.database.tx(as_system("test")) as tx:
        return (await tx.rows(TIMES))[0]


async def test_people_are_counted_by_the_day_of_whoever_asks(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    path = f"/templates/{made['id']}/daus"
    assert (await admin.api.get(path)).json() == {"entries": [], "tz_hour_offset": 0}
    today = shop.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for who, hour in (
        (admin, today - timedelta(days=2, hours=-1)),
        (admin, today - timedelta(days=2, hours=-5)),
        (member, today - timedelta(days=2, hours=-1)),
        (member, today),
        (member, today - timedelta(days=31)),
    ):
        await used(shop, made["id"], who, hour)
    counted = (await admin.api.get(path)).json()["entries"]
    assert [entry["amount"] for entry in counted] == [2, 0, 1]
    assert counted[-1]["date"] == today.date().isoformat()
    west = (await admin.api.get(path, params={"tz_offset": -3})).json()
    assert west["tz_hour_offset"] == -3
    assert [entry["amount"] for entry in west["entries"]][:3] == [2, 1, 1]
    assert (await admin.api.get(path, params={"tz_offset": 99})).status_code == 400
    assert (await member.api.get(path)).status_code == 403


async def test_presets_with_ready_workspaces_are_invalidated(
    shop: Workshop, admin: Person, member: Person
) -> None:
    presets = (
        Preset("big", {"size": "9"}, prebuilds=Prebuilds(2)),
        Preset("small", {"size": "1"}),
    )
    made = await shop.template(admin, imported=Imported(presets=presets))
    path = f"/templates/{made['id']}/prebuilds/invalidate"
    version = await shop.version(admin, made["active_version_id"])
    assert (await admin.api.post(path)).json() == {
        "invalidated": [
            {
                "template_name": "docker",
                "template_version_name": version["name"],
                "preset_name": "big",
            }
        ]
    }
    assert (await member.api.post(path)).status_code == 403


async def test_a_new_time_until_deletion_reaches_dormant_workspaces(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    await add_workspace(shop, made["id"], member)
    since = shop.clock.now() - timedelta(days=3)
    async with shop.people.database.tx(as_system("test")) as tx:
        await tx.run(DORMANT, {"at": since})
    path = f"/templates/{made['id']}"
    day = 86_400_000
    await admin.api.patch(path, json={"time_til_dormant_autodelete_ms": day})
    assert (await times(shop))["deleting_at"] == since + timedelta(days=1)
    anew = await admin.api.patch(path, json={"update_workspace_dormant_at": True})
    assert anew.status_code == 200
    after = await times(shop)
    assert after["dormant_at"] > since + timedelta(days=2)
    assert after["deleting_at"] == after["dormant_at"] + timedelta(days=1)
    assert after["last_used_at"] == since
    await admin.api.patch(
        path, json={"time_til_dormant_autodelete_ms": 0, "update_workspace_last_used_at": True}
    )
    after = await times(shop)
    assert after["deleting_at"] is None
    assert after["last_used_at"] > since
