"""The hard stop of the data check: what cannot be forecast at all."""

from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH
from forecasting.errors import UserError
from forecasting.run import Facts
from forecasting.training_set.check_tables import listed, month_names

MIN_MONTHS = SEASON_LENGTH + 1  # with thirteen months one month can be compared with the year before
COMPARE_MONTHS = 30  # two years to learn from and six months to compare


def require_forecastable(train: pd.DataFrame, domain: str, facts: dict[str, Any]) -> None:
    """Stop where the training set cannot be forecast.

    Raises
    ------
    UserError
        If it is empty, has fewer than 13 closed months, repeats a series' month, misses one, holds a value that is not
        a finite number, or is zero throughout. The message says which series and months, and what to do.
    """
    _require_months(train, domain, facts)
    _require_grid(train, domain)
    bad = train[~np.isfinite(train["y"].astype(float))]
    if len(bad):
        raise UserError(
            f"{domain} has {len(bad)} values that are not finite numbers: {_places(bad)}. Correct the facts there."
        )
    if (train["y"] == 0).all():
        raise UserError(
            f"{domain} is zero in all {train['ds'].nunique()} months of all {train['unique_id'].nunique()} series: "
            "there is nothing to forecast. Check the column that holds the amount or quantity."
        )


def _require_months(train: pd.DataFrame, domain: str, facts: dict[str, Any]) -> None:
    """Thirteen closed months at least."""
    months = sorted(train["ds"].unique())
    if len(months) >= MIN_MONTHS:
        return
    count = "no closed month" if not months else f"{months_text(len(months))} ({span(months)})"
    reasons: dict[str, list[str]] = {}
    for month in Facts.from_json(facts).left_out:
        reasons.setdefault(month["reason"], []).append(str(month["ds"])[:7])
    left_out = "; ".join(
        f"{', '.join(names) if len(names) < 4 else span(names)}, {why}" for why, names in reasons.items()
    )
    raise UserError(
        f"{domain} has {count}; at least {MIN_MONTHS} are needed, {COMPARE_MONTHS} or more to compare models: "
        f"give facts of a longer time.{f' Left out: {left_out}.' if left_out else ''}"
    )


def _require_grid(train: pd.DataFrame, domain: str) -> None:
    """One row per series and month, and no month missing from a series' first to the domain's last."""
    repeated = train[train.duplicated(["unique_id", "ds"], keep="first")]
    if len(repeated):
        raise UserError(
            f"{domain} has more than one row for a series and month: {_places(repeated)}. Build the data again."
        )
    last = train["ds"].max()
    first = train.groupby("unique_id")["ds"].agg(["min", "size"])
    expected = (last.year - first["min"].dt.year) * 12 + last.month - first["min"].dt.month + 1
    broken = first.index[expected != first["size"]]
    if len(broken):
        uid = broken[0]
        whole = pd.date_range(first.loc[uid, "min"], last, freq="MS")
        missing = whole.difference(train.loc[train["unique_id"] == uid, "ds"])
        more = f" {len(broken) - 1} more series have gaps." if len(broken) > 1 else ""
        raise UserError(
            f"{domain}: series {uid} has no row for {listed(month_names(missing.to_series()), 6)}, though it runs from "
            f"{whole[0]:%Y-%m} to {last:%Y-%m}.{more} Build the data again."
        )


def _places(rows: pd.DataFrame) -> str:
    """Name series and months: "North/Bikes in 2024-03"."""
    return listed([f"{uid} in {ds:%Y-%m}" for uid, ds in zip(rows["unique_id"], rows["ds"], strict=True)], 5)


def months_text(n: int) -> str:
    """Return "1 closed month" or "14 closed months"."""
    return "1 closed month" if n == 1 else f"{n} closed months"


def span(months: list[Any]) -> str:
    """Return "2025-06" or "2024-01 to 2025-06"."""
    names = month_names(pd.to_datetime(pd.Series(months)))
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
