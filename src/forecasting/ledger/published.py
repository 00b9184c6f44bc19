"""What was published, for those who serve it: the runs, their training sets, forecasts and accuracy, out of `published.duckdb`.

Every question opens the file and closes it at once, one at a time, so that the next sees a file that was replaced in between.
"""

import datetime as dt
import threading
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.ledger.database import query
from forecasting.run import Manifest

# DuckDB hands a process that has a file open the same file again, though another has taken its place.
ONE_AT_A_TIME = threading.Lock()

IN_FORCE = "select domain, run_id, published_at from latest_runs order by domain"
RUN = """
    select domain, manifest, (select max(published_at) from publications where publications.run_id = runs.run_id) as published_at
    from runs where run_id = $run_id
"""
# The run that was in force at the end of a day: the one published last until then.
AS_OF = """
    select run_id from publications where domain = $domain and published_at::date <= $day::date order by published_at desc limit 1
"""
FORECASTS = """
    select aggregation, region, product_category, cutoff, horizon, ds, predicted_value, lo_80, hi_80, lo_95, hi_95, interval_pool,
        interval_n, is_fallback, model_version
    from forecasts
    where run_id = $run_id and status = 'published' and horizon <= $horizon
        and ($region is null or region = $region) and ($category is null or product_category = $category)
        and ($aggregation is null or aggregation = $aggregation)
    order by list_position(['series', 'region', 'category', 'total'], aggregation), unique_id, horizon
"""
NAMES = "select distinct region, product_category from forecasts where run_id = $run_id and status = 'published' order by all"
ACCURACY = """
    select aggregation, model_name, is_champion, forecast_kind, evaluation_set, horizon_group, n, n_cutoffs, first_cutoff,
        last_cutoff, mae, rmse, wape, bias, mase, coverage_80, coverage_95, fva
    from forecast_accuracy
    where domain = $domain and ($aggregation is null or aggregation = $aggregation)
        and ($model is null or model_name = $model) and ($kind is null or forecast_kind = $kind)
    order by all
"""


class NothingPublished(UserError):
    """Nothing of a domain has been published yet, which is no fault."""


class Unknown(UserError):
    """A region, category or run that is not among those published."""


class PublishedRun(NamedTuple):
    """One run of the ledger; `published_at` is when it was last published, UTC."""

    run_id: str
    domain: str
    manifest: Manifest
    published_at: dt.datetime


class Published:
    """Reads the published database of a workspace; may be used by any number of threads."""

    def __init__(self, data: Path) -> None:
        """`data`: the workspace's folder that is never deleted, data/<name>."""
        self.path = Path(data) / "published.duckdb"

    def ask(self, sql: str, **params: Any) -> pd.DataFrame:
        """Run one SELECT."""
        if not self.path.exists():
            raise NothingPublished("Nothing has been published yet: `make report` does it.")
        with ONE_AT_A_TIME:
            return query(self.path, sql, params)

    def in_force(self) -> dict[str, str]:
        """Return the run in force of each domain that has been published."""
        rows = self.ask(IN_FORCE)
        return dict(zip(rows["domain"], rows["run_id"], strict=True))

    def in_force_of(self, domain: str, as_of: dt.date | None = None) -> str:
        """Return the run in force of a domain, now or at the end of a day (UTC).

        Raises
        ------
        NothingPublished
            If nothing of the domain had been published by then.
        """
        if as_of is None:
            found = self.in_force().get(domain)
        else:
            rows = self.ask(AS_OF, domain=domain, day=as_of.isoformat())
            found = None if rows.empty else rows.loc[0, "run_id"]
        if found is None:
            raise NothingPublished(
                f"Nothing of {domain} {f'had been published by {as_of}' if as_of else 'has been published yet'}."
            )
        return found

    def run(self, run_id: str) -> PublishedRun:
        """Return a run of the ledger.

        Raises
        ------
        Unknown
            If there is no such run.
        """
        rows = self.ask(RUN, run_id=run_id)
        if rows.empty:
            raise Unknown(f"There is no run {run_id} in {self.path.name}.")
        row = rows.iloc[0]
        at = row["published_at"].to_pydatetime().replace(tzinfo=dt.UTC)
        return PublishedRun(run_id, row["domain"], Manifest.read(row["manifest"]), at)

    def training_set(self, domain: str) -> pd.DataFrame:
        """Return the training set of a domain: one row per unique_id, ds, in that order."""
        if domain not in DOMAINS:
            raise Unknown(f"There is no domain {domain!r}: it is one of {', '.join(DOMAINS)}.")
        rows = self.ask(f"select * from ml_train_{domain}_monthly order by unique_id, ds")
        return rows.assign(ds=rows["ds"].astype("datetime64[ns]"))

    def forecasts(
        self,
        run_id: str,
        horizon: int,
        region: str | None = None,
        category: str | None = None,
        aggregation: str | None = None,
    ) -> pd.DataFrame:
        """Return the published forecasts of a run for the first `horizon` months, one row per aggregation, series and month.

        A region or category limits them to rows of that name; 'All' is the name of what a sum runs over.

        Raises
        ------
        Unknown
            If the run knows no such region or category; lists those that it knows.
        """
        self._check_names(run_id, region=region, product_category=category)
        return self.ask(
            FORECASTS, run_id=run_id, horizon=horizon, region=region, category=category, aggregation=aggregation
        )

    def _check_names(self, run_id: str, **wanted: str | None) -> None:
        """Raise Unknown for a region or category that a run does not know."""
        if all(name is None for name in wanted.values()):
            return
        known = self.ask(NAMES, run_id=run_id)
        for column, name in wanted.items():
            names = sorted(known[column].unique())
            if name is not None and name not in names:
                word = {"region": "region", "product_category": "category"}[column]
                raise Unknown(f"There is no {word} {name!r}; there are {', '.join(names)}.")

    def accuracy(
        self, domain: str, aggregation: str | None = None, model: str | None = None, kind: str | None = None
    ) -> pd.DataFrame:
        """Return the rows of `forecast_accuracy` of a domain, limited to an aggregation, a model, a kind of forecast."""
        self.in_force_of(domain)
        return self.ask(ACCURACY, domain=domain, aggregation=aggregation, model=model, kind=kind)
