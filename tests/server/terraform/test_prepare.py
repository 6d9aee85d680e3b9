"""What ``init`` made is kept by the content of the template."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from server.terraform.prepare import Preparer
from tests.support.clock import FakeClock


class Site:
    """A preparer, and an init that writes what terraform would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = FakeClock()
        self.preparer = Preparer(root / "kept", root / "plugins", self.clock)
        self.inits = 0
        self.jobs = 0

    def plugin(self, version: str) -> Path:
        return self.root / "plugins/example.com/a/b" / version / "linux_amd64"

    def job(self, template: bytes = b"a") -> Path:
        self.jobs += 1
        work = self.root / f"job{self.jobs}"
        work.mkdir()
        (work / "main.tf").write_bytes(template)
        return work

    def init(self, work: Path) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            self.inits += 1
            await asyncio.sleep(0)
            plugin = self.plugin("1.0.0")
            plugin.mkdir(parents=True, exist_ok=True)
            link = work / ".terraform/providers/example.com/a/b/1.0.0/linux_amd64"
            link.parent.mkdir(parents=True)
            link.symlink_to(plugin)
            (work / ".terraform.lock.hcl").write_text("locked")

        return run

    async def prepare(self, archive: bytes = b"a", salt: str = "v1") -> Path:
        work = self.job(archive)
        await self.preparer.prepare(salt, work, self.init(work))
        return work


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_init_runs_once_for_each_template(site: Site) -> None:
    first, second = await site.prepare(), await site.prepare()
    assert site.inits == 1
    for work in (first, second):
        assert (work / ".terraform").is_symlink()
        assert (work / ".terraform/providers/example.com/a/b/1.0.0/linux_amd64").is_dir()
        assert (work / ".terraform.lock.hcl").read_text() == "locked"
    await site.prepare(b"another template")
    await site.prepare(salt="another terraform")
    assert site.inits == 3


async def test_two_jobs_at_once_share_one_init(site: Site) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(site.prepare())
    assert site.inits == 1


async def test_a_plugin_that_is_gone_is_fetched_again(site: Site) -> None:
    await site.prepare()
    site.plugin("1.0.0").rmdir()
    await site.prepare()
    assert site.inits == 2
    assert site.plugin("1.0.0").exists()


async def test_a_failed_init_leaves_nothing(site: Site) -> None:
    async def fail() -> None:
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError):
        await site.preparer.prepare("v1", site.job(), fail)
    await site.prepare()
    assert site.inits == 1


async def test_a_template_without_modules_is_prepared_too(site: Site) -> None:
    async def nothing() -> None:
        site.inits += 1

    for _ in range(2):
        await site.preparer.prepare("v1", site.job(), nothing)
    assert site.inits == 1


async def test_a_graph_is_kept(site: Site) -> None:
    work = site.job()
    prepared = await site.preparer.prepare("v1", work, site.init(work))
    assert prepared.graph is None
    prepared.keep_graph("digraph {}")
    again = await site.preparer.prepare("v1", site.job(), site.init(work))
    assert again.graph == "digraph {}"


async def test_what_nobody_used_for_a_month_is_removed(site: Site) -> None:
    await site.prepare(b"old")
    await site.prepare(b"used")
    await site.clock.advance(timedelta(days=20).total_seconds())
    await site.prepare(b"used")
    await site.clock.advance(timedelta(days=20).total_seconds())
    await site.prepare(b"new")
    assert site.inits == 3
    assert len(list((site.root / "kept").iterdir())) == 2
    await site.prepare(b"used")
    assert site.inits == 3


async def test_plugins_that_nothing_links_to_are_removed_after_a_month(site: Site) -> None:
    now = site.clock.now().timestamp()
    ages = {"0.9.0": 31, "0.9.1": 29, "1.0.0": 31}
    for version, days in ages.items():
        site.plugin(version).mkdir(parents=True)
        os.utime(site.plugin(version), (now, now - days * 86400))
    await site.prepare()
    assert not site.plugin("0.9.0").exists()
    assert site.plugin("0.9.1").exists()
    assert site.plugin("1.0.0").exists()


async def test_only_what_decides_about_modules_and_providers_makes_a_template_another(
    site: Site,
) -> None:
    async def inits(name: str, text: str) -> int:
        work = site.job()
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(text)
        before = site.inits
        await site.preparer.prepare("v1", work, site.init(work))
        return site.inits - before

    await site.prepare()
    for name in ("README.md", "startup.sh", ".coder-variables.tfvars.json", "terraform.tfstate"):
        assert await inits(name, "anything") == 0
    for name in ("more.tf", "ide/main.tf", "a.tf.json", "b.tofu", "ide/a.tf", "ide/.terraform.tf"):
        assert await inits(name, "x") == 1
    assert await inits(".terraform.lock.hcl", "locked, otherwise") == 1
    assert await inits("ide/main.tf", "y") == 1
    assert await inits("ide/main.tf", "x") == 0


async def test_a_link_is_told_from_what_it_points_to(site: Site) -> None:
    for target in ("a", "b"):
        work = site.job()
        for name in ("a", "b"):
            (work / name).mkdir()
        (work / "ide").symlink_to(target)
        await site.preparer.prepare("v1", work, site.init(work))
    assert site.inits == 2
