"""Between plan and apply, a budget is asked about the daily cost."""

import pytest

from server.terraform import Built, Quota, Stage
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import needs_terraform, template

pytestmark = needs_terraform

COSTLY = template(
    """
    data "coder_workspace" "me" {}
    resource "terraform_data" "home" {}
    resource "terraform_data" "box" {
      count = data.coder_workspace.me.start_count
    }
    resource "coder_metadata" "home" {
      resource_id = terraform_data.home.id
      daily_cost  = 2
    }
    resource "coder_metadata" "box" {
      count       = data.coder_workspace.me.start_count
      resource_id = terraform_data.box[0].id
      daily_cost  = 5
    }
    """
)


class Budget:
    """A budget of ten credits that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def __call__(self, cost: int) -> Quota:
        self.asked.append(cost)
        return Quota(ok=cost < 6, budget=10, consumed=4 + cost)


def said(driver: Driver) -> list[str]:
    return [text for _, stage, text in driver.console.lines if stage == Stage.QUOTA]


async def test_a_build_over_budget_applies_nothing(driver: Driver) -> None:
    budget = Budget()
    built = await driver.build(COSTLY, quota=budget)
    assert budget.asked == [7]
    assert built.error is not None
    assert built.error.message == "insufficient quota"
    assert built.state is None
    assert said(driver) == [
        "Build cost       —   7",
        "Budget           —   10",
        "Credits consumed —   11",
        "This build would exceed your quota. Failing.",
    ]
    assert Stage.START not in driver.console.stages


async def test_a_stop_costs_what_stays(driver: Driver) -> None:
    started = await driver.build(COSTLY)
    budget = Budget()
    stopped = await driver.build(COSTLY, "stop", started.state, quota=budget)
    assert (budget.asked, stopped.error) == ([2], None)


async def test_without_a_budget_nothing_is_limited(driver: Driver) -> None:
    built = await driver.build(COSTLY)
    assert built.error is None
    assert said(driver)[:2] == ["Build cost       —   7", "Budget           —   -1"]
    stages = driver.console.stages
    assert stages.index(Stage.PLAN) < stages.index(Stage.QUOTA) < stages.index(Stage.START)


@pytest.mark.parametrize("transition", ["start", "delete"])
async def test_what_costs_nothing_and_what_goes_is_not_asked_about(
    driver: Driver, transition: str
) -> None:
    free = template('resource "terraform_data" "a" {}')
    made: Built = await driver.build(free)
    budget = Budget()
    archive = free if transition == "start" else COSTLY
    built = await driver.build(archive, transition, made.state, quota=budget)
    assert (budget.asked, built.error, said(driver)) == ([], None, [])
