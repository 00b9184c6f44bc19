"""POST /api/predict: the forecast of one series that the caller brings, by the domain's champion."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from pydantic_core import to_json

from forecasting.api.errors import ApiError, documented
from forecasting.api.schemas import PredictRequest, PredictResponse
from forecasting.api.together import Full
from forecasting.contracts import BOUNDS, QUANTILE_COLUMNS
from forecasting.intervals import MIDDLE
from forecasting.serving import SeriesError, SeriesForecast, ServedModel, bounds_cut, checked_series, points_cut


class ReadsItself(APIRoute):
    """A route whose function takes the request as it comes, without what the framework looks up for each in a function's parameters."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function itself."""
        return self.endpoint


router = APIRouter(tags=["forecasts"], route_class=ReadsItself)
TURNS = 2  # of the loop, in which it notices that a caller has closed the connection since it sent the request
POSITION = {bound: QUANTILE_COLUMNS.index(quantile) for bound, quantile in BOUNDS.items()}
MONTHS = [f"{2022 + (6 + month) // 12}-{(6 + month) % 12 + 1:02d}" for month in range(36)]
SCHEMA = {"$ref": "#/components/schemas/PredictRequest"}
EXAMPLE = {
    "domain": "sales",
    "months": MONTHS,
    "history": [round(1000.0 + 8.5 * month + 120.0 * ((month % 12) - 5.5) / 5.5, 2) for month in range(36)],
    "region": "North",
    "category": "Bikes",
    "horizon": 3,
    "intervals": [80, 95],
}
ANSWER = {
    "domain": "sales", "region": "North", "category": "Bikes", "months": ["2025-07-01"], "values": [1212.4],
    "intervals": [{"level": 80, "lower": [1120.9], "upper": [1301.7]}, {"level": 95, "lower": [1041.2], "upper": [1398.0]}],
    "interval_n": [540], "was_cut": [False], "warnings": [], "is_fallback": False, "model_name": "linear", "model_version": "4",
    "run_id": "sales-2025-06-01-4e3c68bc46",
}  # fmt: skip


@router.post(
    "/api/predict",
    response_model=PredictResponse,
    responses={200: {"content": {"application/json": {"example": ANSWER}}}}
    | documented(
        _400="The body is no JSON.",
        _404="Nothing of the domain has been published.",
        _413="The body is too large.",
        _415="The body is not said to be JSON.",
        _422="The request is not as described, or its months and values are no history that the model can use.",
        _503="The champion cannot be loaded, or too many requests are waiting (with Retry-After); says which.",
    ),
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": SCHEMA, "example": EXAMPLE}}}
    },
)
async def predict(request: Request) -> Response:
    """Forecast the months after a history.

    The champion of the domain forecasts the series by itself; it need not be one of those that were published. A published series
    may differ a little from what its history gives here, where series and sums were made to agree (`reconciliation` of /api/models).
    """
    service = request.app.state.service
    body = await read(request)
    served = service.served(body.domain)
    series = checked_series(body.months, body.history)
    check_length(len(series.values), served, body.is_whole_series)
    if len(set(body.intervals)) != len(body.intervals):
        raise SeriesError("An interval is asked for twice.", "intervals")
    try:
        forecast = await service.together[body.domain].forecast(served, series, body.horizon, partial(left, request))
    except Full as error:
        raise ApiError(
            503, f"{error} Ask again in about {error.seconds} s.", headers={"Retry-After": str(error.seconds)}
        ) from error
    return Response(to_json(answer(body, served, forecast)), media_type="application/json")


async def left(request: Request) -> None:
    """Return when the caller has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def read(request: Request) -> PredictRequest:
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
    try:
        return PredictRequest.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error


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


def answer(body: PredictRequest, served: ServedModel, forecast: SeriesForecast) -> dict[str, Any]:
    """Return the content of a PredictResponse."""
    columns = forecast.quantiles.T
    asked = [POSITION[f"{side}_{level}"] for level in body.intervals for side in ("lo", "hi")]
    warnings = points_cut(served.domain, forecast), bounds_cut(served.domain, forecast, asked)
    return {
        "domain": served.domain,
        "region": body.region,
        "category": body.category,
        "months": np.datetime_as_string(forecast.months, unit="D").tolist(),
        "values": forecast.points.tolist(),
        "intervals": [
            {
                "level": level,
                "lower": columns[POSITION[f"lo_{level}"]].tolist(),
                "upper": columns[POSITION[f"hi_{level}"]].tolist(),
            }
            for level in body.intervals
        ],
        "interval_n": forecast.interval_n.tolist(),
        "was_cut": forecast.was_cut[:, MIDDLE].tolist(),
        "warnings": [text for text in warnings if text],
        "is_fallback": forecast.is_fallback,
        "model_name": served.name,
        "model_version": served.origin.version,
        "run_id": served.origin.run_id,
    }
