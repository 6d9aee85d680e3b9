"""People for tests: accounts with roles, and an API client for each, without a socket."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends, FastAPI

from server import identity
from server.identity import (
    IdentityOptions,
    Linker,
    PasswordHashing,
    Services,
    SessionAuthenticator,
)
from server.identity.actions import find, setup
from server.identity.model.keys import NewKey
from server.identity.model.people import NewUser
from server.identity.store import git_keys, keys, organizations, people
from server.kit.authz import Actor, as_system
from server.kit.db import Database, Tx
from server.kit.guard import Guard
from server.kit.limits import Limiter
from server.kit.routing import (
    Authenticator,
    Limits,
    install,
    limit_requests,
    provide,
    services,
)
from server.kit.sealing import Sealer

PASSWORD = "Correct-Horse-9-Battery"
API = "http://coder.test/api/v2"


def cheap_hash(password: str) -> str:
    """Hash as fast as a test wants it."""
    return f"cheap${sha256(password.encode()).hexdigest()}"


def cheap_verify(password: str, hashed: str) -> bool:
    """Check what ``cheap_hash`` made."""
    return cheap_hash(password) == hashed


CHEAP = PasswordHashing(hash=cheap_hash, verify=cheap_verify, dummy="cheap$")
OPTIONS = IdentityOptions(passwords=CHEAP)
NO_LIMITS = Limits(api=0, login=0, files=0)

_idle: defaultdict[tuple[int, ...], list[FastAPI]] = defaultdict(list)
"""By their routers. Apps are dear (every route is built anew, with the first request) and keep
nothing but their services: they are used again."""


@contextmanager
def lent_app(
    database: Database,
    options: IdentityOptions = OPTIONS,
    limits: Limits = NO_LIMITS,
    routers: Sequence[APIRouter] = (identity.routes,),
) -> Generator[FastAPI]:
    """Yield an app with real authentication and the given routes, which outlive a test."""
    idle = _idle[tuple(id(router) for router in routers)]
    app = idle.pop() if idle else _routed(routers)
    services(app).clear()
    provide(app, Database, database)
    provide(app, IdentityOptions, options)
    provide(app, Authenticator, SessionAuthenticator(database, options))
    provide(app, Linker, Linker(database, Sealer(), Services("http://coder.test")))
    provide(app, Limits, limits)
    provide(app, Limiter, Limiter(database.clock))
    routes = len(app.routes)
    yield app
    if len(app.routes) == routes:  # Whoever adds some keeps it.
        idle.append(app)


def _routed(routers: Sequence[APIRouter]) -> FastAPI:
    app = FastAPI(dependencies=[Depends(limit_requests)], strict_content_type=False)
    install(app)
    for router in routers:
        app.include_router(router)
    return app


@dataclass(frozen=True)
class Person:
    """An account with a session, and a client that uses it."""

    id: UUID
    username: str
    token: str
    api: httpx.AsyncClient

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


@dataclass
class People:
    """The people of one deployment; use it with ``async with gathered(...)``."""

    database: Database
    app: FastAPI
    options: IdentityOptions = OPTIONS
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def client(self, token: str = "", *, base: str = API) -> httpx.AsyncClient:
        """Return a client of the app; without a token it is nobody's."""
        headers = {"Coder-Session-Token": token} if token else {}
        transport = httpx.ASGITransport(app=Guard(self.app))
        client = httpx.AsyncClient(transport=transport, base_url=base, headers=headers)
        return await self.stack.enter_async_context(client)

    async def add(
        self,
        username: str,
        *roles: str,
        inside: Sequence[str] = (),
        organization: UUID | None = None,
    ) -> Person:
        """Make an account with these site roles, and those ``inside`` its organization."""
        async with self.database.tx(as_system("test")) as tx:
            user_id, token = await add_user(tx, username, *roles)
            home = organization or (await setup.default_organization(tx)).id
            await organizations.add_member(tx, home, user_id, list(inside))
        return Person(user_id, username, token, await self.client(token))

    async def actor(self, person: Person) -> Actor:
        """Return the actor behind a person's session, to open a unit of work with."""
        from server.identity.actions.sessions import authenticate

        return await authenticate(self.database, person.token, "127.0.0.1", self.options)

    async def organization(self, name: str) -> UUID:
        """Make another organization."""
        async with self.database.tx(as_system("test")) as tx:
            return await tx.value(
                """
                INSERT INTO organizations (id, name, created_at, updated_at)
                VALUES (gen_random_uuid(), %(name)s, %(now)s, %(now)s) RETURNING id
                """,
                {"name": name, "now": tx.now},
            )

    async def home(self) -> UUID:
        """Return the default organization."""
        async with self.database.tx(as_system("test")) as tx:
            return (await setup.default_organization(tx)).id


async def add_user(tx: Tx, username: str, *roles: str) -> tuple[UUID, str]:
    """Store a user with a git key and a session; return their id and token."""
    new = NewUser(email=f"{username}@example.com", username=username)
    user_id = await people.insert(tx, new, cheap_hash(PASSWORD), list(roles))
    await git_keys.put(tx, user_id, "private", f"ssh-ed25519 {username}\n")
    token = await keys.insert(tx, NewKey(user_id, OPTIONS.session_duration))
    assert await find.user(tx, user_id)
    return user_id, token


@asynccontextmanager
async def gathered(
    database: Database,
    options: IdentityOptions = OPTIONS,
    limits: Limits = NO_LIMITS,
    routers: Sequence[APIRouter] = (identity.routes,),
) -> AsyncGenerator[People]:
    """Yield an empty deployment; close every client at the end."""
    with lent_app(database, options, limits, routers) as app:
        house = People(database, app, options)
        async with house.stack:
            yield house
