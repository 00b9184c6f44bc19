"""How good forecasts of a competition set are: the measures of `metrics`, as the literature quotes them.

All series of a set have the same number of test months, so the mean over all rows is the mean over the series' own means,
which is how sMAPE, MAPE and MASE are published. MASE is scaled by the seasonal naive's mean absolute error in the training part
(Hyndman and Koehler 2006). WQL is the weighted quantile loss over the levels 0.1 to 0.9.
"""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from forecasting.competitions import Dataset
from forecasting.contracts import BOUNDS, QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.evaluation import METRICS, wql
from forecasting.series import month_number

CHAMPION = "champion"
MEASURES = ("smape", "mape", "mase", "wql", "coverage_80", "coverage_95")
BOUNDS_95 = [BOUNDS["lo_95"], BOUNDS["hi_95"]]
ALL_METRICS = METRICS | {"wql": wql}
RESULT_COLUMNS = ["dataset", "model", *MEASURES, "seconds"]


def score(dataset: Dataset, forecasts: pd.DataFrame, seconds: Mapping[str, float]) -> pd.DataFrame:
    """Measure every model on the test part.

    Parameters
    ----------
    forecasts: one row per model_name, unique_id, horizon, with ds and q025 … q975.
    seconds: wall time by model_name.

    Returns
    -------
    RESULT_COLUMNS, one row per model, the champion first, then by MASE. Coverage is in %, like sMAPE (0 … 200) and MAPE.

    Raises
    ------
    ValueError
        If a model lacks a month of the test part, or its quantiles are not ordered finite numbers.
    """
    rows = joined(dataset, forecasts)
    found = [
        {"dataset": dataset.name, "model": name} | measure(part) | {"seconds": float(seconds[name])}
        for name, part in rows.groupby("model_name", sort=True)
    ]
    table = pd.DataFrame(found, columns=RESULT_COLUMNS)
    order = table.assign(rank=table["model"] != CHAMPION).sort_values(["rank", "mase", "model"]).index
    return table.loc[order].reset_index(drop=True)


def measure(rows: pd.DataFrame) -> dict[str, float]:
    """Return the measures of one model's rows: y, the quantiles and scale; NaN of bounds that it does not state at all."""
    percent = {"coverage_80", "coverage_95"}
    found = {name: ALL_METRICS[name](rows) * (100.0 if name in percent else 1.0) for name in MEASURES}
    return found if states_95(rows) else found | {"coverage_95": math.nan}


def states_95(rows: pd.DataFrame) -> bool:
    """Say whether a model states 95 % bounds; one of others may stop at the levels 0.1 and 0.9."""
    return bool(rows[BOUNDS_95].notna().any(axis=None))


def joined(dataset: Dataset, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts with what came, `y`, and the scale of each series, after checking that they are complete."""
    known = dataset.test.merge(scales(dataset.train).reset_index(), on="unique_id")
    known["horizon"] = known.groupby("unique_id").cumcount() + 1
    rows = forecasts.merge(known, on=["unique_id", "ds", "horizon"])
    for name, part in forecasts.groupby("model_name", sort=True):
        matched = rows[rows["model_name"] == name]
        if len(part) != len(known) or len(matched) != len(known) or matched.duplicated(["unique_id", "ds"]).any():
            raise ValueError(
                f"{dataset.name}, {name}: the test part has {len(known)} months, the forecast {len(part)}, "
                f"of which {len(matched)} fit by unique_id, ds and horizon."
            )
        check_quantiles(dataset.name, matched)
    return rows


def check_quantiles(name: str, rows: pd.DataFrame) -> None:
    """Raise a ValueError unless the quantiles that a model states are finite and in order in every row."""
    stated = QUANTILE_COLUMNS if states_95(rows) else [each for each in QUANTILE_COLUMNS if each not in BOUNDS_95]
    values = rows[stated].to_numpy()
    rounding = 1e-9 * np.abs(values).max(axis=1, keepdims=True)
    wrong = rows[~(np.isfinite(values).all(axis=1) & (np.diff(values, axis=1) >= -rounding).all(axis=1))]
    if len(wrong):
        row = wrong.iloc[0]
        raise ValueError(
            f"{name}, {row['model_name']}: the quantiles of {len(wrong)} rows are not ordered finite numbers, the first "
            f"of them series {row['unique_id']}, {row['horizon']} months ahead."
        )


def scales(train: pd.DataFrame) -> pd.Series:
    """Return MASE's scale [unique_id -> mean absolute change on the year]; NaN below 13 months.

    As published figures define it: of the whole training part, zeros at its beginning included, which models and intervals do not see.
    """
    changes = train.sort_values(["unique_id", "ds"]).groupby("unique_id")["y"].diff(SEASON_LENGTH).abs()
    return changes.groupby(train["unique_id"]).mean().rename("scale")


def as_forecasts(dataset: Dataset, points: Mapping[str, np.ndarray], name: str) -> pd.DataFrame:
    """Arrange points, one array of `horizon` values per series, as forecasts whose eleven quantiles are equal."""
    last = dataset.train.groupby("unique_id")["ds"].max()
    parts = []
    for unique_id, values in points.items():
        months = month_number(last.loc[[unique_id]]) + np.arange(1, dataset.horizon + 1)
        part = {"unique_id": unique_id, "ds": months.astype("datetime64[M]").astype("datetime64[ns]")}
        part |= {"horizon": np.arange(1, dataset.horizon + 1), "model_name": name}
        parts.append(pd.DataFrame(part).assign(**dict.fromkeys(QUANTILE_COLUMNS, np.asarray(values, dtype=np.float64))))
    return pd.concat(parts, ignore_index=True)
