"""What Prometheus reads at /metrics: requests, latency, errors, which champion is served and how old the newest forecast is."""

import datetime as dt
import time
from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forecasting.serving import SalesForecaster

LATENCY_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
METHODS = ("GET", "POST")
OTHER = "other"  # an address or a method that is not there: callers may invent any number of them


class Metrics:
    """The counters of one app, in a registry of its own."""

    def __init__(self, forecasters: dict[str, SalesForecaster]) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "forecasting_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.errors = Counter(
            "forecasting_errors", "Requests answered with 4xx or 5xx.", ["route", "status"], registry=self.registry
        )
        self.latency = Histogram(
            "forecasting_request_seconds", "Seconds until a request was answered.", ["route"], buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.registry.register(Champions(forecasters))
        self._counters = lru_cache(maxsize=1024)(self._counting)  # there are as many as methods, routes and statuses
        self._latency = lru_cache(maxsize=64)(self.latency.labels)

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one answered request."""
        route = scope["path"] if "route" in scope else OTHER  # no address has a part that callers choose
        method = scope["method"] if scope["method"] in METHODS else OTHER
        for counter in self._counters(method, route, status):
            counter.inc()
        self._latency(route).observe(seconds)

    def _counting(self, method: str, route: str, status: int) -> list[Counter]:
        """Return the counters of one kind of answer; looking them up costs more than counting."""
        failed = [self.errors.labels(route, status)] if status >= 400 else []
        return [self.requests.labels(method, route, status), *failed]

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class Champions:
    """Reads the forecasters whenever Prometheus asks."""

    def __init__(self, forecasters: dict[str, SalesForecaster]) -> None:
        self.forecasters = forecasters

    def collect(self) -> Iterable[Metric]:
        """Yield version, age and readiness by domain; a domain that has nothing to serve has none."""
        version = GaugeMetricFamily(
            "forecasting_champion_version", "Version of the registered model that answers.",
            labels=["domain", "model_name", "run_id"],
        )  # fmt: skip
        age = GaugeMetricFamily(
            "forecasting_newest_forecast_age_seconds", "Seconds since the served run was published.", labels=["domain"]
        )
        failing = GaugeMetricFamily(
            "forecasting_champion_not_loaded", "1 where what is in force could not be loaded.", labels=["domain"]
        )
        now = dt.datetime.now(dt.UTC)
        for domain, forecaster in self.forecasters.items():
            served = forecaster.loaded
            if served is not None:
                version.add_metric([domain, served.name, served.origin.run_id], float(served.origin.version))
                age.add_metric([domain], (now - served.origin.published_at).total_seconds())
                failing.add_metric([domain], float(forecaster.problem is not None))
        return [version, age, failing]


class Measured:
    """Counts and times every request that passes through."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it when its answer begins; one that raises counts as 500."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self.metrics.count(scope, status, time.perf_counter() - started)
