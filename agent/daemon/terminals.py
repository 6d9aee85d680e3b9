"""What terminals run: the user's shell, in the environment of every process of the workspace."""

from agent.kit.paths import user_name
from agent.processes import Environment, NoManifest, command_line, login_line, user_shell
from agent.pty import Command, NotReady


def prepare(environment: Environment, command: str) -> Command:
    """Return how to run ``command``, or a log-in shell if there is none.

    Raises:
        NotReady: the agent has no manifest yet.
    """
    user = user_name(environment.base)
    try:
        env = environment.build({"USER": user, "LOGNAME": user, "HOME": environment.home()})
        directory = environment.directory()
    except NoManifest:
        raise NotReady("The workspace agent is not ready yet: no manifest.") from None
    shell = user_shell(env)
    env.setdefault("SHELL", shell)
    return Command(command_line(command, shell) if command else login_line(shell), env, directory)
