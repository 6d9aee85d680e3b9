"""Watching a job: a lost line is picked up where it broke, ctrl-c cancels."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from coder_cli.commands.following import Watch
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError, Unreachable
from coder_cli.sdk.jobs import JobStatus, LogSource, ProvisionerJob, ProvisionerJobLog
from coder_cli.sdk.words import LogLevel
from coder_cli.ui.progress import JobProgress
from tests.coder_cli import shapes
from tests.coder_cli.deployment import Deployment

PATH = "/workspacebuilds/x/logs"


def line(number: int, stage: str, output: str = "", level: str = "info") -> ProvisionerJobLog:
    """Return one line of a log."""
    return ProvisionerJobLog(
        id=number,
        created_at=shapes.WHEN + number * timedelta(seconds=0.75),
        log_source=LogSource.PROVISIONER,
        log_level=LogLevel(level),
        stage=stage,
        output=output,
    )


def watch(
    deployment: Deployment,
    *states: JobStatus | Exception | type[KeyboardInterrupt],
    cancel: Callable[[], None] = lambda: None,
) -> Watch:
    """Watch a job that is in these states, one after another."""
    left = list(states)

    def job() -> ProvisionerJob:
        state = left.pop(0) if len(left) > 1 else left[0]
        if not isinstance(state, JobStatus):
            raise state
        return shapes.job(state)

    return Watch(Client(deployment.url), PATH, job, cancel, JobProgress())


def test_a_log_that_breaks_off_goes_on_where_it_was(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.streams[PATH] = [
        [line(1, "Plan", "one"), line(2, "Plan", "two")],
        [line(2, "Plan", "two"), line(3, "Apply", "three")],
    ]
    running, done = JobStatus.RUNNING, JobStatus.SUCCEEDED
    job = watch(deployment, running, running, running, done).run()
    assert job.status == done
    shown = capsys.readouterr().err
    assert [shown.count(word) for word in ("one", "two", "three")] == [1, 1, 1]
    assert [call.query.get("after") for call in deployment.calls] == [None, "2"]


class Silent:
    """A connection whose log says nothing for so long that the job itself is asked."""

    def recv(self, timeout: float) -> str:
        raise TimeoutError


def test_a_job_that_ends_while_its_log_is_silent_is_read_to_its_last_line(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    follow, silent = Client.follow, [Silent()]

    def first_silent(self: Client, path: str, **query: Any) -> Any:
        return nullcontext(silent.pop()) if silent else follow(self, path, **query)

    monkeypatch.setattr(Client, "follow", first_silent)
    deployment.streams[PATH] = [[line(1, "Apply", "the last line")]]
    job = watch(deployment, JobStatus.RUNNING, JobStatus.SUCCEEDED).run()
    assert job.status == JobStatus.SUCCEEDED
    assert "the last line" in capsys.readouterr().err


def test_a_server_that_is_away_for_a_moment_is_waited_for(
    deployment: Deployment,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("coder_cli.commands.following.PAUSE", 0)
    away = Unreachable("could not reach it")
    deployment.streams[PATH] = [[line(1, "Apply")]]
    job = watch(deployment, away, away, JobStatus.RUNNING, JobStatus.SUCCEEDED).run()
    assert job.status == JobStatus.SUCCEEDED
    shown = capsys.readouterr().err
    assert shown.count("The server is away") == 1
    assert "Connected again." in shown


def test_a_server_that_stays_away_is_given_up(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coder_cli.commands.following.PAUSE", 0)
    with pytest.raises(Unreachable):
        watch(deployment, Unreachable("gone")).run()


def test_ctrl_c_cancels_and_waits_for_the_end(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    canceled: list[bool] = []
    job = watch(
        deployment,
        KeyboardInterrupt,
        JobStatus.CANCELING,
        JobStatus.CANCELED,
        cancel=lambda: canceled.append(True),
    ).run()
    assert job.status == JobStatus.CANCELED
    assert canceled == [True]
    assert "Canceling" in capsys.readouterr().err


def test_ctrl_c_twice_leaves(deployment: Deployment) -> None:
    with pytest.raises(KeyboardInterrupt):
        watch(deployment, KeyboardInterrupt, KeyboardInterrupt).run()


def test_a_build_that_may_not_be_canceled_goes_on(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise ApiError(403, "User is not allowed to cancel.")

    with pytest.raises(KeyboardInterrupt):
        watch(deployment, KeyboardInterrupt, JobStatus.RUNNING, cancel=refuse).run()
    assert "It goes on: User is not allowed to cancel." in capsys.readouterr().err


def test_progress_tells_stages_times_and_the_queue(capsys: pytest.CaptureFixture[str]) -> None:
    progress = JobProgress()
    for position in (3, 3, 1):
        progress.queued(shapes.job(JobStatus.PENDING, queue_position=position, queue_size=4))
    progress.log(line(1, "Plan"))
    progress.log(line(2, "Apply", "made it"))
    progress.log(line(3, "Apply", "oh no", "error"))
    progress.ended(
        shapes.job(JobStatus.FAILED, completed_at=shapes.WHEN + timedelta(milliseconds=2250))
    )
    assert capsys.readouterr().err == (
        "==> Queued\n"
        "    position 3 of 4 in the queue\n"
        "    position 1 of 4 in the queue\n"
        "✔   Queued [750ms]\n"
        "==> Plan\n"
        "✔   Plan [750ms]\n"
        "==> Apply\n"
        "    made it\n"
        "    oh no\n"
        "✘   Apply [750ms]\n"
    )


def test_the_cross_stands_at_the_stage_that_told_of_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = JobProgress()
    progress.log(line(1, "Plan", "main.tf:8: no", "error"))
    progress.log(line(2, "Cleaning Up"))
    progress.ended(
        shapes.job(JobStatus.FAILED, completed_at=shapes.WHEN + timedelta(milliseconds=2250))
    )
    assert capsys.readouterr().err == (
        "==> Plan\n    main.tf:8: no\n✘   Plan [750ms]\n==> Cleaning Up\n✔   Cleaning Up [750ms]\n"
    )
