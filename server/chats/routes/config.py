"""Settings of chats: of the deployment, and of whoever asks."""

from uuid import UUID

from fastapi import APIRouter

from coder_cli.sdk.chats import config as sdk
from server.chats.actions import config
from server.chats.model.config import Setting
from server.chats.routes.bodies import Rules
from server.kit.routing import Db, Me

routes = APIRouter(prefix="/config")


@routes.get("/system-prompt")
async def get_system_prompt(db: Db, me: Me) -> sdk.ChatSystemPromptResponse:
    """Return what every chat is told first."""
    async with db.tx(me) as tx:
        prompt, include = await config.system_prompt(tx)
    return sdk.ChatSystemPromptResponse(
        system_prompt=prompt,
        include_default_system_prompt=include,
        default_system_prompt=config.default_system_prompt(),
    )


@routes.put("/system-prompt", status_code=204)
async def put_system_prompt(
    db: Db, me: Me, rules: Rules, body: sdk.UpdateChatSystemPromptRequest
) -> None:
    """Change what every chat is told first."""
    include = body.include_default_system_prompt
    async with db.tx(me) as tx:
        await config.set_system_prompt(tx, body.system_prompt, include_default=include, rules=rules)


@routes.get("/plan-mode-instructions")
async def get_plan_mode_instructions(db: Db, me: Me) -> sdk.ChatPlanModeInstructions:
    """Return what chats in plan mode are told besides."""
    async with db.tx(me) as tx:
        text = await config.plan_mode_instructions(tx)
    return sdk.ChatPlanModeInstructions(plan_mode_instructions=text)


@routes.put("/plan-mode-instructions", status_code=204)
async def put_plan_mode_instructions(
    db: Db, me: Me, rules: Rules, body: sdk.ChatPlanModeInstructions
) -> None:
    """Change what chats in plan mode are told besides."""
    async with db.tx(me) as tx:
        await config.set_plan_mode_instructions(tx, body.plan_mode_instructions, rules)


@routes.get("/user-prompt")
async def get_user_prompt(db: Db, me: Me) -> sdk.UserChatCustomPrompt:
    """Return what the actor's chats are told besides."""
    async with db.tx(me) as tx:
        return sdk.UserChatCustomPrompt(custom_prompt=await config.user_prompt(tx))


@routes.put("/user-prompt")
async def put_user_prompt(
    db: Db, me: Me, rules: Rules, body: sdk.UserChatCustomPrompt
) -> sdk.UserChatCustomPrompt:
    """Change what the actor's chats are told besides."""
    async with db.tx(me) as tx:
        kept = await config.set_user_prompt(tx, body.custom_prompt, rules)
    return sdk.UserChatCustomPrompt(custom_prompt=kept)


@routes.get("/user-compaction-thresholds")
async def get_thresholds(db: Db, me: Me) -> sdk.UserChatCompactionThresholds:
    """Return from how full a context on the actor's chats are compacted, by model."""
    async with db.tx(me) as tx:
        found = await config.user_thresholds(tx)
    return sdk.UserChatCompactionThresholds(
        thresholds=[
            sdk.UserChatCompactionThreshold(model_config_id=model, threshold_percent=percent)
            for model, percent in found.items()
        ]
    )


@routes.put("/user-compaction-thresholds/{model}")
async def put_threshold(
    db: Db, me: Me, model: UUID, body: sdk.UpdateUserChatCompactionThresholdRequest
) -> sdk.UserChatCompactionThreshold:
    """Change from how full a context on the actor's chats with a model are compacted."""
    async with db.tx(me) as tx:
        await config.set_user_threshold(tx, model, body.threshold_percent)
    return sdk.UserChatCompactionThreshold(
        model_config_id=model, threshold_percent=body.threshold_percent
    )


@routes.delete("/user-compaction-thresholds/{model}", status_code=204)
async def delete_threshold(db: Db, me: Me, model: UUID) -> None:
    """Go back to the model's own threshold."""
    async with db.tx(me) as tx:
        await config.forget_user_threshold(tx, model)


@routes.get("/desktop-enabled")
async def get_desktop_enabled(db: Db, me: Me) -> sdk.ChatDesktopEnabled:
    """Tell whether chats may use desktops."""
    async with db.tx(me) as tx:
        return sdk.ChatDesktopEnabled(enable_desktop=await config.desktop_enabled(tx))


@routes.put("/desktop-enabled", status_code=204)
async def put_desktop_enabled(db: Db, me: Me, body: sdk.ChatDesktopEnabled) -> None:
    """Let chats use desktops, or not."""
    async with db.tx(me) as tx:
        await config.enable_desktop(tx, enabled=body.enable_desktop)


@routes.get("/template-allowlist")
async def get_template_allowlist(db: Db, me: Me) -> sdk.ChatTemplateAllowlist:
    """Return the templates that chats may use; none is all."""
    async with db.tx(me) as tx:
        ids = await config.template_allowlist(tx)
    return sdk.ChatTemplateAllowlist(template_ids=[str(one) for one in ids])


@routes.put("/template-allowlist", status_code=204)
async def put_template_allowlist(db: Db, me: Me, body: sdk.ChatTemplateAllowlist) -> None:
    """Change the templates that chats may use."""
    async with db.tx(me) as tx:
        await config.allow_templates(tx, body.template_ids)


@routes.get("/workspace-ttl")
async def get_workspace_ttl(db: Db, me: Me) -> sdk.ChatWorkspaceTTL:
    """Return for how long chats' workspaces run unused."""
    async with db.tx(me) as tx:
        return sdk.ChatWorkspaceTTL(workspace_ttl_ms=await config.workspace_ttl(tx))


@routes.put("/workspace-ttl", status_code=204)
async def put_workspace_ttl(db: Db, me: Me, body: sdk.ChatWorkspaceTTL) -> None:
    """Change for how long chats' workspaces run unused."""
    async with db.tx(me) as tx:
        await config.set_workspace_ttl(tx, body.workspace_ttl_ms)


@routes.get("/retention-days")
async def get_retention_days(db: Db, me: Me) -> sdk.ChatRetentionDays:
    """Return after how many days archived chats are deleted."""
    async with db.tx(me) as tx:
        count = await config.days(tx, Setting.RETENTION_DAYS)
    return sdk.ChatRetentionDays(retention_days=count)


@routes.put("/retention-days", status_code=204)
async def put_retention_days(db: Db, me: Me, body: sdk.ChatRetentionDays) -> None:
    """Change after how many days archived chats are deleted."""
    async with db.tx(me) as tx:
        await config.set_days(tx, Setting.RETENTION_DAYS, body.retention_days)


@routes.get("/auto-archive-days")
async def get_auto_archive_days(db: Db, me: Me) -> sdk.ChatAutoArchiveDays:
    """Return after how many days idle chats are archived."""
    async with db.tx(me) as tx:
        count = await config.days(tx, Setting.AUTO_ARCHIVE_DAYS)
    return sdk.ChatAutoArchiveDays(auto_archive_days=count)


@routes.put("/auto-archive-days", status_code=204)
async def put_auto_archive_days(db: Db, me: Me, body: sdk.ChatAutoArchiveDays) -> None:
    """Change after how many days idle chats are archived."""
    async with db.tx(me) as tx:
        await config.set_days(tx, Setting.AUTO_ARCHIVE_DAYS, body.auto_archive_days)


@routes.get("/debug-retention-days")
async def get_debug_retention_days(db: Db, me: Me) -> sdk.ChatDebugRetentionDays:
    """Return after how many days traces of calls are deleted."""
    async with db.tx(me) as tx:
        count = await config.days(tx, Setting.DEBUG_RETENTION_DAYS)
    return sdk.ChatDebugRetentionDays(debug_retention_days=count)


@routes.put("/debug-retention-days", status_code=204)
async def put_debug_retention_days(db: Db, me: Me, body: sdk.ChatDebugRetentionDays) -> None:
    """Change after how many days traces of calls are deleted."""
    async with db.tx(me) as tx:
        await config.set_days(tx, Setting.DEBUG_RETENTION_DAYS, body.debug_retention_days)
