"""Puts the service together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from forecasting.api import errors, predict, reading, state, unversioned
from forecasting.api.cors import CrossOrigin
from forecasting.api.document import ABOUT, FORECASTS, PUBLISHED, STATE, UNVERSIONED, document
from forecasting.api.hosts import AllowedHosts
from forecasting.api.limits import DOCS, DOCS_FILES, LARGEST_BATCH, ApiKey, Limits
from forecasting.api.metrics import Measured
from forecasting.api.service import Service

V1, BEFORE = "/v1", "/api"


def create_app(data: Path, key: str = "", hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> FastAPI:
    """Return the service of a workspace; `data` is its folder data/<name>, `key` what callers must send, if anything.

    `hosts` are names by which it may be called beside those of `AllowedHosts`; `origins` are where web pages come from that may read
    its answers.
    """
    service = Service(data)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    # Its page of documentation has scripts and styles of its own: nothing is loaded from the internet, and nothing is told to a validator
    app = FastAPIOffline(
        docs_url=DOCS, static_url=DOCS_FILES, redoc_url=None, swagger_ui_parameters={"validatorUrl": None}, lifespan=lifespan, **ABOUT
    )  # fmt: skip
    app.state.service = service
    app.include_router(predict.router, prefix=V1, tags=[FORECASTS])
    app.include_router(reading.router, prefix=V1, tags=[PUBLISHED])
    app.include_router(state.router, prefix=V1, tags=[STATE])
    for router in (unversioned.router, reading.router):
        app.include_router(router, prefix=BEFORE, tags=[UNVERSIONED], deprecated=True)
    app.include_router(state.router, tags=[UNVERSIONED])  # what watches services asks here, whatever their version
    errors.install(app)
    app.add_middleware(Limits, larger={f"{prefix}/predict/batch": LARGEST_BATCH for prefix in (V1, BEFORE)})
    if key:
        app.add_middleware(ApiKey, key=key)
    if origins:  # before the key is asked for: browsers ask without it whether they may send it
        app.add_middleware(CrossOrigin, allow_origins=origins)
    app.add_middleware(AllowedHosts, names=hosts)
    app.add_middleware(Measured, metrics=service.metrics)
    app.openapi = lambda: document(app, bool(key))
    return app
