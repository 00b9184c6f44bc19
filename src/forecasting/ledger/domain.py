"""What a page needs from published.duckdb, one domain at a time. Every query opens the file and closes it at once."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecasting.contracts import AGGREGATIONS, DOMAINS
from forecasting.ledger.database import query
from forecasting.run import DataWarning, Manifest

RANGE = ["lo_80", "hi_80", "lo_95", "hi_95"]

LATEST_RUN = """
    select runs.run_id, runs.manifest from latest_runs inner join runs on latest_runs.run_id = runs.run_id
    where latest_runs.domain = $domain
"""
ACTUALS = """
    select aggregation, unique_id, region, product_category, ds, y, is_imputed from monthly_actuals
    where domain = $domain and list_contains($aggregations, aggregation) order by all
"""
# One forecast for each month that is over: a published one if there is one, else the walk-forward one; the one that was
# made latest; of two runs with the same cutoff the one published last.
PAST = """
    with candidates as (
        select f.*, coalesce(f.forecast_kind = 'published', false) as is_published, r.published_at
        from actual_vs_forecast as f
        left join (select run_id, max(published_at) as published_at from publications group by run_id) as r
            on f.run_id = r.run_id
        where f.domain = $domain and f.actual is not null and list_contains($aggregations, f.aggregation)
            and f.ds <= (select max(ds) from monthly_actuals where domain = $domain)
            and ((f.forecast_kind = 'published' and f.status = 'published')
                or (f.forecast_kind = 'walk_forward' and f.is_champion))
    ),
    latest as (
        select * from candidates
        qualify row_number() over (
            partition by aggregation, unique_id, ds order by is_published desc, horizon, published_at desc, run_id
        ) = 1
    )
    select aggregation, unique_id, region, product_category, ds, actual, predicted_value, lo_80, hi_80, lo_95, hi_95,
        variance, variance_pct, cutoff, horizon, is_published, is_fallback
    from latest order by aggregation, unique_id, ds
"""
NEXT = """
    select aggregation, unique_id, region, product_category, ds, predicted_value, lo_80, hi_80, lo_95, hi_95, cutoff,
        horizon, is_fallback, interval_n
    from forecasts
    where run_id = $run_id and status = 'published' and list_contains($aggregations, aggregation)
    order by aggregation, unique_id, ds
"""
ACCURACY = "select * exclude (domain) from forecast_accuracy where domain = $domain order by all"
CALENDAR = "select * from domain_calendar where domain = $domain"
LEFT_OUT = "select ds, reason, n_facts, amount from left_out_months where domain = $domain order by ds"


@dataclass(frozen=True)
class Domain:
    """What is known of one domain.

    Attributes
    ----------
    manifest: how the latest run was made (see the ledger table `runs`)
    actuals: one row per aggregation, series and closed month; `y` in the domain's unit
    past: one row per aggregation, series and closed month that has a forecast (`is_published`, or walk-forward)
    future: one row per aggregation, series and coming month: the latest run's published forecasts
    accuracy: rows of `forecast_accuracy`
    calendar: the row of `domain_calendar`, empty where there are no facts
    left_out: one row per month that is not used
    """

    name: str
    manifest: Manifest
    actuals: pd.DataFrame
    past: pd.DataFrame
    future: pd.DataFrame
    accuracy: pd.DataFrame
    calendar: dict[str, Any]
    left_out: pd.DataFrame

    @property
    def title(self) -> str:
        """The domain's name as a heading."""
        return self.name.capitalize()

    @property
    def unit(self) -> str:
        """What `y` counts: the currency, or units."""
        return self.manifest.unit

    @property
    def measure(self) -> str:
        """What `y` measures in words, such as «operating profit»; the domain's name where that is not known."""
        return self.calendar.get("measure") or self.name

    @property
    def champion(self) -> str:
        """The name of the model that makes the forecasts."""
        return self.manifest.champion.name

    @property
    def last_month(self) -> pd.Timestamp | None:
        """The last closed month, None where there are no actuals."""
        return None if self.actuals.empty else self.actuals["ds"].max()

    @property
    def warnings(self) -> list[DataWarning]:
        """The check notebook's warnings, most severe first."""
        order = ["high", "medium", "low"]
        found = self.manifest.check.warnings
        return sorted(found, key=lambda w: order.index(w.severity) if w.severity in order else len(order))

    @property
    def has_history(self) -> bool:
        """Whether a month that was forecast and published has ended since."""
        return bool(self.past["is_published"].any())


def at(table: pd.DataFrame, aggregation: str) -> pd.DataFrame:
    """Return the rows of one aggregation: series, region, category or total."""
    return table[table["aggregation"] == aggregation]


def load_domain(published: str, name: str, aggregations: tuple[str, ...] = AGGREGATIONS) -> Domain | None:
    """Return a domain of the published database, or None if nothing has been published for it."""
    runs = query(published, LATEST_RUN, {"domain": name})
    if runs.empty:
        return None
    rows = {"domain": name, "aggregations": list(aggregations)}
    run = {"run_id": runs.loc[0, "run_id"], "aggregations": list(aggregations)}
    calendar = query(published, CALENDAR, {"domain": name}).to_dict("records")
    return Domain(
        name=name,
        manifest=Manifest.read(runs.loc[0, "manifest"]),
        actuals=query(published, ACTUALS, rows),
        past=query(published, PAST, rows),
        future=query(published, NEXT, run),
        accuracy=query(published, ACCURACY, {"domain": name}),
        calendar=calendar[0] if calendar else {},
        left_out=query(published, LEFT_OUT, {"domain": name}),
    )


def load_domains(published: str, aggregations: tuple[str, ...] = ("total",)) -> dict[str, Domain | None]:
    """Return every domain by its name, None where nothing has been published; by default the totals only."""
    return {name: load_domain(published, name, aggregations) for name in DOMAINS}


def one_per_name(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep one aggregation for each region and category: with one region only, its sums bear the series' names."""
    order = {"total": 0, "region": 1, "category": 2, "series": 3}
    ranked = rows.assign(rank=rows["aggregation"].map(order)).sort_values(["rank", "ds"], kind="stable")
    return ranked.drop_duplicates(["region", "product_category", "ds"])
