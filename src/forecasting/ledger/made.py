"""What was forecast: the published forecasts of a run, those in force, and what a model would have said at an earlier cutoff."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from forecasting.contracts import AGGREGATIONS, MAX_HORIZON, SERIES_KEY, levels_in
from forecasting.ledger.changed import OVERRIDE_COLUMNS, WITH_OVERRIDES, Changed
from forecasting.ledger.comparisons import OF_SERIES, named, one_of
from forecasting.ledger.reader import Unknown, require_known
from forecasting.ledger.sign_policy import was_cut
from forecasting.ledger.tables import SERIES_LEVELS
from forecasting.run import Manifest
from forecasting.wording import sql_as_text

FORECASTS = f"""
    {{one}}
    select f.aggregation, f.unique_id, f.region, f.product_category, f.ds, f.predicted_value, f.lo_80, f.hi_80, f.lo_95, f.hi_95,
        f.cutoff, f.horizon, f.is_fallback, f.interval_pool, f.interval_n, f.model_version, {OVERRIDE_COLUMNS}
    from {{source}} as f {WITH_OVERRIDES} where f.run_id = $run_id and f.status = 'published' and f.horizon <= $horizon
        and ($aggregations::varchar[] is null or list_contains($aggregations::varchar[], f.aggregation))
        and {OF_SERIES} {{limits}}
    order by list_position(['series', 'region', 'category', 'total'], f.aggregation), f.unique_id, f.horizon
"""
ON_EVERY_LEVEL = FORECASTS.format(one="", source="forecasts", limits="and not list_contains($known, f.aggregation)")
ON_LEVELS = f"select * from ({ON_EVERY_LEVEL}) order by aggregation, unique_id, horizon"
NAMES = """
    select distinct {column} as name from forecasts where run_id = $run_id and status = 'published' order by 1
"""
# The region and category of some series of a run.
SERIES = """
    select distinct unique_id, region, product_category from forecasts
    where run_id = $run_id and aggregation = 'series' and status = 'published' and unique_id in (select unnest($series))
"""
# What the model of a run says at an earlier cutoff, in the run's walk-forward.
SAID_AT = """
    select aggregation, unique_id, region, product_category, ds, predicted_value from actual_vs_forecast
    where run_id = $run_id and forecast_kind = 'walk_forward' and is_champion and cutoff = $cutoff
        and list_contains($aggregations, aggregation)
"""
# Grain: one row per domain, aggregation, series and coming month. `unit` is what the values count, from the run's manifest.
# Taken out of the manifests once each: joined with them, the rows of very many series would hold gigabytes.
COMING = f"""
    with in_force as materialized (
        select run_id, coalesce(nullif(manifest ->> '$.unit', ''), manifest ->> '$.currency', '') as unit
        from runs semi join latest_runs using (run_id)
    )
    select f.domain, f.aggregation, f.unique_id, f.region, f.product_category, f.ds, f.horizon, f.cutoff,
        f.predicted_value, f.lo_80, f.hi_80, f.lo_95, f.hi_95, {OVERRIDE_COLUMNS},
        in_force.unit,
        f.is_fallback, f.model_name, f.model_version, f.run_id, f.prediction_time
    from forecasts as f
    inner join in_force on in_force.run_id = f.run_id {WITH_OVERRIDES}
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
MANIFEST = "select manifest from runs where run_id = $run_id"


class Noted(NamedTuple):
    """What a run noted of itself, and the series that the sign policy cut in it, as a table of SERIES_KEY."""

    manifest: Manifest
    cut: pd.DataFrame


class Made(Changed):
    """Reads forecasts of a published file; amounts in the domain's unit."""

    def manifest(self, run_id: str) -> Manifest:
        """Return how a run was made.

        Raises
        ------
        Unknown
            If there is no such run.
        """
        return Manifest.read(self._of_run(MANIFEST, run_id)["manifest"])

    def _of_run(self, sql: str, run_id: str) -> pd.Series:
        """Return the one row that a question about a run has for an answer, or say that there is no such run."""
        rows = self.ask(sql, run_id=run_id)
        if rows.empty:
            raise Unknown(f"There is no run {run_id} in {self.path.name}.")
        return rows.iloc[0]

    def forecasts(
        self,
        run_id: str,
        horizon: int = MAX_HORIZON,
        region: str | None = None,
        category: str | None = None,
        aggregations: tuple[str, ...] | None = AGGREGATIONS,
        series: Sequence[str] | None = None,
        noted: Noted | None = None,
    ) -> pd.DataFrame:
        """Return the published forecasts of a run for the first `horizon` months, one row per aggregation, unique_id and ds.

        `was_cut`: whether the sign policy cut a forecast, or one in a sum, to zero; missing where the run did not note it.
        `override_value` and its bounds are what people made of it, missing where nobody overrides it; `final_value` is one of both.

        A region or category limits them to rows of that name; 'All' is the name of what a sum runs over. Where `series` are named, no
        others are among the rows of that aggregation. `aggregations` None: all that the run has, also the sums on levels. `noted`: what the
        run noted, where that is known already.

        Raises
        ------
        Unknown
            If the run knows no such region or category; lists those that it knows.
        """
        limits = {"region": region, "product_category": category}
        limits = {column: name for column, name in limits.items() if name is not None}
        one = {"unique_id": f"{region}/{category}"} if len(limits) == 2 else {}
        source = {"one": one_of("forecasts"), "source": "mine"} if one else {"one": "", "source": "forecasts"}
        rows = self.ask(
            FORECASTS.format(limits=" ".join(f"and f.{column} = ${column}" for column in limits), **source),
            run_id=run_id, horizon=horizon, aggregations=aggregations and list(aggregations), series=named(series), **limits, **one,
        )  # fmt: skip
        if rows.empty:
            for column, name in limits.items():
                known = list(self.ask(NAMES.format(column=column), run_id=run_id)["name"])
                require_known("category" if column == "product_category" else column, name, known)
        noted = noted or self.noted(run_id)
        return rows.assign(was_cut=was_cut(rows, noted.manifest, noted.cut))

    def noted(self, run_id: str) -> Noted:
        """Return what a run noted, and the SERIES_KEY of the series that the sign policy cut in it."""
        manifest = self.manifest(run_id)
        names = list(manifest.explanation.cut_series)
        cut = self.ask(SERIES, run_id=run_id, series=names) if names else pd.DataFrame(columns=SERIES_KEY)
        return Noted(manifest, cut)

    def forecasts_on_levels(self, run_id: str) -> pd.DataFrame:
        """Return the published forecasts of a run for the sums on levels, one row per aggregation, unique_id and ds, without was_cut."""
        return self.ask(
            ON_LEVELS, run_id=run_id, horizon=MAX_HORIZON, aggregations=None, series=None, known=list(AGGREGATIONS)
        )

    def series_levels(self, aggregations: Iterable[str]) -> pd.DataFrame | None:
        """Return which sums each series is in, of the levels among some aggregations; None where none of them is one."""
        found = levels_in(aggregations)
        return self.ask(SERIES_LEVELS, levels=list(found)) if found else None

    def said_at(self, run_id: str, cutoff: dt.date, aggregations: tuple[str, ...] = AGGREGATIONS) -> pd.DataFrame:
        """Return what the model of a run in force would have said at an earlier cutoff, one row per aggregation, unique_id and ds."""
        return self.ask(SAID_AT, run_id=run_id, cutoff=cutoff, aggregations=list(aggregations))

    def coming(self, domain: str, aggregations: tuple[str, ...] = AGGREGATIONS) -> pd.DataFrame:
        """Return the forecasts in force of a domain as `write_coming` writes them: the total first, then the parts."""
        sql = f"select * from ({COMING}) where domain = $domain and list_contains($aggregations, aggregation)"
        return self.ask(sql, domain=domain, aggregations=list(aggregations))

    def write_coming(self, target: Path, form: str, for_spreadsheets: bool = False) -> None:
        """Have DuckDB write the forecasts in force of all domains into a file; `form` is what its `copy` takes.

        `for_spreadsheets`: names that begin like a formula get an apostrophe before them.
        """
        path = str(target).replace("'", "''")
        texts = ", ".join(f"{sql_as_text(name)} as {name}" for name in COMING_TEXTS)
        rows = f"select * replace ({texts}) from ({COMING})" if for_spreadsheets else COMING
        self.ask(f"copy ({rows}) to '{path}' {form}")
