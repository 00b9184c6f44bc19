"""The one reader of what was published: runs, their training sets and forecasts; what came of them is in `comparisons`.

Methods are named after the question that they answer. Each reads what the file holds at that moment (`reader`).
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from forecasting.contracts import AGGREGATIONS, DOMAINS
from forecasting.ledger.comparisons import OF_SERIES, named
from forecasting.ledger.domain import Domain, Imputed
from forecasting.ledger.due import Due
from forecasting.ledger.in_sight import Sight
from forecasting.ledger.measured import Measured
from forecasting.ledger.reader import NothingPublished, Unknown
from forecasting.ledger.single import Single
from forecasting.ledger.trail import Trail
from forecasting.ledger.training_changes import KNOWN
from forecasting.run import Manifest

IN_FORCE = "select domain, run_id from latest_runs semi join runs using (run_id) order by domain"
RUN = """
    select domain, manifest,
        coalesce((select max(published_at) from publications where publications.run_id = runs.run_id), published_at) as published_at
    from runs where run_id = $run_id
"""
# The run that was in force at the end of a day: the one published last until then.
AS_OF = """
    select run_id from publications where domain = $domain and published_at::date <= $day::date order by published_at desc limit 1
"""
MANIFESTS = """
    select runs.manifest from publications inner join runs on publications.run_id = runs.run_id
    where publications.domain = $domain order by publications.published_at desc
"""
EARLIER_RUNS = """
    with published as (
        select run_id, max(published_at) as published_at from publications where domain = $domain group by run_id
    )
    select runs.run_id, runs.cutoff, runs.champion, runs.manifest, runs.cutoff = $cutoff as is_same_cutoff
    from runs inner join published on runs.run_id = published.run_id
    where runs.run_id <> $run_id
        and (runs.cutoff = $cutoff or (runs.cutoff < $cutoff and runs.run_id in (select run_id from counted_forecasts)))
    order by is_same_cutoff, runs.cutoff desc, published.published_at desc
"""
# What a run, and others after the earlier one, changed of months that were published: first and last value of each.
RESTATED = """
    select unique_id, any_value(restatements.region) as region, any_value(restatements.product_category) as product_category,
        restatements.ds, arg_min(y_before, runs.published_at) as before, arg_max(y, runs.published_at) as now, now - before as change
    from restatements inner join runs using (run_id)
    where restatements.domain = $domain and runs.published_at > (select published_at from runs where run_id = $earlier)
    group by unique_id, restatements.ds having change <> 0 order by restatements.ds, unique_id
"""
# Every month that a run found changed, the run published last first, in it the largest change first.
RESTATEMENTS = """
    select run_id, runs.published_at, runs.cutoff, unique_id, region, product_category, ds, y_before as before, y as now,
        y - y_before as change
    from restatements inner join runs using (run_id) where restatements.domain = $domain
    order by runs.published_at desc, abs(y - y_before) desc, unique_id, ds
"""
# What restated months did to the forecasts of each run: from the past as it was known before, and as it is known now.
EFFECTS = """
    select run_id, known_by, r.aggregation, unique_id, r.region, r.product_category, ds, r.predicted_value as before,
        f.predicted_value as now, f.predicted_value - r.predicted_value as change
    from restated_forecasts as r inner join forecasts as f using (run_id, aggregation, unique_id, horizon, ds)
    where r.domain = $domain and f.status = 'published' and list_contains($aggregations, r.aggregation)
    order by run_id, r.aggregation, unique_id, ds
"""
ACTUALS = f"""
    select aggregation, unique_id, region, product_category, ds, y, is_imputed from monthly_actuals as f
    where domain = $domain and list_contains($aggregations, aggregation) and {OF_SERIES} order by all
"""
IMPUTED = """
    select count(*) as n_values, count(distinct unique_id) as n_series,
        count(*) filter (is_imputed) as n_imputed, count(distinct unique_id) filter (is_imputed) as n_imputed_series,
        count(*) filter (is_imputed and ds = (select max(ds) from monthly_actuals where domain = $domain)) as n_last_month,
        max(ds) filter (is_imputed) as last
    from monthly_actuals where domain = $domain and aggregation = 'series'
"""
# On which errors, and how many, the intervals of a run's forecasts rest.
POOLS = """
    select aggregation, interval_pool, min(horizon) as first, max(horizon) as last, min(interval_n) as n, count(*) as n_forecasts
    from forecasts where run_id = $run_id and status = 'published' group by aggregation, interval_pool order by all
"""
CALENDAR = "select * from domain_calendar where domain = $domain"
LEFT_OUT = "select ds, reason, n_facts, amount from left_out_months where domain = $domain order by ds"


class PublishedRun(NamedTuple):
    """One run of the ledger; `published_at` is when it was last published or, of a backfill, written, UTC."""

    run_id: str
    domain: str
    manifest: Manifest
    published_at: dt.datetime


class Published(Single, Measured, Sight, Due, Trail):
    """Reads the published file of a workspace."""

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
        row = self._of_run(RUN, run_id)
        at = row["published_at"].to_pydatetime().replace(tzinfo=dt.UTC)
        return PublishedRun(run_id, row["domain"], Manifest.read(row["manifest"]), at)

    def manifests(self, domain: str) -> list[Manifest]:
        """Return the manifests of a domain's publications, the one in force first; a run published twice is there twice."""
        return [Manifest.read(text) for text in self.ask(MANIFESTS, domain=domain)["manifest"]]

    def earlier_runs(self, domain: str, run_id: str, cutoff: str) -> pd.DataFrame:
        """Return what was published before a run: run_id, cutoff, champion, manifest, is_same_cutoff.

        First the runs that count for earlier cutoffs, the latest first; then other runs of the same cutoff, the one published last
        first.
        """
        rows = self.ask(EARLIER_RUNS, domain=domain, run_id=run_id, cutoff=cutoff)
        return rows.assign(manifest=rows["manifest"].map(Manifest.read))

    def restated(self, domain: str, run_id: str, cutoff: str) -> pd.DataFrame:
        """Return what changed of published months since the forecast published before, the first of `earlier_runs`.

        One row per series and month: unique_id, region, product_category, ds, before, now, change, in the domain's unit.
        """
        earlier = self.ask(EARLIER_RUNS, domain=domain, run_id=run_id, cutoff=cutoff)["run_id"]
        return self.ask(RESTATED, domain=domain, earlier=None if earlier.empty else earlier.iloc[0])

    def known_by(self, domain: str, run_id: str) -> pd.DataFrame:
        """Return the training set of a run (TRAIN_COLUMNS); no rows where it is of before the ledger kept it."""
        rows = self.ask(KNOWN, domain=domain, run_id=run_id)
        return rows.assign(ds=rows["ds"].astype("datetime64[ns]"))

    def training_set(self, domain: str) -> pd.DataFrame:
        """Return the training set of a domain: one row per unique_id, ds, in that order."""
        if domain not in DOMAINS:
            raise Unknown(f"There is no domain {domain!r}: it is one of {', '.join(DOMAINS)}.")
        rows = self.ask(f"select * from ml_train_{domain}_monthly order by unique_id, ds")
        return rows.assign(ds=rows["ds"].astype("datetime64[ns]"))

    def actuals(
        self, domain: str, aggregations: tuple[str, ...] = AGGREGATIONS, series: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return every closed month, one row per aggregation, unique_id and ds: with y in the domain's unit, and is_imputed.

        Where `series` are named, no others are among the rows of that aggregation.
        """
        return self.ask(ACTUALS, domain=domain, aggregations=list(aggregations), series=named(series))

    def write_actuals(self, domain: str, target: Path) -> None:
        """Have DuckDB write the same as Parquet, of all aggregations."""
        self._write(ACTUALS, target, domain=domain, aggregations=list(AGGREGATIONS), series=None)

    def extent(self, domain: str) -> tuple[int, int, Imputed]:
        """Return how many monthly values of how many series are known, and which of them have no fact behind them."""
        found = self.ask(IMPUTED, domain=domain).iloc[0]
        counts = (int(found[name]) for name in ("n_imputed", "n_imputed_series", "n_last_month"))
        return int(found["n_values"]), int(found["n_series"]), Imputed(*counts, found["last"])

    def pools(self, run_id: str) -> pd.DataFrame:
        """Return on which errors, and how many, the intervals of a run's forecasts rest; see `Domain.pools`."""
        return self.ask(POOLS, run_id=run_id)

    def domain(self, name: str, aggregations: tuple[str, ...] = AGGREGATIONS, whole: bool = True) -> Domain | None:
        """Return all that is known of a domain, None if nothing has been published for it.

        Where not `whole`, what pages need: of very many series, those in sight alone.
        """
        run_id = self.in_force().get(name)
        if run_id is None:
            return None
        calendar = self.ask(CALENDAR, domain=name).to_dict("records")
        noted = self.noted(run_id)
        manifest = noted.manifest
        sight = self.in_sight(name, run_id) if {*aggregations} - {"total"} else {}
        n_values, n_series, imputed = self.extent(name)
        rows = {
            "aggregations": aggregations,
            "series": sight["series"].names if "series" in sight and not whole else None,
        }
        return Domain(
            name=name,
            manifest=manifest,
            actuals=self.actuals(name, **rows),
            past=self.past(name, **rows),
            future=self.forecasts(run_id, **rows, noted=noted),
            accuracy=self.accuracy(name),
            calendar=calendar[0] if calendar else {},
            left_out=self.ask(LEFT_OUT, domain=name),
            restated=self.restated(name, run_id, manifest.cutoff),
            restatements=self.ask(RESTATEMENTS, domain=name),
            effects=self.ask(
                EFFECTS, domain=name, aggregations=[level for level in AGGREGATIONS if whole or level not in sight]
            ),
            monitor=self.judgement(name),
            n_series=n_series,
            n_values=n_values,
            imputed=imputed,
            pools=self.pools(run_id),
            cut=noted.cut,
            in_sight=sight,
        )

    def domains(self, aggregations: tuple[str, ...] = ("total",), whole: bool = False) -> dict[str, Domain | None]:
        """Return every domain by its name, None where nothing has been published; by default the totals only."""
        return {name: self.domain(name, aggregations, whole) for name in DOMAINS}
