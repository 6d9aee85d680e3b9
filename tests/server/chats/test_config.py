"""Settings of chats: who may, what is refused, and the one read of a turn."""

from typing import Any
from uuid import uuid4

import pytest
from psycopg import AsyncCursor

from server.chats.actions.config import turn_config
from server.chats.model.config import TurnConfig
from tests.server.chats.bureau import Bureau
from tests.server.chats.rows import SYSTEM
from tests.server.chats.test_list import Counting

ADMIN: dict[str, dict[str, Any]] = {
    "system-prompt": {"system_prompt": "Be kind."},
    "plan-mode-instructions": {"plan_mode_instructions": "Plan well."},
    "template-allowlist": {"template_ids": []},
    "workspace-ttl": {"workspace_ttl_ms": 60_000},
    "retention-days": {"retention_days": 7},
    "auto-archive-days": {"auto_archive_days": 7},
    "debug-retention-days": {"debug_retention_days": 7},
}


@pytest.mark.parametrize("name", ADMIN)
async def test_settings_of_the_deployment_are_for_admins(bureau: Bureau, name: str) -> None:
    at, body = f"/chats/config/{name}", ADMIN[name]
    assert (await bureau.ann.api.get(at)).status_code == 404
    assert (await bureau.ann.api.put(at, json=body)).status_code == 404
    assert (await bureau.root.api.put(at, json=body)).status_code == 204
    got = await bureau.root.api.get(at)
    assert got.status_code == 200
    assert got.json() | body == got.json()


async def test_anybody_sees_whether_there_are_desktops(bureau: Bureau) -> None:
    at, body = "/chats/config/desktop-enabled", {"enable_desktop": True}
    assert (await bureau.ann.api.get(at)).json() == {"enable_desktop": False}
    assert (await bureau.ann.api.put(at, json=body)).status_code == 403
    assert (await bureau.root.api.put(at, json=body)).status_code == 204
    assert (await bureau.ann.api.get(at)).json() == body


async def test_the_default_prompt_is_told_and_its_flag_stays_when_it_is_left_out(
    bureau: Bureau,
) -> None:
    at, api = "/chats/config/system-prompt", bureau.root.api
    first = (await api.get(at)).json()
    assert first["system_prompt"] == ""
    assert first["include_default_system_prompt"] is True
    assert first["default_system_prompt"]
    await api.put(at, json={"system_prompt": "a", "include_default_system_prompt": False})
    await api.put(at, json={"system_prompt": "b"})
    got = (await api.get(at)).json()
    assert (got["system_prompt"], got["include_default_system_prompt"]) == ("b", False)


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        (
            "system-prompt",
            {"system_prompt": "ü" * 65_537},
            "System prompt exceeds maximum length.",
        ),
        (
            "plan-mode-instructions",
            {"plan_mode_instructions": "x" * 131_073},
            "Plan mode instructions exceed maximum length.",
        ),
        (
            "user-prompt",
            {"custom_prompt": "x" * 131_073},
            "Custom prompt exceeds maximum length.",
        ),
        (
            "template-allowlist",
            {"template_ids": [str(uuid4())]},
            "One or more templates not found or deprecated.",
        ),
        (
            "template-allowlist",
            {"template_ids": ["starter"]},
            "One or more templates not found or deprecated.",
        ),
        (
            "workspace-ttl",
            {"workspace_ttl_ms": 59_999},
            "Workspace TTL must be 0, or between 1 minute and 30 days.",
        ),
        (
            "workspace-ttl",
            {"workspace_ttl_ms": 30 * 86_400_000 + 1},
            "Workspace TTL must be 0, or between 1 minute and 30 days.",
        ),
        ("retention-days", {"retention_days": -1}, "Retention days must be between 0 and 3650."),
        (
            "auto-archive-days",
            {"auto_archive_days": 3651},
            "Auto-archive days must be between 0 and 3650.",
        ),
        (
            "debug-retention-days",
            {"debug_retention_days": 3651},
            "Debug retention days must be between 0 and 3650.",
        ),
    ],
)
async def test_what_is_refused(
    bureau: Bureau, name: str, body: dict[str, Any], message: str
) -> None:
    answer = await bureau.root.api.put(f"/chats/config/{name}", json=body)
    assert (answer.status_code, answer.json()["message"]) == (400, message)


async def test_allowed_templates_are_told_once_each(bureau: Bureau) -> None:
    made = [uuid4(), uuid4()]
    for template in made:
        await bureau.run(
            """
            INSERT INTO templates (id, organization_id, name, active_version_id, created_by,
                                   created_at, updated_at)
            VALUES (%(t)s, %(o)s, %(t)s::text, %(t)s, %(by)s, now(), now())
            """,
            t=template,
            o=bureau.organization,
            by=bureau.root.id,
        )
    at, api = "/chats/config/template-allowlist", bureau.root.api
    wanted = [str(made[1]), str(made[0]), str(made[1])]
    assert (await api.put(at, json={"template_ids": wanted})).status_code == 204
    assert (await api.get(at)).json() == {"template_ids": wanted[:2]}
    await bureau.run("UPDATE templates SET deprecated = 'use another' WHERE id = %(t)s", t=made[0])
    assert (await api.put(at, json={"template_ids": wanted})).status_code == 400
    assert (await api.put(at, json={"template_ids": []})).status_code == 204
    assert (await api.get(at)).json() == {"template_ids": []}


async def test_ones_own_prompt(bureau: Bureau) -> None:
    at = "/chats/config/user-prompt"
    assert (await bureau.ann.api.get(at)).json() == {"custom_prompt": ""}
    answer = await bureau.ann.api.put(at, json={"custom_prompt": " Short answers.\n"})
    assert answer.json() == {"custom_prompt": "Short answers."}
    assert (await bureau.ann.api.get(at)).json() == {"custom_prompt": "Short answers."}
    assert (await bureau.root.api.get(at)).json() == {"custom_prompt": ""}


async def test_ones_own_compaction_thresholds(bureau: Bureau) -> None:
    at, api = "/chats/config/user-compaction-thresholds", bureau.ann.api
    one = f"{at}/{bureau.model}"
    line = {"model_config_id": str(bureau.model), "threshold_percent": 40}
    assert (await api.get(at)).json() == {"thresholds": []}
    assert (await api.put(one, json={"threshold_percent": 40})).json() == line
    assert (await api.get(at)).json() == {"thresholds": [line]}
    for percent in (-1, 101):
        answer = await api.put(one, json={"threshold_percent": percent})
        assert answer.status_code == 400
        assert answer.json()["message"] == "threshold_percent is out of range."
    missing = await api.put(f"{at}/{uuid4()}", json={"threshold_percent": 1})
    assert missing.status_code == 404
    await bureau.run("UPDATE chat_model_configs SET enabled = false")
    answer = await api.put(one, json={"threshold_percent": 1})
    assert (answer.status_code, answer.json()["message"]) == (400, "Model config is disabled.")
    for _ in range(2):
        assert (await api.delete(one)).status_code == 204
    assert (await api.get(at)).json() == {"thresholds": []}


async def test_a_turn_reads_all_its_settings_at_once(bureau: Bureau) -> None:
    async with bureau.database.tx(SYSTEM) as tx:
        assert await turn_config(tx, bureau.ann.id) == TurnConfig()
    api, mine = bureau.root.api, bureau.ann.api
    await api.put("/chats/config/system-prompt", json={"system_prompt": "s"})
    await api.put("/chats/config/plan-mode-instructions", json={"plan_mode_instructions": "p"})
    await api.put("/chats/config/workspace-ttl", json={"workspace_ttl_ms": 120_000})
    await api.put("/chats/config/user-prompt", json={"custom_prompt": "not Ann's"})
    await mine.put("/chats/config/user-prompt", json={"custom_prompt": "u"})
    threshold = f"/chats/config/user-compaction-thresholds/{bureau.model}"
    await mine.put(threshold, json={"threshold_percent": 55})
    async with bureau.database.tx(SYSTEM) as tx:
        Counting.sent = 0
        tx.conn.cursor_factory = Counting
        found = await turn_config(tx, bureau.ann.id)
        tx.conn.cursor_factory = AsyncCursor
    assert Counting.sent == 1
    assert found == TurnConfig(
        system_prompt="s",
        plan_mode_instructions="p",
        personal_prompt="u",
        thresholds={bureau.model: 55},
        workspace_ttl_ms=120_000,
    )
