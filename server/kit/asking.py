"""Ask other services over HTTP: with no memory between calls, and for no more than was agreed."""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx


class AnswerTooLarge(Exception):
    """A service sent more than anybody wants to keep."""


def forgetful() -> httpx.AsyncClient:
    """Return a client for the calls of many people: no cookies, no redirects."""
    nobody = DefaultCookiePolicy(allowed_domains=[])
    return httpx.AsyncClient(cookies=CookieJar(nobody), follow_redirects=False)


async def ask(client: httpx.AsyncClient, request: httpx.Request, most: int) -> tuple[int, bytes]:
    """Return the status and the body of an answer.

    Raises:
        AnswerTooLarge: the body has more than ``most`` bytes.
        httpx.HTTPError: nobody answers, or not in HTTP.
    """
    answer = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > most:
                raise AnswerTooLarge
        return answer.status_code, bytes(body)
    finally:
        await answer.aclose()
