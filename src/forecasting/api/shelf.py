"""What was published, read once for each publication and kept as it is answered: a request then only picks rows."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from forecasting.api.schemas import Accuracy, AccuracyQuery, AccuracyRow, ForecastQuery, ForecastRow, Forecasts
from forecasting.ledger import Noted, Published, require_known, run_bounds_cut, run_points_cut
from forecasting.run import plain_rows

RUNS = 8  # whose forecasts are kept: those in force, and some of earlier days
ANSWERS = 256  # small ones that are kept
LARGE = 20_000  # forecasts of a run from which they are looked up in the file when they are asked for


class Row(NamedTuple):
    """One published forecast: what it is picked by, and itself as JSON."""

    aggregation: str
    region: str
    category: str
    horizon: int
    text: str


class Head(NamedTuple):
    """What the answers on one run's forecasts share, as JSON with an empty list at its end; how many forecasts it has; what it noted."""

    text: str
    n_forecasts: int
    noted: Noted


class Answer(NamedTuple):
    """A list that is answered: what stands beside it, as JSON with an empty list at its end, and its rows as JSON."""

    head: str
    rows: Sequence[str]

    def with_rows(self, rows: Iterable[str]) -> str:
        """Return the answer as JSON with these rows in its list."""
        return f"{self.head.removesuffix(']}')}{','.join(rows)}]}}"


class PublishedForecasts(NamedTuple):
    """The forecasts of one run: the answer's head as JSON, an empty list at its end, the rows, and the names in them."""

    head: str
    rows: list[Row]
    regions: list[str]
    categories: list[str]
    aggregations: list[str]

    def answer(self, query: ForecastQuery, category: str | None) -> Answer:
        """Return the content of a Forecasts with the rows that are asked for."""
        for word, name, names in (
            ("region", query.region, self.regions),
            ("category", category, self.categories),
            ("aggregation", query.aggregation, self.aggregations),
        ):
            require_known(word, name, names)
        found = [
            row.text
            for row in self.rows
            if row.horizon <= query.horizon
            and (query.aggregation is None or row.aggregation == query.aggregation)
            and (query.region is None or row.region == query.region)
            and (category is None or row.category == category)
        ]
        return Answer(self.head, found)


class Shelf:
    """Answers what asks for published tables; any number of threads may ask."""

    def __init__(self, published: Published) -> None:
        self._published = published
        # the state of the file, which each publication changes, is part of every key
        self._in_force = lru_cache(ANSWERS)(self._look_up)
        self._forecasts = lru_cache(RUNS)(self._read_forecasts)
        self._heads = lru_cache(RUNS)(self._read_head)
        self._looked_up = lru_cache(ANSWERS)(self._look_up_forecasts)
        self._accuracy = lru_cache(ANSWERS)(self._read_accuracy)

    def forecasts(self, query: ForecastQuery, category: str | None) -> Answer:
        """Return the content of a Forecasts; `category` is the product category that is asked for."""
        state = self._published.state
        run_id = self._in_force(state, query.domain, query.as_of)
        if self._heads(state, run_id).n_forecasts > LARGE:
            return self._looked_up(state, run_id, query.horizon, query.region, category, query.aggregation)
        return self._forecasts(state, run_id).answer(query, category)

    def accuracy(self, query: AccuracyQuery) -> Answer:
        """Return the content of an Accuracy."""
        asked = query.domain, query.aggregation, query.model_name, query.forecast_kind
        return self._accuracy(self._published.state, *asked)

    def _look_up(self, state: tuple, domain: str, as_of: dt.date | None) -> str:
        """Return the run in force of a domain at the end of a day."""
        return self._published.in_force_of(domain, as_of)

    def _read_head(self, state: tuple, run_id: str) -> Head:
        """Return what all answers on a run's forecasts share."""
        run, total = self._published.run(run_id), self._published.forecasts(run_id, aggregations=("total",))
        versions = total["model_version"].dropna()
        head = Forecasts(
            domain=run.domain, run_id=run_id, unit=run.manifest.unit or None, model_name=run.manifest.champion.name,
            model_version=versions.iloc[0] if len(versions) else None, published_at=run.published_at,
            warnings=[text for text in (run_points_cut(run.manifest), run_bounds_cut(run.manifest)) if text], forecasts=[],
        )  # fmt: skip
        n = int(self._published.pools(run_id)["n_forecasts"].sum())
        return Head(head.model_dump_json(), n, self._published.noted(run_id))

    def _look_up_forecasts(
        self, state: tuple, run_id: str, horizon: int, region: str | None, category: str | None, level: str | None
    ) -> Answer:
        """Return the forecasts that are asked for, out of the file: for runs with too many to keep them all."""
        head = self._heads(state, run_id)
        levels = None if level is None else (level,)
        table = self._published.forecasts(run_id, horizon, region, category, levels, noted=head.noted)
        rows = [ForecastRow.model_validate(row).model_dump_json() for row in plain_rows(table)]
        return Answer(head.text, rows)

    def _read_forecasts(self, state: tuple, run_id: str) -> PublishedForecasts:
        """Return the forecasts of a run."""
        head = self._heads(state, run_id)
        table = self._published.forecasts(run_id, aggregations=None, noted=head.noted)
        rows = [ForecastRow.model_validate(row) for row in plain_rows(table)]
        return PublishedForecasts(
            head.text,
            [
                Row(row.aggregation, row.region, row.product_category, row.horizon, row.model_dump_json())
                for row in rows
            ],
            sorted({row.region for row in rows}),
            sorted({row.product_category for row in rows}),
            list(dict.fromkeys(row.aggregation for row in rows)),
        )

    def _read_accuracy(
        self, state: tuple, domain: str, aggregation: str | None, model: str | None, kind: str | None
    ) -> Answer:
        """Return how good the models of a domain were."""
        run = self._published.run(self._in_force(state, domain, None))
        head = Accuracy(domain=domain, run_id=run.run_id, unit=run.manifest.unit or None, accuracy=[])
        rows = plain_rows(self._published.accuracy(domain, aggregation, model, kind))
        return Answer(head.model_dump_json(), [AccuracyRow.model_validate(row).model_dump_json() for row in rows])
