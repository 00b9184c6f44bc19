"""Errors as application/problem+json (RFC 9457): what was wrong, where, and what to do. Nothing of a request is echoed unread."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from forecasting.errors import UserError
from forecasting.ledger import NothingPublished, Unknown
from forecasting.serving import SeriesError

MEDIA_TYPE = "application/problem+json"
CLIENT_LEFT = 499  # what web servers note of a request whose caller left; nobody reads the answer, /metrics counts it
MOST_FAULTS = 20  # listed of a request: a history of a thousand wrong values needs no thousand sentences
Faults = Iterable[tuple[str, str]]


class ApiError(Exception):
    """An answer other than success: a status, a sentence, and the faults as (where, problem)."""

    def __init__(self, status: int, detail: str, faults: Faults = (), headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.faults, self.headers = status, detail, tuple(faults), headers


def problem(status: int, detail: str, faults: Faults = (), headers: dict[str, str] | None = None) -> Response:
    """Return a problem as a response."""
    return Response(json.dumps(content_of(status, detail, faults)).encode(), status, headers, MEDIA_TYPE)


def content_of(status: int, detail: str, faults: Faults) -> dict[str, Any]:
    """Return the content of a problem."""
    errors = [{"where": where, "problem": text} for where, text in faults]
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": errors,
    }


def documented(**descriptions: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of problems by status, as documented(_404='No such …')."""
    return {int(key.removeprefix("_")): entry(int(key.removeprefix("_")), text) for key, text in descriptions.items()}


def entry(status: int, text: str) -> dict[str, Any]:
    """Return the OpenAPI entry of a problem."""
    shown = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": content_of(status, text, ())}
    return {"description": text, "content": {MEDIA_TYPE: shown}}


def install(app: FastAPI) -> None:
    """Have every error of an app answered as a problem."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


async def _api_error(request: Request, error: ApiError) -> Response:
    return problem(error.status, error.detail, error.faults, error.headers)


async def _left(request: Request, error: ClientDisconnect) -> Response:
    """The caller closed the connection, in the middle of a body or before the answer was there."""
    return Response(status_code=CLIENT_LEFT)


async def _user_error(request: Request, error: UserError) -> Response:
    """A fault in a series is the caller's, a name that is not there is not found; the rest is in the workspace."""
    if isinstance(error, SeriesError):
        return problem(422, str(error), [(error.where, str(error))])
    return problem(404 if isinstance(error, NothingPublished | Unknown) else 503, str(error))


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    """What does not fit the description of the request."""
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        return problem(400, f"The body is no JSON: {found[0]['ctx']['error']}.")
    faults = [(_where(each["loc"]), each["msg"]) for each in found[:MOST_FAULTS]]
    first = f"{faults[0][0]}: {faults[0][1]}"
    more = f" {len(found) - 1} more faults are listed in errors." if len(found) > 1 else ""
    return problem(422, f"The request is not as described: {first}.{more}", faults)


def _where(location: tuple) -> str:
    """Return the path to a fault, such as history.3; a parameter of a query without saying that it is one."""
    return ".".join(str(part) for part in location if part != "query") or "body"


async def _http(request: Request, error: HTTPException) -> Response:
    """What the framework refuses: an address or a method that is not there, a body that cannot be read."""
    words = {
        404: f"There is nothing at {request.url.path}; /openapi.json lists what there is.",
        405: f"{request.url.path} does not take {request.method}.",
        400: "The body cannot be read as JSON.",
    }
    return problem(error.status_code, words.get(error.status_code, str(error.detail)), headers=error.headers)


async def _bug(request: Request, error: Exception) -> Response:
    """A bug: the server's log has the traceback, which concerns no caller."""
    return problem(500, "The server failed; its log says where.")
