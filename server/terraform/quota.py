"""Between plan and apply: may this build cost what it will cost?"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from server.terraform.convert import plan_instances, resources
from server.terraform.job import PLAN_FILE, Stopped
from server.terraform.model import Failure, Quota, QuotaHook, Stage
from server.terraform.setting_up import Ready

_UNLIMITED = -1


async def concerns(ready: Ready) -> bool:
    """Tell whether a template names costs; few do, and planning on its own takes its time."""
    return await asyncio.to_thread(_names_costs, ready.job.work_dir)


async def commit(ready: Ready, values: Mapping[str, str], hook: QuotaHook | None) -> None:
    """Offer the daily cost of a planned build to a budget; without a hook nothing is limited.

    Raises:
        Stopped: there is not enough left.
    """
    job = ready.job
    shown = await job.show(Stage.PLAN, values, PLAN_FILE)
    graph = await job.graph(Stage.PLAN, values, ready.prepared)
    cost = sum(r.daily_cost for r in resources(plan_instances(shown), graph).resources)
    if cost <= 0:
        return
    unlimited = Quota(ok=True, budget=_UNLIMITED, consumed=cost)
    quota = await hook(cost) if hook is not None else unlimited
    for text in (
        f"Build cost       —   {cost}",
        f"Budget           —   {quota.budget}",
        f"Credits consumed —   {quota.consumed}",
    ):
        job.say("info", Stage.QUOTA, text)
    if not quota.ok:
        job.say("warn", Stage.QUOTA, "This build would exceed your quota. Failing.")
        raise Stopped(Failure("insufficient quota"))


def _names_costs(work_dir: Path) -> bool:
    modules = work_dir / ".terraform" / "modules"
    files = [*work_dir.rglob("*.tf*"), *modules.rglob("*.tf*")]
    return any(b"daily_cost" in file.read_bytes() for file in files if file.is_file())
