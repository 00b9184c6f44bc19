"""What a page needs of one domain; `Published.domain` reads it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from forecasting.contracts import SERIES_KEY
from forecasting.ledger.in_sight import InSight
from forecasting.run import DataWarning, Manifest, Monitoring

RESTATED_COLUMNS = ["unique_id", "region", "product_category", "ds", "before", "now", "change"]
RESTATEMENT_COLUMNS = ["run_id", "published_at", "cutoff", *RESTATED_COLUMNS]
EFFECT_COLUMNS = ["run_id", "known_by", "aggregation", *RESTATED_COLUMNS]
POOL_COLUMNS = ["aggregation", "interval_pool", "first", "last", "n", "n_forecasts"]
RANGE = ["lo_80", "hi_80", "lo_95", "hi_95"]


class Imputed(NamedTuple):
    """How many monthly values of how many series have no fact behind them, how many of the last month; and the last such month."""

    n_values: int = 0
    n_series: int = 0
    n_last_month: int = 0
    last: pd.Timestamp | None = None


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
    restated: one row per series and month that was published before with another value (RESTATED_COLUMNS)
    restatements: the same of every run that found any, with its run_id, published_at (UTC) and cutoff; the one published last first
    effects: of each run whose past was restated, what its champion forecasts from the past as it was known before (by the run known_by)
        and as it is now: one row per run_id, aggregation, series and coming month, with before, now and change
    monitor: what the monitor says of the forecasts that came due
    n_series, n_values: how many series there are, and how many of their monthly values are known
    pools: on which errors the intervals rest: one row per aggregation and interval_pool, with the first and last horizon, the fewest
        errors (n) and n_forecasts
    imputed: which of these values have no fact behind them
    cut: the series that the sign policy cut (SERIES_KEY)
    in_sight: of each level with too many parts to show all, those that are shown; of series the tables above hold no others
    """

    name: str
    manifest: Manifest
    actuals: pd.DataFrame
    past: pd.DataFrame
    future: pd.DataFrame
    accuracy: pd.DataFrame
    calendar: dict[str, Any]
    left_out: pd.DataFrame
    restated: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=RESTATED_COLUMNS))
    restatements: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=RESTATEMENT_COLUMNS))
    effects: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=EFFECT_COLUMNS))
    monitor: Monitoring = field(default_factory=Monitoring)
    n_series: int = 0
    n_values: int = 0
    imputed: Imputed = field(default_factory=Imputed)
    pools: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=POOL_COLUMNS))
    cut: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=SERIES_KEY))
    in_sight: dict[str, InSight] = field(default_factory=dict)

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

    def shown(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return those of some rows (aggregation, unique_id) that are in sight: all of them where there are few parts."""
        keep = pd.Series(True, rows.index)
        for level, sight in self.in_sight.items():
            keep &= (rows["aggregation"] != level) | rows["unique_id"].isin(sight.names)
        return rows[keep] if self.in_sight else rows

    @property
    def n_forecasts(self) -> int:
        """How many forecasts are published for the coming months, of series and sums."""
        return int(self.pools["n_forecasts"].sum())

    @property
    def has_history(self) -> bool:
        """Whether a month that was forecast and published has ended since."""
        return bool(self.past["is_published"].any())


def at(table: pd.DataFrame, aggregation: str) -> pd.DataFrame:
    """Return the rows of one aggregation: series, region, category or total."""
    return table[table["aggregation"] == aggregation]


def one_per_name(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep one aggregation for each region and category: with one region only, its sums bear the series' names."""
    order = {"total": 0, "region": 1, "category": 2, "series": 3}
    ranked = rows.assign(rank=rows["aggregation"].map(order)).sort_values(["rank", "ds"], kind="stable")
    return ranked.drop_duplicates(["region", "product_category", "ds"])
