"""What was published, as it stands in the database: forecasts, accuracy, models."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from forecasting.api.errors import documented
from forecasting.api.schemas import Accuracy, AccuracyQuery, ForecastQuery, Forecasts, Models, Nothing
from forecasting.api.service import Service
from forecasting.contracts import MAX_HORIZON
from forecasting.serving import SalesForecaster

router = APIRouter(tags=["published"])
PROBLEMS = {"_422": "The query is not as described.", "_503": "The published database cannot be read; says why."}


@router.get(
    "/api/forecasts",
    response_model=Forecasts,
    responses=documented(_404="Nothing was published by then, or there is no such region or category.", **PROBLEMS),
)
def forecasts(query: Annotated[ForecastQuery, Query()], request: Request) -> Response:
    """Return published forecasts: of the run in force, or of the one that was in force at the end of a day."""
    return Response(request.app.state.service.shelf.forecasts(query), media_type="application/json")


@router.get(
    "/api/accuracy",
    response_model=Accuracy,
    responses=documented(_404="Nothing of the domain has been published.", **PROBLEMS),
)
def accuracy(query: Annotated[AccuracyQuery, Query()], request: Request) -> Response:
    """Return how good the models were: published forecasts against what came, and walk-forward."""
    return Response(request.app.state.service.shelf.accuracy(query), media_type="application/json")


@router.get("/api/models", response_model=Models, responses=documented(_422=PROBLEMS["_422"]))
async def models(query: Annotated[Nothing, Query()], request: Request) -> dict[str, Any]:
    """Return the models that answer /api/predict, and how long a history each needs."""
    service: Service = request.app.state.service
    return {"models": [described(each) for each in service.forecasters.values() if each.loaded is not None]}


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
