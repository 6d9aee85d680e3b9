"""Workspaces whose template their owner may no longer use."""

import pytest

from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Deployment, Refuse


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_start_says_that_the_template_is_lost_and_what_still_works(
    cli: Cli, deployment: Deployment, verb: str
) -> None:
    def lost(_: Call) -> object:
        raise Refuse(404, "Resource not found or you do not have access to this resource")

    stopped = shapes.workspace(
        latest_build=shapes.build(shapes.Transition.STOP, shapes.WorkspaceStatus.STOPPED)
    )
    deployment.on("GET /users/me/workspace/dev", stopped)
    deployment.on("GET /templateversions/*/rich-parameters", lost)
    ran = cli(verb, "dev", "-y")
    assert (ran.code, "no longer have access to template 'local'" in ran.err) == (1, True), ran.err
    assert "Stopping and deleting it still work." in ran.err
    assert not deployment.called(f"POST /workspaces/{stopped.id}/builds")
