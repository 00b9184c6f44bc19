"""The one reader of what was published: runs, their training sets and forecasts; what came of them is in `comparisons`.

Methods are named after the question that they answer. Each reads what the file holds at that moment (`reader`).
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from forecasting.contracts import AGGREGATIONS, DOMAINS, MAX_HORIZON, levels_in
from forecasting.ledger.changed import OVERRIDE_COLUMNS, WITH_OVERRIDES, Changed
from forecasting.ledger.domain import Domain
from forecasting.ledger.due import Due
from forecasting.ledger.reader import NothingPublished, Unknown, require_known
from forecasting.ledger.sign_policy import was_cut
from forecasting.ledger.tables import SERIES_LEVELS
from forecasting.ledger.trail import Trail
from forecasting.ledger.training_changes import KNOWN
from forecasting.run import Manifest
from forecasting.wording import sql_as_text

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
    where r.domain = $domain and f.status = 'published' order by run_id, r.aggregation, unique_id, ds
"""
ACTUALS = """
    select aggregation, unique_id, region, product_category, ds, y, is_imputed from monthly_actuals
    where domain = $domain and list_contains($aggregations, aggregation) order by all
"""
FORECASTS = f"""
    select f.aggregation, f.unique_id, f.region, f.product_category, f.ds, f.predicted_value, f.lo_80, f.hi_80, f.lo_95, f.hi_95,
        f.cutoff, f.horizon, f.is_fallback, f.interval_pool, f.interval_n, f.model_version, {OVERRIDE_COLUMNS}
    from forecasts as f {WITH_OVERRIDES} where f.run_id = $run_id and f.status = 'published'
    order by list_position(['series', 'region', 'category', 'total'], f.aggregation), f.unique_id, f.horizon
"""
# What the model of a run says at an earlier cutoff, in the run's walk-forward.
SAID_AT = """
    select aggregation, unique_id, region, product_category, ds, predicted_value from actual_vs_forecast
    where run_id = $run_id and forecast_kind = 'walk_forward' and is_champion and cutoff = $cutoff
"""
# Grain: one row per domain, aggregation, series and coming month. `unit` is what the values count, from the run's manifest.
COMING = f"""
    select f.domain, f.aggregation, f.unique_id, f.region, f.product_category, f.ds, f.horizon, f.cutoff,
        f.predicted_value, f.lo_80, f.hi_80, f.lo_95, f.hi_95, {OVERRIDE_COLUMNS},
        coalesce(nullif(runs.manifest ->> '$.unit', ''), runs.manifest ->> '$.currency', '') as unit,
        f.is_fallback, f.model_name, f.model_version, f.run_id, f.prediction_time
    from forecasts as f
    inner join latest_runs on latest_runs.run_id = f.run_id
    inner join runs on runs.run_id = f.run_id {WITH_OVERRIDES}
    where f.status = 'published'
    order by list_position(['sales', 'inventory', 'profit'], f.domain),
        list_position(['total', 'region', 'category', 'series'], f.aggregation), f.unique_id, f.ds
"""
COMING_TEXTS = (
    "unique_id",
    "region",
    "product_category",
    "unit",
    "model_name",
    "model_version",
    "overridden_by",
    "override_reason",
)
ON_LEVELS = (
    f"select * from ({FORECASTS}) where not list_contains($known, aggregation) order by aggregation, unique_id, horizon"
)
CALENDAR = "select * from domain_calendar where domain = $domain"
LEFT_OUT = "select ds, reason, n_facts, amount from left_out_months where domain = $domain order by ds"


class PublishedRun(NamedTuple):
    """One run of the ledger; `published_at` is when it was last published or, of a backfill, written, UTC."""

    run_id: str
    domain: str
    manifest: Manifest
    published_at: dt.datetime


class Published(Changed, Due, Trail):
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
        rows = self.ask(RUN, run_id=run_id)
        if rows.empty:
            raise Unknown(f"There is no run {run_id} in {self.path.name}.")
        row = rows.iloc[0]
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

    def actuals(self, domain: str, aggregations: tuple[str, ...] = AGGREGATIONS) -> pd.DataFrame:
        """Return every closed month, one row per aggregation, unique_id and ds: with y in the domain's unit, and is_imputed."""
        return self.ask(ACTUALS, domain=domain, aggregations=list(aggregations))

    def forecasts(
        self,
        run_id: str,
        horizon: int = MAX_HORIZON,
        region: str | None = None,
        category: str | None = None,
        aggregations: tuple[str, ...] | None = AGGREGATIONS,
    ) -> pd.DataFrame:
        """Return the published forecasts of a run for the first `horizon` months, one row per aggregation, unique_id and ds.

        `was_cut`: whether the sign policy cut a forecast, or one in a sum, to zero; missing where the run did not note it.
        `override_value` and its bounds are what people made of it, missing where nobody overrides it; `final_value` is one of both.

        A region or category limits them to rows of that name; 'All' is the name of what a sum runs over. `aggregations` None: all that
        the run has, also the sums on levels.

        Raises
        ------
        Unknown
            If the run knows no such region or category; lists those that it knows.
        """
        rows = self.ask(FORECASTS, run_id=run_id)
        rows = rows.assign(was_cut=was_cut(rows, self.run(run_id).manifest))
        found = rows[rows["aggregation"].isin(aggregations or rows["aggregation"]) & (rows["horizon"] <= horizon)]
        for column, word, name in (("region", "region", region), ("product_category", "category", category)):
            require_known(word, name, sorted(rows[column].unique()))
            found = found if name is None else found[found[column] == name]
        return found.reset_index(drop=True)

    def forecasts_on_levels(self, run_id: str) -> pd.DataFrame:
        """Return the published forecasts of a run for the sums on levels, one row per aggregation, unique_id and ds, without was_cut."""
        return self.ask(ON_LEVELS, run_id=run_id, known=list(AGGREGATIONS))

    def series_levels(self, aggregations: Iterable[str]) -> pd.DataFrame | None:
        """Return which sums each series is in, of the levels among some aggregations; None where none of them is one."""
        named = levels_in(aggregations)
        return self.ask(SERIES_LEVELS, levels=list(named)) if named else None

    def said_at(self, run_id: str, cutoff: dt.date) -> pd.DataFrame:
        """Return what the model of a run in force would have said at an earlier cutoff, one row per aggregation, unique_id and ds."""
        return self.ask(SAID_AT, run_id=run_id, cutoff=cutoff)

    def coming(self, domain: str) -> pd.DataFrame:
        """Return the forecasts in force of a domain as `write_coming` writes them: the total first, then the parts."""
        return self.ask(f"select * from ({COMING}) where domain = $domain", domain=domain)

    def write_coming(self, target: Path, form: str, for_spreadsheets: bool = False) -> None:
        """Have DuckDB write the forecasts in force of all domains into a file; `form` is what its `copy` takes.

        `for_spreadsheets`: names that begin like a formula get an apostrophe before them.
        """
        path = str(target).replace("'", "''")
        texts = ", ".join(f"{sql_as_text(name)} as {name}" for name in COMING_TEXTS)
        rows = f"select * replace ({texts}) from ({COMING})" if for_spreadsheets else COMING
        self.ask(f"copy ({rows}) to '{path}' {form}")

    def domain(self, name: str, aggregations: tuple[str, ...] = AGGREGATIONS) -> Domain | None:
        """Return all that pages need of a domain, None if nothing has been published for it."""
        run_id = self.in_force().get(name)
        if run_id is None:
            return None
        calendar = self.ask(CALENDAR, domain=name).to_dict("records")
        manifest = self.run(run_id).manifest
        return Domain(
            name=name,
            manifest=manifest,
            actuals=self.actuals(name, aggregations),
            past=self.past(name, aggregations),
            future=self.forecasts(run_id, aggregations=aggregations),
            accuracy=self.accuracy(name),
            calendar=calendar[0] if calendar else {},
            left_out=self.ask(LEFT_OUT, domain=name),
            restated=self.restated(name, run_id, manifest.cutoff),
            restatements=self.ask(RESTATEMENTS, domain=name),
            effects=self.ask(EFFECTS, domain=name),
            monitor=self.judgement(name),
        )

    def domains(self, aggregations: tuple[str, ...] = ("total",)) -> dict[str, Domain | None]:
        """Return every domain by its name, None where nothing has been published; by default the totals only."""
        return {name: self.domain(name, aggregations) for name in DOMAINS}
