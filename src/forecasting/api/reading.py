"""What was published, as it stands in the database: forecasts, accuracy, models."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from forecasting.api import examples, listing
from forecasting.api.errors import ApiError, documented
from forecasting.api.schemas import (
    Accuracy,
    AccuracyQuery,
    AccuracyRow,
    ForecastQuery,
    ForecastRow,
    Forecasts,
    Listed,
    Models,
    ServedInfo,
)
from forecasting.api.service import Service
from forecasting.api.shelf import Answer
from forecasting.contracts import MAX_HORIZON
from forecasting.serving import SalesForecaster

router = APIRouter()
PROBLEMS = {"_422": "The query is not as described.", "_503": "The published database cannot be read; says why."}
TWO_NAMES = "category is what product_category was called before: give one of them."


@router.get(
    "/forecasts",
    summary="Published forecasts",
    response_description="The forecasts of one run.",
    response_model=Forecasts,
    responses=listing.documented(examples.FORECASTS, ForecastRow)
    | documented(_404="Nothing was published by then, or there is no such region or category.", **PROBLEMS),
)
def forecasts(query: Annotated[ForecastQuery, Query()], request: Request) -> Response:
    """Return published forecasts: of the run in force, or of the one that was in force at the end of a day."""
    if query.product_category is not None and query.category_before is not None:
        raise ApiError(422, TWO_NAMES, [("category", TWO_NAMES)])
    category = query.category_before if query.product_category is None else query.product_category
    return listing.respond(request, query, request.app.state.service.shelf.forecasts(query, category), ForecastRow)


@router.get(
    "/accuracy",
    summary="How good forecasts were",
    response_description="A row for each model, kind of forecast, sum and months ahead.",
    response_model=Accuracy,
    responses=listing.documented(examples.ACCURACY, AccuracyRow)
    | documented(_404="Nothing of the domain has been published.", **PROBLEMS),
)
def accuracy(query: Annotated[AccuracyQuery, Query()], request: Request) -> Response:
    """Return how good the models were: published forecasts against what came, and walk-forward."""
    return listing.respond(request, query, request.app.state.service.shelf.accuracy(query), AccuracyRow)


@router.get(
    "/models",
    summary="Models in force",
    response_description="A row for each domain that can be served.",
    response_model=Models,
    responses=listing.documented(examples.MODELS, ServedInfo) | documented(_422=PROBLEMS["_422"]),
)
async def models(query: Annotated[Listed, Query()], request: Request) -> Response:
    """Return the models that answer /v1/predict, and how long a history each needs."""
    service: Service = request.app.state.service
    loaded = [described(each) for each in service.forecasters.values() if each.loaded is not None]
    rows = [ServedInfo.model_validate(each).model_dump_json() for each in loaded]
    return listing.respond(request, query, Answer(Models(models=[]).model_dump_json(), rows), ServedInfo)


def described(forecaster: SalesForecaster) -> dict[str, Any]:
    """Return the content of a ServedInfo."""
    served = forecaster.loaded
    return {
        "domain": served.domain,
        "model_name": served.name,
        "model_version": served.origin.version,
        "run_id": served.origin.run_id,
        "window_size": served.window_size,
        "min_history": served.min_history,
        "max_horizon": MAX_HORIZON,
        "allow_negative": served.allow_negative,
        "reconciliation": served.calibration.reconciliation,
        "cutoff": served.origin.cutoff,
        "published_at": served.origin.published_at,
        "unit": served.origin.unit,
        "problem": str(forecaster.problem) if forecaster.problem else None,
    }
