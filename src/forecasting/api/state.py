"""How the service itself is doing."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from forecasting.api.errors import documented
from forecasting.api.schemas import Health, Nothing, Ready

router = APIRouter()
NO_PARAMETERS = documented(_422="There are no parameters.")


@router.get(
    "/health",
    summary="Is it alive?",
    response_description="It is.",
    response_model=Health,
    responses=NO_PARAMETERS,
)
async def health(query: Annotated[Nothing, Query()]) -> dict[str, Any]:
    """Say that the process is alive."""
    return {"status": "alive"}


@router.get(
    "/ready",
    summary="Is it ready?",
    response_description="It is, for these domains.",
    response_model=Ready,
    responses=NO_PARAMETERS
    | documented(_503="What is in force for a domain cannot be loaded, or nothing was published; says why."),
)
async def ready(query: Annotated[Nothing, Query()], request: Request) -> dict[str, Any]:
    """Say whether every domain that was published is served by the champion in force."""
    return {"status": "ready", "domains": request.app.state.service.ready()}


@router.get(
    "/metrics",
    summary="Requests, errors, latency, age of the forecasts",
    response_description="In Prometheus' text format.",
    response_class=Response,
    responses=NO_PARAMETERS | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(query: Annotated[Nothing, Query()], request: Request) -> Response:
    """Return what Prometheus reads."""
    return Response(request.app.state.service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
