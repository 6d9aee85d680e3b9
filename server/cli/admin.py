"""Rescue from the server's own machine: the built-in database by hand, an owner, a password."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from coder_cli.kit.refused import Refused
from server.cli.plan import stop_signals
from server.cli.prepare import cluster_of, prepare, started
from server.kit.db import Database
from server.kit.errors import ApiError
from server.kit.postgres import PostgresError
from server.settings import Settings

if TYPE_CHECKING:
    from server import identity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewAdmin:
    """The owner to make."""

    username: str
    email: str
    password: str = field(repr=False)


def builtin_url(settings: Settings) -> str:
    """Return the URL of the built-in PostgreSQL.

    Raises:
        Refused: it was never started, so it has none.
    """
    cluster = cluster_of(settings)
    try:
        return cluster.url
    except OSError:
        raise Refused(
            f"The built-in PostgreSQL in {cluster.places.root} was never started; start it with "
            "coder server, or coder server postgres-builtin-serve"
        ) from None


def serve_builtin(settings: Settings, say_url: Callable[[str], None]) -> None:
    """Run only the built-in PostgreSQL until SIGINT or SIGTERM.

    Raises:
        Refused: it cannot start, or a server uses it.
    """
    over = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        over.set()

    with started(cluster_of(settings)) as cluster:
        for number in stop_signals():
            signal.signal(number, stop)
        say_url(cluster.url)
        over.wait()


def create_admin(settings: Settings, new: NewAdmin) -> "identity.User":
    """Make an owner who belongs to every organization.

    Raises:
        Refused: the database cannot be reached, or the account is not acceptable.
    """
    from server import identity

    person = identity.NewUser(
        email=new.email, username=new.username, password=new.password, organization_ids=()
    )

    async def act(database: Database) -> "identity.User":
        return await identity.create_admin(database, person, _options(settings))

    return with_database(settings, act)


def reset_password(settings: Settings, username: str, password: str) -> None:
    """Give a user another password and end their sessions.

    Raises:
        Refused: the database cannot be reached, nobody has that name, or the password is weak.
    """
    from server import identity

    async def act(database: Database) -> None:
        await identity.reset_password(database, username, password, _options(settings))

    with_database(settings, act)


def _options(settings: Settings) -> "identity.IdentityOptions":
    from server import identity

    algorithm = identity.KeygenAlgorithm(settings.provisioning.ssh_keygen_algorithm)
    return identity.IdentityOptions(ssh_keygen_algorithm=algorithm)


@contextmanager
def _dsn(settings: Settings) -> Generator[str]:
    """Yield the URL of the database; a stopped built-in one runs meanwhile."""
    if settings.database.url:
        yield settings.database.url
        return
    try:
        with cluster_of(settings).use() as url:
            yield url
    except PostgresError as error:
        raise Refused(str(error)) from None


def with_database(settings: Settings, act: Callable[[Database], Awaitable[T]]) -> T:
    """Do something with the migrated database; a stopped built-in one runs meanwhile.

    Raises:
        Refused: the database cannot be reached, or ``act`` was refused.
    """

    async def run(dsn: str) -> T:
        await prepare(dsn, None)
        database = Database(dsn, max_open=2)
        await database.open()
        try:
            return await act(database)
        finally:
            await database.close()

    with _dsn(settings) as dsn:
        try:
            return asyncio.run(run(dsn))
        except ApiError as error:
            raise Refused(_sentence(error)) from None


def _sentence(error: ApiError) -> str:
    fields = (f"{one.field}: {one.detail.rstrip('.')}." for one in error.fields)
    return " ".join([error.message, *fields])
