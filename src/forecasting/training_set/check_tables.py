"""What is unusual in a training set, as tables: the life of each series, its gaps, outliers, spikes and sudden falls.

Pure functions of the training set, one row per unique_id and ds: `unique_id, ds, y, region, product_category,
is_imputed`, without missing months inside a series. The sentences made of these tables are in `checks`.
"""

import numpy as np
import pandas as pd

from forecasting.contracts import ALL, SEASON_LENGTH, SERIES_KEY
from forecasting.training_set.spikes import MAD_TO_SD, spikes_of, standing_out

SHORT_MONTHS = 24  # fewer than two of every season
REGULAR_MONTHS = 9  # of twelve with a value: a series of which one expects something every month
MEAN_DEVIATION_TO_SD = 1.2533
FALL_BAND = 0.25  # a fall of less than a quarter of a usual month is not sudden
FALL_BAND_UNKNOWN = 0.50  # the same where the past is too short to know what is usual
FALL_DEVIATIONS = {"total": 3.0, "region": 3.0, "category": 3.0, "series": 4.0}  # robust standard deviations, downwards


def series_table(train: pd.DataFrame) -> pd.DataFrame:
    """Describe each series: one row per unique_id, ordered by it.

    Columns: unique_id, region, product_category, first_month, last_month, n_months, n_nonzero, n_imputed, n_negative,
    last_nonzero_month (NaT where all are zero), status, share (of the sum of all series' last twelve months, 1 is all
    of it; NaN where that sum is zero; for inventory the share of the average stock).

    status is the first that is true of:
    ended (twelve or more trailing zero months), silent (the last months are zero or imputed, while nine or more of the
    twelve before them were not zero), short (fewer than 24 months), intermittent (more than half of the months zero),
    active.
    """
    grouped = train.groupby(SERIES_KEY, sort=True)
    table = grouped.agg(
        first_month=("ds", "min"),
        last_month=("ds", "max"),
        n_months=("ds", "size"),
        n_nonzero=("y", lambda y: int((y != 0).sum())),
        n_imputed=("is_imputed", "sum"),
        n_negative=("y", lambda y: int((y < 0).sum())),
    ).reset_index()
    last_sale = train[train["y"] != 0].groupby("unique_id")["ds"].max()
    table["last_nonzero_month"] = pd.to_datetime(table["unique_id"].map(last_sale))
    status = {uid: _status(rows.sort_values("ds")) for uid, rows in train.groupby("unique_id")}
    table["status"] = table["unique_id"].map(status).astype(object)
    recent = train[train["ds"] > train["ds"].max() - pd.DateOffset(months=SEASON_LENGTH)]
    total = recent["y"].sum()
    mine = table["unique_id"].map(recent.groupby("unique_id")["y"].sum()).fillna(0.0).astype(float)
    table["share"] = mine / (total if total else np.nan)
    return table.astype({"n_nonzero": int, "n_imputed": int, "n_negative": int})


def _status(rows: pd.DataFrame) -> str:
    """Say how alive a series is; `rows` are its months, in order."""
    y = rows["y"].to_numpy()
    if _trailing(y == 0) >= SEASON_LENGTH:
        return "ended"
    quiet = _trailing((y == 0) | rows["is_imputed"].to_numpy(bool))
    before = y[: len(y) - quiet][-SEASON_LENGTH:]
    if quiet and np.count_nonzero(before) >= REGULAR_MONTHS:
        return "silent"
    if len(y) < SHORT_MONTHS:
        return "short"
    return "intermittent" if (y == 0).mean() > 0.5 else "active"


def _trailing(flags: np.ndarray) -> int:
    """Count the true values at the end."""
    return len(flags) if flags.all() else int(np.argmin(flags[::-1]))


def gaps(train: pd.DataFrame) -> pd.DataFrame:
    """List the imputed months of each series that has any: unique_id, n_imputed, n_months, first_ds, last_ds, months.

    One row per unique_id; `months` is a sentence of at most six months ("2012-01, 2012-02 and 4 more").
    """
    columns = ["unique_id", "n_imputed", "n_months", "first_ds", "last_ds", "months"]
    imputed = train[train["is_imputed"].astype(bool)]
    rows = [
        (uid, len(ds), int((train["unique_id"] == uid).sum()), ds.min(), ds.max(), listed(month_names(ds), 6))
        for uid, ds in imputed.groupby("unique_id")["ds"]
    ]
    return pd.DataFrame(rows, columns=columns)


def month_names(ds: pd.Series) -> list[str]:
    """Return months as 2013-12, oldest first."""
    return [f"{month:%Y-%m}" for month in sorted(ds)]


def listed(names: list[str], limit: int = 15) -> str:
    """Join names with commas, the first `limit` of them: "a, b and 3 more"."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def outliers(train: pd.DataFrame, threshold: float = 6.0) -> pd.DataFrame:
    """List months far from what the same month of the year before leads to expect.

    The modified z-score of Iglewicz and Hoaglin (1993, How to Detect and Handle Outliers): distance of the seasonal
    difference y(t) − y(t−12) from its median, divided by 1.4826 × MAD (by 1.2533 × the mean absolute deviation where
    the MAD is zero). Series that are positive throughout are compared by ratios (differences of logarithms), since
    their differences grow with their level. After an outlier the next year is compared with what was expected, not
    with the outlier, so that it does not count twice. Iglewicz and Hoaglin label from 3.5 on; ours is stricter,
    because business series have heavier tails.

    Returns unique_id, ds, y, expected, z (same unit as y, but z is a number of robust standard deviations), ordered.
    """
    found = [_outliers_of(rows, threshold) for _, rows in train.sort_values(["unique_id", "ds"]).groupby("unique_id")]
    columns = ["unique_id", "ds", "y", "expected", "z"]
    found = [rows for rows in found if len(rows)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def _outliers_of(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Outliers of one series whose rows are in order."""
    y = rows["y"].to_numpy(float)
    ratios = len(y) > 0 and (y > 0).all()
    level = np.log(y) if ratios else y.copy()
    difference = level[SEASON_LENGTH:] - level[:-SEASON_LENGTH]
    if len(difference) < SEASON_LENGTH:
        return rows.iloc[:0]
    middle = np.median(difference)
    spread = _robust_spread(difference)
    expected, z = np.full(len(y), np.nan), np.zeros(len(y))
    if spread > 0:
        for t in range(SEASON_LENGTH, len(y)):
            expected[t] = level[t - SEASON_LENGTH] + middle
            z[t] = (level[t] - expected[t]) / spread
            if abs(z[t]) > threshold:
                level[t] = expected[t]
    hit = np.abs(z) > threshold
    shown = rows.loc[hit, ["unique_id", "ds", "y"]]
    return shown.assign(expected=np.exp(expected[hit]) if ratios else expected[hit], z=z[hit])


def _robust_spread(values: np.ndarray) -> float:
    """Return a standard deviation that outliers hardly move; 0 where all values are equal."""
    deviation = np.abs(values - np.median(values))
    return float(MAD_TO_SD * np.median(deviation) or MEAN_DEVIATION_TO_SD * deviation.mean())


def spikes(train: pd.DataFrame) -> pd.DataFrame:
    """List the months of the last two years that stand out, at every aggregation; see `spikes.spikes_of`."""
    return spikes_of(_levels(train))


def sudden_falls(train: pd.DataFrame) -> pd.DataFrame:
    """List where the last month fell out of all it is compared with, from the total down to the series.

    The last month is compared with the lower of two: the same month last year, so that a season is no fall; and the
    same with the change of level since (mean of the three months before, less the mean of the same three a year
    earlier), so that a slow decline is none either. The shortfall, in usual months (mean absolute y of the twelve
    months before), must exceed a quarter, and must lie three robust standard deviations (four for single series, of
    which there are many) below the median of the same comparison in all months before: 1.4826 × the median distance of
    the months below that median, since a rise long ago is no measure of a fall. Where fewer than twelve such months
    exist, it must exceed one half. Earlier months that stand out (of `spikes`) count as what was expected of them: a year after
    a spike nothing has fallen. Series that ended long ago are compared with zero and do not appear.

    Returns aggregation, unique_id, ds, y, expected (the lower of the two), change_pct ((y − expected) / |expected|
    in %; NaN where expected is 0), ordered from the total to the series, the greatest loss in y first.
    """
    columns = ["aggregation", "unique_id", "ds", "y", "expected", "change_pct"]
    found = [
        _falls(_without_spikes(wide, name), FALL_DEVIATIONS[name]).assign(aggregation=name)
        for name, wide in _levels(train).items()
        if len(wide)
    ]
    if not found:
        return pd.DataFrame(columns=columns)
    falls = pd.concat(found, ignore_index=True)
    falls["change_pct"] = 100 * (falls["y"] - falls["expected"]) / falls["expected"].abs().replace(0, np.nan)
    return falls[columns]


def _levels(train: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Sum the series: aggregation name -> months × unique_id; empty where a month has no value yet."""

    def wide(name: pd.Series) -> pd.DataFrame:
        keyed = train.assign(unique_id=name)
        return keyed.groupby(["ds", "unique_id"])["y"].sum().unstack("unique_id")

    return {
        "total": wide(pd.Series(f"{ALL}/{ALL}", index=train.index)),
        "region": wide(train["region"] + f"/{ALL}"),
        "category": wide(f"{ALL}/" + train["product_category"]),
        "series": wide(train["unique_id"]),
    }


def _without_spikes(wide: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return a history in which earlier months that stand out are what was expected of them; the last month stays."""
    expected = standing_out(wide, level)
    expected.iloc[-1] = np.nan
    return wide.where(expected.isna(), expected)


def _falls(wide: pd.DataFrame, deviations: float) -> pd.DataFrame:
    """Find the falls among columns of months: unique_id, ds, y, expected."""
    before = wide.shift(1)
    last_year, level = wide.shift(SEASON_LENGTH), before.rolling(3).mean()
    change = (level - level.shift(SEASON_LENGTH)).clip(upper=0)
    lowest = last_year + change.where(change.notna(), 0.0)  # too young to know its change: last year alone
    usual = before.abs().rolling(SEASON_LENGTH).mean()
    shortfall = (wide - lowest) / usual.where(usual > 0)
    now, past = shortfall.iloc[-1], shortfall.iloc[:-1]
    below = (past.median() - past).where(past <= past.median())
    limit = past.median() - deviations * MAD_TO_SD * below.median()
    band = limit.clip(upper=-FALL_BAND).where(past.count() >= SEASON_LENGTH, -FALL_BAND_UNKNOWN)
    fallen = now.index[now < band]
    y, expected = wide.iloc[-1][fallen].to_numpy(), lowest.iloc[-1][fallen].to_numpy()
    falls = pd.DataFrame({"unique_id": fallen, "ds": wide.index[-1], "y": y, "expected": expected})
    return falls.iloc[np.argsort(y - expected, kind="stable")]
