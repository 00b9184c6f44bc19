"""Puts the service together."""

import importlib.metadata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from forecasting.api import errors, predict, reading, state
from forecasting.api.hosts import AllowedHosts
from forecasting.api.limits import KEY_HEADER, LARGEST_BATCH, OPEN, ApiKey, Limits
from forecasting.api.metrics import Measured
from forecasting.api.schemas import BatchRequest, BroughtSeries, Fault, PredictRequest, Problem
from forecasting.api.service import Service

TITLE = "Monthly forecasts of sales, inventory and profit"
DESCRIPTION = """Forecasts of a series that you bring, by the model in force, and what was published.

Months are dates of their first day. Numbers are written so that reading them gives the same double back. Errors are
application/problem+json (RFC 9457) and say what was wrong."""


def create_app(data: Path, key: str = "", hosts: Sequence[str] = ()) -> FastAPI:
    """Return the service of a workspace; `data` is its folder data/<name>, `key` what callers must send, if anything.

    `hosts` are names by which it may be called beside those of `AllowedHosts`.
    """
    service = Service(data)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    # No pages of documentation: they would load their scripts from the internet. The document itself is /openapi.json.
    app = FastAPI(
        title=TITLE, description=DESCRIPTION, version=importlib.metadata.version("forecasting"), docs_url=None, redoc_url=None,
        lifespan=lifespan,
    )  # fmt: skip
    app.state.service = service
    for part in (predict, reading, state):
        app.include_router(part.router)
    errors.install(app)
    app.add_middleware(Limits, larger={predict.BATCH: LARGEST_BATCH})
    if key:
        app.add_middleware(ApiKey, key=key)
    app.add_middleware(AllowedHosts, names=hosts)
    app.add_middleware(Measured, metrics=service.metrics)
    app.openapi = lambda: document(app, bool(key))
    return app


def document(app: FastAPI, has_key: bool) -> dict[str, Any]:
    """Return the OpenAPI document, with the errors' schema and, where a key is needed, how it is sent."""
    if app.openapi_schema:
        return app.openapi_schema
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    template = "#/components/schemas/{model}"
    components = found.setdefault("components", {})
    for model in (PredictRequest, BatchRequest, BroughtSeries, Problem, Fault):
        own = model.model_json_schema(ref_template=template)
        own.pop("$defs", None)
        components.setdefault("schemas", {})[model.__name__] = own
    if has_key:
        components["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": KEY_HEADER}}
        refused = errors.documented(_401=f"The header {KEY_HEADER} is missing or wrong.")
        for path, operations in found["paths"].items():
            for operation in operations.values() if path not in OPEN else ():
                operation["security"] = [{"key": []}]
                operation["responses"] |= {str(status): entry for status, entry in refused.items()}
    app.openapi_schema = found
    return found
