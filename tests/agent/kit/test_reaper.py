"""Orphans are collected and taken along. Each test is a process of its own: the setting sticks."""

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux hands orphans over")

_HEAD = """
import asyncio, os, signal, subprocess, sys
from agent.kit import reaper
from agent.kit.child import Children, Launch
from coder_cli.kit.clock import SystemClock

ENV = {"PATH": "/usr/bin:/bin"}
"""


def _run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _HEAD + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_orphans_are_reaped_and_our_own_children_are_not_stolen(loop: str) -> None:
    out = _run(
        f"""
        import {loop}
        async def main():
            assert reaper.adopt_orphans()
            children = Children(SystemClock())
            reaper.watch(children)
            script = "for i in 1 2 3; do (sleep 0.1; exit 1) & done; exit 5"
            codes = [await children.start(Launch(["/bin/sh", "-c", script], ENV, "/")).wait()]
            more = [children.start(Launch(["/bin/sh", "-c", f"exit {{n}}"], ENV, "/"))
                    for n in range(20)]
            codes += [await child.wait() for child in more]
            print(codes == [5, *range(20)])
            async with asyncio.timeout(20):
                while True:
                    try:
                        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                    except ChildProcessError:
                        break
                    await asyncio.sleep(0.01)
            print("none left")
        {loop}.run(main())
        """
    )
    assert out.splitlines() == ["True", "none left"]


def test_at_the_end_nothing_below_us_is_left_not_even_daemons() -> None:
    out = _run(
        """
        async def main():
            assert reaper.adopt_orphans()
            script = "setsid sh -c 'trap \\"\\" TERM HUP; echo on; sleep 600; sleep 600' & exit 0"
            stubborn = subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE)
            stubborn.stdout.readline()
            stubborn.wait()
            print(len(list(reaper.descendants())) > 0)
            await reaper.end_descendants(SystemClock())
            print(list(reaper.descendants()))
        asyncio.run(main())
        """
    )
    assert out.splitlines() == ["True", "[]"]


def test_as_init_orphans_are_reaped_signals_pass_and_the_code_is_the_head_s() -> None:
    out = _run(
        """
        assert reaper.adopt_orphans()
        begin = "(sleep 0.05 &) ; trap 'exit 9' TERM; kill -TERM $PPID; "
        loop = "while :; do sleep 0.05; done"
        print(reaper.run_as_init(["/bin/sh", "-c", begin + loop]))
        print(reaper.run_as_init(["/bin/sh", "-c", "kill -KILL $$"]))
        print(reaper.is_init())
        """
    )
    assert out.splitlines() == ["9", "137", "False"]
