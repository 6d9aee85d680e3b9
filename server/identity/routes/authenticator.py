"""Who sent this request: the session token it carries, checked once for each connection."""

from starlette.requests import HTTPConnection

from server.identity.actions import sessions
from server.identity.model.options import IdentityOptions
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.realip import client_ip
from server.kit.routing import session_token


class SessionAuthenticator:
    """The ``Authenticator`` that ``app.py`` registers."""

    def __init__(self, db: Database, options: IdentityOptions) -> None:
        self._db = db
        self._options = options

    async def __call__(self, connection: HTTPConnection) -> Actor:
        """Return whose session this is.

        Raises:
            Unauthorized: no key, an unknown or expired one, or a suspended user.
        """
        token = session_token(connection)
        return await sessions.authenticate(self._db, token, client_ip(connection), self._options)
