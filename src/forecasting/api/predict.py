"""POST /api/predict and /api/predict/batch: the forecasts of series that the caller brings, by the domain's champion."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from pydantic_core import to_json

from forecasting.api.errors import ApiError, documented
from forecasting.api.schemas import BatchRequest, BatchResponse, BroughtSeries, PredictRequest, PredictResponse, Wanted
from forecasting.api.together import Full
from forecasting.contracts import BOUNDS, QUANTILE_COLUMNS
from forecasting.intervals import MIDDLE
from forecasting.serving import Series, SeriesError, SeriesForecast, ServedModel, bounds_cut, checked_series, points_cut


class ReadsItself(APIRoute):
    """A route whose function takes the request as it comes, without what the framework looks up for each in a function's parameters."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function itself."""
        return self.endpoint


router = APIRouter(tags=["forecasts"], route_class=ReadsItself)
Body = TypeVar("Body", bound=Wanted)
NAMES = [f'"{name}"'.encode() for name in {*PredictRequest.model_fields, *BatchRequest.model_fields}]
TURNS = 2  # of the loop, in which it notices that a caller has closed the connection since it sent the request
POSITION = {bound: QUANTILE_COLUMNS.index(quantile) for bound, quantile in BOUNDS.items()}
MONTHS = [f"{2022 + (6 + month) // 12}-{(6 + month) % 12 + 1:02d}" for month in range(36)]
EXAMPLE = {
    "domain": "sales",
    "months": MONTHS,
    "history": [round(1000.0 + 8.5 * month + 120.0 * ((month % 12) - 5.5) / 5.5, 2) for month in range(36)],
    "region": "North",
    "category": "Bikes",
    "horizon": 3,
    "intervals": [80, 95],
}
BATCH = "/api/predict/batch"
BATCH_EXAMPLE = {
    "domain": "sales",
    "series": [{name: EXAMPLE[name] for name in ("months", "history", "region", "category")}],
    "horizon": 3,
}
ANSWER = {
    "domain": "sales", "region": "North", "category": "Bikes", "months": ["2025-07-01"], "values": [1212.4],
    "intervals": [{"level": 80, "lower": [1120.9], "upper": [1301.7]}, {"level": 95, "lower": [1041.2], "upper": [1398.0]}],
    "interval_n": [540], "was_cut": [False], "warnings": [], "is_fallback": False, "model_name": "linear", "model_version": "4",
    "run_id": "sales-2025-06-01-4e3c68bc46",
}  # fmt: skip


PROBLEMS = documented(
    _400="The body is no JSON.",
    _404="Nothing of the domain has been published.",
    _413="The body is too large.",
    _415="The body is not said to be JSON.",
    _422="The request is not as described, or its months and values are no history that the model can use.",
    _503="The champion cannot be loaded, or too many requests are waiting (with Retry-After); says which.",
)


def shown(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    """Return what the document says of a body."""
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


@router.post(
    "/api/predict",
    response_model=PredictResponse,
    responses={200: {"content": {"application/json": {"example": ANSWER}}}} | PROBLEMS,
    openapi_extra=shown("PredictRequest", EXAMPLE),
)
async def predict(request: Request) -> Response:
    """Forecast the months after a history.

    The champion of the domain forecasts the series by itself; it need not be one of those that were published. A published series
    may differ a little from what its history gives here, where series and sums were made to agree (`reconciliation` of /api/models).
    """
    body = await read(request, PredictRequest)
    served = request.app.state.service.served(body.domain)
    [found] = await forecast(request, body, served, [body], [checked(body, served)])
    return Response(to_json(found), media_type="application/json")


@router.post(
    BATCH,
    response_model=BatchResponse,
    responses={200: {"content": {"application/json": {"example": {"forecasts": [ANSWER]}}}}} | PROBLEMS,
    openapi_extra=shown("BatchRequest", BATCH_EXAMPLE),
)
async def predict_batch(request: Request) -> Response:
    """Forecast the months after several histories, each as /api/predict does: sent together they spare a request for each.

    All are answered or, where one of them is at fault, none; `errors` says which (`series.3.months`).
    """
    body = await read(request, BatchRequest)
    served, series = request.app.state.service.served(body.domain), []
    for number, each in enumerate(body.series):
        try:
            series.append(checked(each, served))
        except SeriesError as error:
            raise SeriesError(f"Series {number} (counted from 0): {error}", f"series.{number}.{error.where}") from error
    found = await forecast(request, body, served, body.series, series)
    return Response(to_json({"forecasts": found}), media_type="application/json")


def checked(brought: BroughtSeries, served: ServedModel) -> Series:
    """Return a history that a model can use, or raise a SeriesError."""
    series = checked_series(brought.months, brought.history)
    check_length(len(series.values), served, brought.is_whole_series)
    return series


async def forecast(
    request: Request, wanted: Wanted, served: ServedModel, brought: Sequence[BroughtSeries], series: Sequence[Series]
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
    return [answer(wanted, one, served, each) for one, each in zip(brought, found, strict=True)]


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


def answer(wanted: Wanted, brought: BroughtSeries, served: ServedModel, forecast: SeriesForecast) -> dict[str, Any]:
    """Return the content of a PredictResponse."""
    columns = forecast.quantiles.T
    asked = [POSITION[f"{side}_{level}"] for level in wanted.intervals for side in ("lo", "hi")]
    warnings = points_cut(served.domain, forecast), bounds_cut(served.domain, forecast, asked)
    return {
        "domain": served.domain,
        "region": brought.region,
        "category": brought.category,
        "months": np.datetime_as_string(forecast.months, unit="D").tolist(),
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
