"""What restated months did to a forecast: the same model, from the past as it was known before."""

import pandas as pd

from forecasting.contracts import RESTATED_COLUMNS


def as_known_before(train: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """Return a training set with some of its months as they were known before.

    Parameters
    ----------
    train: TRAIN_COLUMNS, and what else a training set has.
    months: unique_id, ds, y; NaN for a month that was not there. Of a series of `train` each; one that it lacks is put back.
    """
    key = ["unique_id", "ds"]
    series = train.drop_duplicates("unique_id").set_index("unique_id").drop(columns=["ds", "y", "is_imputed"])
    rest = train.merge(months[key], on=key, how="left", indicator=True).query("_merge == 'left_only'")
    put_back = months.dropna(subset=["y"]).join(series, on="unique_id").assign(is_imputed=False)
    return pd.concat([rest.drop(columns="_merge"), put_back[train.columns]]).sort_values(key, ignore_index=True)


def restated_forecasts(rows: pd.DataFrame | None, known_by: str | None) -> pd.DataFrame:
    """Return forecasts made from `as_known_before` as they are kept (RESTATED_COLUMNS); no rows where none were made."""
    if rows is None:
        dates = {"cutoff": "datetime64[ns]", "ds": "datetime64[ns]"}
        return pd.DataFrame(columns=RESTATED_COLUMNS).astype(
            {**dates, "horizon": "int64", "predicted_value": "float64"}
        )
    return rows.assign(known_by=known_by)[RESTATED_COLUMNS]
