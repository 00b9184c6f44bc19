"""What /openapi.json says beyond what the framework finds out: groups, names of operations, what is sent, errors and the key."""

import importlib.metadata
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from forecasting.api import errors
from forecasting.api.brought import BatchRequest, BroughtSeries, PredictRequest
from forecasting.api.limits import KEY_HEADER, is_open
from forecasting.api.schemas import Fault, Problem
from forecasting.api.unversioned import UnversionedBatchRequest, UnversionedPredictRequest, UnversionedSeries

TITLE = "Monthly forecasts of sales, inventory and profit"
DESCRIPTION = """Forecasts of a series that you bring, by the model in force, and what was published.

Months are dates of their first day. Numbers are written so that reading them gives the same double back. Errors are
application/problem+json (RFC 9457) and say what was wrong."""
FORECASTS, PUBLISHED, STATE, UNVERSIONED = "forecasts", "published", "state", "unversioned"
TAGS = {
    FORECASTS: "The next months of series that you bring.",
    PUBLISHED: "What was published, how good it was, and which models are in force.",
    STATE: "How the service itself is doing: for those who run it.",
    UNVERSIONED: "The same by addresses without a version. Programs that use those under /api go on as before.",
}
# Read by the service itself, so that the framework does not know them
SENT = (
    PredictRequest, BatchRequest, BroughtSeries, UnversionedPredictRequest, UnversionedBatchRequest, UnversionedSeries, Problem, Fault,
)  # fmt: skip
KEY = {
    "type": "apiKey", "in": "header", "name": KEY_HEADER,
    "description": "The key that the operator of this service set. Services without one need none.",
}  # fmt: skip


def operation_id(route: APIRoute) -> str:
    """Return what programs that are made of the document call an operation: its function's name."""
    return f"{route.name}_{UNVERSIONED}" if UNVERSIONED in route.tags else route.name


# How the framework is told of all that
ABOUT = {
    "title": TITLE, "description": DESCRIPTION, "version": importlib.metadata.version("forecasting"),
    "openapi_tags": [{"name": name, "description": text} for name, text in TAGS.items()],
    "generate_unique_id_function": operation_id,
}  # fmt: skip


def document(app: FastAPI, has_key: bool) -> dict[str, Any]:
    """Return the OpenAPI document; `has_key` says whether callers need a key, which they may send in any case."""
    if app.openapi_schema:
        return app.openapi_schema
    found = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
    )
    components = found.setdefault("components", {})
    for model in SENT:
        own = model.model_json_schema(ref_template="#/components/schemas/{model}")
        own.pop("$defs", None)
        components.setdefault("schemas", {})[model.__name__] = own
    components["securitySchemes"] = {"key": KEY}
    refused = errors.documented(_401=f"The header {KEY_HEADER} is missing or wrong.")
    for path, operations in found["paths"].items():
        for operation in operations.values() if not is_open(path) else ():
            operation["security"] = [{"key": []}] if has_key else [{}, {"key": []}]
            if has_key:
                operation["responses"] |= {str(status): entry for status, entry in refused.items()}
    app.openapi_schema = found
    return found
