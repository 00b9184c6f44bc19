"""POST /v1/predict and /v1/predict/batch: the forecasts of series that the caller brings, by the domain's champion."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from forecasting.api import examples, listing, month_rows
from forecasting.api.brought import (
    NOW,
    BatchRequest,
    BatchResponse,
    BroughtSeries,
    Names,
    PredictRequest,
    PredictResponse,
    Wanted,
)
from forecasting.api.errors import ApiError, documented
from forecasting.api.together import Full
from forecasting.contracts import BOUNDS, QUANTILE_COLUMNS
from forecasting.intervals import MIDDLE
from forecasting.serving import Series, SeriesError, SeriesForecast, ServedModel, bounds_cut, checked_series, points_cut


class ReadsItself(APIRoute):
    """A route whose function takes the request as it comes, without what the framework looks up for each in a function's parameters."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function itself."""
        return self.endpoint


router = APIRouter(route_class=ReadsItself)
Body = TypeVar("Body", bound=Wanted)
NAMES = [
    f'"{name}"'.encode() for name in {*PredictRequest.model_fields, *BatchRequest.model_fields, "months", "category"}
]
TURNS = 2  # of the loop, in which it notices that a caller has closed the connection since it sent the request
POSITION = {bound: QUANTILE_COLUMNS.index(quantile) for bound, quantile in BOUNDS.items()}
VARIES = {"Vary": "Accept"}
PROBLEMS = documented(
    _400="The body is no JSON.",
    _404="Nothing of the domain has been published.",
    _413="The body is too large.",
    _415="The body is not said to be JSON.",
    _422="The request is not as described, or its months and values are no history that the model can use.",
    _503="The champion cannot be loaded, or too many requests are waiting (with Retry-After); says which.",
)


def described(asked: type[Wanted], answered: type[BaseModel], names: Names) -> dict[str, Any]:
    """Return what the document says of an operation: the shapes and examples of what is sent and answered, and the problems."""
    one = issubclass(asked, BroughtSeries)
    sent = examples.request(names) if one else examples.batch(names)
    found = examples.answer(names)
    got = found if one else {"forecasts": [found]}
    table = {"schema": {"type": "string"}, "example": month_rows.csv([found], names, batch=not one)}
    content = {"schema": {"$ref": f"#/components/schemas/{asked.__name__}"}, "example": sent}
    return {
        "summary": "Forecast one series" if one else "Forecast several series",
        "response_description": "The forecast." if one else "The forecasts, in the order of the series.",
        "response_model": answered,
        "responses": {200: {"content": {listing.JSON: {"example": got}, listing.CSV: table}}} | PROBLEMS,
        "openapi_extra": {
            "parameters": [month_rows.FORMAT],
            "requestBody": {"required": True, "content": {listing.JSON: content}},
        },
    }


@router.post("/predict", **described(PredictRequest, PredictResponse, NOW))
async def predict(request: Request) -> Response:
    """Forecast the months after a history.

    The champion of the domain forecasts the series by itself; it need not be one of those that were published. A published series
    may differ a little from what its history gives here, where series and sums were made to agree (`reconciliation` of /v1/models).
    """
    return await predicted(request, PredictRequest, NOW)


@router.post("/predict/batch", **described(BatchRequest, BatchResponse, NOW))
async def predict_batch(request: Request) -> Response:
    """Forecast the months after several histories, each as /v1/predict does: sent together they spare a request for each.

    All are answered or, where one of them is at fault, none; `errors` says which (`series.3.ds`).
    """
    return await predicted_batch(request, BatchRequest, NOW)


async def predicted(request: Request, kind: type[Body], names: Names) -> Response:
    """Answer a request for one series, by the names of its address."""
    as_csv = month_rows.wanted(request)
    body = await read(request, kind)
    served = request.app.state.service.served(body.domain)
    [found] = await forecast(request, body, served, [body], [checked(body, served, names)], names)
    if as_csv:
        return listing.as_file(month_rows.csv([found], names, batch=False), "forecast", VARIES)
    return Response(to_json(found), headers=VARIES, media_type=listing.JSON)


async def predicted_batch(request: Request, kind: type[Body], names: Names) -> Response:
    """Answer a request for several series, by the names of its address."""
    as_csv = month_rows.wanted(request)
    body = await read(request, kind)
    served, series = request.app.state.service.served(body.domain), []
    for number, each in enumerate(body.series):
        try:
            series.append(checked(each, served, names))
        except SeriesError as error:
            raise SeriesError(f"Series {number} (counted from 0): {error}", f"series.{number}.{error.where}") from error
    found = await forecast(request, body, served, body.series, series, names)
    if as_csv:
        return listing.as_file(month_rows.csv(found, names, batch=True), "forecasts", VARIES)
    return Response(to_json({"forecasts": found}), headers=VARIES, media_type=listing.JSON)


def checked(brought: BroughtSeries, served: ServedModel, names: Names) -> Series:
    """Return a history that a model can use, or raise a SeriesError."""
    try:
        series = checked_series(brought.ds, brought.history)
    except SeriesError as error:
        raise SeriesError(str(error), names.place(error.where)) from error
    check_length(len(series.values), served, brought.is_whole_series)
    return series


async def forecast(
    request: Request,
    wanted: Wanted,
    served: ServedModel,
    brought: Sequence[BroughtSeries],
    series: Sequence[Series],
    names: Names,
) -> list[dict[str, Any]]:
    """Return the content of a PredictResponse for each series."""
    if len(set(wanted.intervals)) != len(wanted.intervals):
        raise SeriesError("An interval is asked for twice.", "intervals")
    together = request.app.state.service.together[wanted.domain]
    try:
        found = await together.forecast(served, series, wanted.horizon, partial(left, request))
    except Full as error:
        raise ApiError(
            503, f"{error} Ask again in about {error.seconds} s.", headers={"Retry-After": str(error.seconds)}
        ) from error
    return [answer(wanted, one, served, each, names) for one, each in zip(brought, found, strict=True)]


async def left(request: Request) -> None:
    """Return when the caller has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def read(request: Request, kind: type[Body]) -> Body:
    """Return what was sent, checked against its description in one go, which costs half of what the framework's own way does.

    Raises
    ------
    ClientDisconnect
        If whoever asked has left by now: many who do are not worth more than being noticed.
    """
    for _ in range(TURNS):
        await asyncio.sleep(0)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "Send the body as JSON, with the header Content-Type: application/json.")
    body = await request.body()
    try:
        found = kind.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error
    if repeats_a_name(body):
        raise ApiError(
            422, "A name stands twice in an object of the body, so it cannot be known which of its values is meant."
        )
    return found


def repeats_a_name(body: bytes) -> bool:
    """Say whether an object of a sound body has a name twice, of which the parser took the last.

    To look for it takes as long as to parse, so it is done only where it can be.
    """
    if b"\\" not in body and all(body.count(name) < 2 for name in NAMES):
        return False
    repeated = []
    json.loads(body, object_pairs_hook=lambda pairs: repeated.append(len(dict(pairs)) < len(pairs)))
    return any(repeated)


def check_length(months: int, served: ServedModel, is_whole_series: bool) -> None:
    """Raise a SeriesError unless a history is as long as the model looks back, or as long as it must be at least."""
    window, least = served.window_size, served.min_history
    if window is None:
        if months < least:
            raise SeriesError(f"{served.name} needs at least {least} months of history; {months} were sent.", "history")
    elif months != window and not (is_whole_series and least <= months < window):
        younger = (
            f", or set is_whole_series where the series is younger and has at least {least}" if least < window else ""
        )
        raise SeriesError(
            f"{served.name} looks at exactly {window} months; {months} were sent. Send the last {window}{younger}.",
            "history",
        )


def answer(
    wanted: Wanted, brought: BroughtSeries, served: ServedModel, forecast: SeriesForecast, names: Names
) -> dict[str, Any]:
    """Return the content of a PredictResponse."""
    columns = forecast.quantiles.T
    asked = [POSITION[f"{side}_{level}"] for level in wanted.intervals for side in ("lo", "hi")]
    warnings = points_cut(served.domain, forecast), bounds_cut(served.domain, forecast, asked)
    return {
        "domain": served.domain,
        "region": brought.region,
        names.category: brought.product_category,
        names.month: np.datetime_as_string(forecast.months, unit="D").tolist(),
        "values": forecast.points.tolist(),
        "intervals": [
            {
                "level": level,
                "lower": columns[POSITION[f"lo_{level}"]].tolist(),
                "upper": columns[POSITION[f"hi_{level}"]].tolist(),
            }
            for level in wanted.intervals
        ],
        "interval_n": forecast.interval_n.tolist(),
        "was_cut": forecast.was_cut[:, MIDDLE].tolist(),
        "warnings": [text for text in warnings if text],
        "is_fallback": forecast.is_fallback,
        "model_name": served.name,
        "model_version": served.origin.version,
        "run_id": served.origin.run_id,
    }
