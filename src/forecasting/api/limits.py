"""What is refused before anything is read: requests without the key, bodies that are too large, queries that say a thing twice."""

import asyncio
import hmac
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forecasting.api.errors import problem

KEY_HEADER = "X-API-Key"
DOCS, DOCS_FILES = "/docs", "/docs/static"
# The document says nothing of the company, and its page asks for the key
OPEN = ("/health", "/ready", "/v1/health", "/v1/ready", "/openapi.json", DOCS)
LARGEST_BODY = 128 * 1024  # bytes: twice what the longest history takes
LARGEST_BATCH = 1024 * 1024  # bytes of a request for several series: a hundred of twenty years take a third of it
MOST_DRAINED = 64 * 1024 * 1024  # bytes of a refused body that are taken in
LINGER = 5.0  # seconds for that


def is_open(path: str) -> bool:
    """Say whether an address needs no key."""
    return path in OPEN or path.startswith(f"{DOCS_FILES}/")


class ApiKey:
    """Lets through who sends the key, and those who only ask whether the service is alive and ready, or how it is used."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self.app, self.key = app, key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 to all others."""
        if scope["type"] == "http" and not is_open(scope["path"]):
            given = Headers(scope=scope).get(KEY_HEADER, "")
            if not hmac.compare_digest(given.encode("latin-1"), self.key):
                refusal = problem(
                    401, f"Send the key in the header {KEY_HEADER}.", headers={"WWW-Authenticate": "ApiKey"}
                )
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)


class Limits:
    """Refuses bodies of more than LARGEST_BODY bytes, or those of `larger` by path, and queries that name a parameter twice."""

    def __init__(self, app: ASGIApp, larger: Mapping[str, int]) -> None:
        self.app, self.larger = app, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the declared length first; without one, count what comes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["query_string"] and _repeats(scope["query_string"]):
            await problem(422, "A parameter of the query is given twice.")(scope, receive, send)
            return
        declared, most = Headers(scope=scope).get("content-length"), self.larger.get(scope["path"], LARGEST_BODY)
        if declared is None:
            await self.app(scope, counting(receive, most), lingering(receive, send))
        elif int(declared) > most:
            refusal = problem(413, too_large(most), headers={"Connection": "close"})
            await refusal(scope, receive, lingering(receive, send))
        else:
            await self.app(scope, receive, send)


def counting(receive: Receive, most: int) -> Receive:
    """Return a `receive` that raises once more than so many bytes have come."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, too_large(most), {"Connection": "close"})
        return message

    return counted


def too_large(most: int) -> str:
    """Say what the limit is."""
    return f"The body is larger than {most // 1024} KiB; histories need no more."


def lingering(receive: Receive, send: Send) -> Send:
    """Return a `send` that, after an answer 413, takes in what the caller still sends before the connection is closed.

    Closed at once, with bytes that nobody has read, it would be reset, and most callers would see that in place of the answer.
    """
    status = 0

    async def sent(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or not is_last:
            await send(message)
            return
        await send(message | {"more_body": True})
        with suppress(TimeoutError):
            await asyncio.wait_for(_drained(receive), LINGER)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return sent


async def _drained(receive: Receive) -> None:
    """Take in the rest of a body, of which there may be no end, and throw it away."""
    seen, more = 0, True
    while more and seen < MOST_DRAINED:
        message = await receive()
        seen += len(message.get("body", b""))
        more = message.get("more_body", False)


def _repeats(query: bytes) -> bool:
    """Say whether a query names a parameter twice, of which the framework would take the last."""
    names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
    return len(set(names)) < len(names)
