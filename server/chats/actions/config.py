"""Settings of chats: what admins and users change, checked. Reference, chats, section 2.12."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from server.chats import policy
from server.chats.errors import DisabledModel, OutOfRange, PromptTooLong, UnknownTemplates
from server.chats.model.config import (
    CUSTOM_PROMPT,
    DEBUG_RETENTION_DAYS,
    LONGEST_TTL,
    MOST_DAYS,
    RETENTION_DAYS,
    SHORTEST_TTL,
    THRESHOLD,
    Setting,
    TurnConfig,
    flag,
    template_ids,
    thresholds,
    whole,
)
from server.chats.model.rules import USUAL, ChatRules
from server.chats.store import config as store
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.loop import Prompt, prompt

DAYS = {
    Setting.RETENTION_DAYS: ("Retention days", RETENTION_DAYS),
    Setting.AUTO_ARCHIVE_DAYS: ("Auto-archive days", 0),
    Setting.DEBUG_RETENTION_DAYS: ("Debug retention days", DEBUG_RETENTION_DAYS),
}


async def turn_config(tx: Tx, owner_id: UUID) -> TurnConfig:
    """Return every setting that a turn of this owner needs, in one statement."""
    return await store.of_a_turn(tx, owner_id)


def default_system_prompt() -> str:
    """Return the built-in prompt, which stands before the deployment's own."""
    return "\n\n".join(prompt(part) for part in (Prompt.DEFAULT, Prompt.ORCHESTRATION))


async def system_prompt(tx: Tx) -> tuple[str, bool]:
    """Return the deployment's prompt, and whether the built-in one stands before it."""
    policy.may_configure(tx.actor)
    return await _system_prompt(tx)


async def set_system_prompt(
    tx: Tx, prompt: str, *, include_default: bool | None, rules: ChatRules = USUAL
) -> None:
    """Set the deployment's prompt; without ``include_default`` that switch stays.

    Raises:
        PromptTooLong: it has more than the rules allow.
    """
    policy.may_configure(tx.actor)
    values = {Setting.SYSTEM_PROMPT: _fitting("System prompt exceeds", prompt, rules)}
    if include_default is not None:
        values[Setting.INCLUDE_DEFAULT_SYSTEM_PROMPT] = _word(include_default)
    await store.set_site(tx, values)


async def plan_mode_instructions(tx: Tx) -> str:
    """Return what admins tell chats in plan mode."""
    policy.may_configure(tx.actor)
    found = await store.site(tx, [Setting.PLAN_MODE_INSTRUCTIONS])
    return found.get(Setting.PLAN_MODE_INSTRUCTIONS, "")


async def set_plan_mode_instructions(tx: Tx, text: str, rules: ChatRules = USUAL) -> None:
    """Set what chats in plan mode are told.

    Raises:
        PromptTooLong: it has more than the rules allow.
    """
    policy.may_configure(tx.actor)
    fitting = _fitting("Plan mode instructions exceed", text, rules)
    await store.set_site(tx, {Setting.PLAN_MODE_INSTRUCTIONS: fitting})


async def user_prompt(tx: Tx) -> str:
    """Return the actor's own prompt."""
    found = await store.user(tx, tx.actor.user_id, CUSTOM_PROMPT)
    return found.get(CUSTOM_PROMPT, "")


async def set_user_prompt(tx: Tx, prompt: str, rules: ChatRules = USUAL) -> str:
    """Set the actor's own prompt, and return it as it is kept.

    Raises:
        PromptTooLong: it has more than the rules allow.
    """
    policy.may_set_own(tx.actor)
    fitting = _fitting("Custom prompt exceeds", prompt.strip(), rules)
    await store.set_user(tx, tx.actor.user_id, CUSTOM_PROMPT, fitting)
    return fitting


async def user_thresholds(tx: Tx) -> dict[UUID, int]:
    """Return at how many percent of each model's context the actor's chats are compacted."""
    return thresholds(await store.user(tx, tx.actor.user_id, THRESHOLD))


async def set_user_threshold(tx: Tx, model_id: UUID, percent: int) -> None:
    """Set the actor's threshold of a model; 100 is never.

    Raises:
        OutOfRange: it is no percentage.
        NotFound: no such model.
        DisabledModel: it is switched off.
    """
    policy.may_set_own(tx.actor)
    if not 0 <= percent <= 100:
        raise OutOfRange("threshold_percent is out of range.", "threshold_percent", 0, 100)
    enabled = await store.model_enabled(tx, model_id)
    if enabled is None:
        raise NotFound
    if not enabled:
        raise DisabledModel
    await store.set_user(tx, tx.actor.user_id, f"{THRESHOLD}{model_id}", str(percent))


async def forget_user_threshold(tx: Tx, model_id: UUID) -> None:
    """Go back to the model's own threshold."""
    policy.may_set_own(tx.actor)
    await store.forget_user(tx, tx.actor.user_id, f"{THRESHOLD}{model_id}")


async def desktop_enabled(tx: Tx) -> bool:
    """Tell whether chats may use desktops; anybody may know."""
    found = await store.site(tx, [Setting.DESKTOP_ENABLED])
    return flag(found.get(Setting.DESKTOP_ENABLED, "false"))


async def enable_desktop(tx: Tx, *, enabled: bool) -> None:
    """Let chats use desktops, or not."""
    policy.may_configure(tx.actor, hidden=False)
    await store.set_site(tx, {Setting.DESKTOP_ENABLED: _word(enabled)})


async def template_allowlist(tx: Tx) -> list[UUID]:
    """Return the templates that chats may use; empty is all."""
    policy.may_configure(tx.actor)
    found = await store.site(tx, [Setting.TEMPLATE_ALLOWLIST])
    return template_ids(found.get(Setting.TEMPLATE_ALLOWLIST, ""))


async def allow_templates(tx: Tx, ids: Sequence[str]) -> None:
    """Let chats use these templates only; none is all of them.

    Raises:
        UnknownTemplates: one does not exist, or is deprecated; none was allowed then.
    """
    policy.may_configure(tx.actor)
    wanted = list(dict.fromkeys(_id(one) for one in ids))
    usable = await store.usable_templates(tx, wanted)
    if unusable := [one for one in wanted if one not in usable]:
        raise UnknownTemplates(unusable)
    text = ",".join(str(one) for one in wanted)
    await store.set_site(tx, {Setting.TEMPLATE_ALLOWLIST: text})


async def workspace_ttl(tx: Tx) -> int:
    """Return for how many milliseconds chats' workspaces run unused; 0 is the template's time."""
    policy.may_configure(tx.actor)
    found = await store.site(tx, [Setting.WORKSPACE_TTL])
    return whole(found.get(Setting.WORKSPACE_TTL), 0)


async def set_workspace_ttl(tx: Tx, milliseconds: int) -> None:
    """Set for how long chats' workspaces run unused.

    Raises:
        OutOfRange: neither 0 nor between a minute and thirty days.
    """
    policy.may_configure(tx.actor)
    least, most = (int(one / timedelta(milliseconds=1)) for one in (SHORTEST_TTL, LONGEST_TTL))
    if milliseconds and not least <= milliseconds <= most:
        raise OutOfRange(
            "Workspace TTL must be 0, or between 1 minute and 30 days.",
            "workspace_ttl_ms",
            least,
            most,
        )
    await store.set_site(tx, {Setting.WORKSPACE_TTL: str(milliseconds)})


async def days(tx: Tx, setting: Setting) -> int:
    """Return after how many days chats are deleted or archived; 0 is never."""
    policy.may_configure(tx.actor)
    return whole((await store.site(tx, [setting])).get(setting), DAYS[setting][1])


async def set_days(tx: Tx, setting: Setting, count: int) -> None:
    """Set after how many days chats are deleted or archived.

    Raises:
        OutOfRange: not between 0 and ten years.
    """
    policy.may_configure(tx.actor)
    if not 0 <= count <= MOST_DAYS:
        field = setting.removeprefix("agents_")
        message = f"{DAYS[setting][0]} must be between 0 and {MOST_DAYS}."
        raise OutOfRange(message, field, 0, MOST_DAYS)
    await store.set_site(tx, {setting: str(count)})


async def _system_prompt(tx: Tx) -> tuple[str, bool]:
    found = await store.site(tx, [Setting.SYSTEM_PROMPT, Setting.INCLUDE_DEFAULT_SYSTEM_PROMPT])
    include = flag(found.get(Setting.INCLUDE_DEFAULT_SYSTEM_PROMPT, "true"))
    return found.get(Setting.SYSTEM_PROMPT, ""), include


def _fitting(what: str, text: str, rules: ChatRules) -> str:
    if len(text.encode(errors="surrogatepass")) > rules.longest_prompt:
        raise PromptTooLong(what, rules.longest_prompt)
    return text


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UnknownTemplates([text]) from None


def _word(flagged: bool) -> str:  # noqa: FBT001 - what it writes
    return "true" if flagged else "false"
