"""Small made-up training sets that several tests share."""

import numpy as np
import pandas as pd


def series(values: list[float] | np.ndarray, unique_id: str = "North/Bikes", end: str = "2023-12-01") -> pd.DataFrame:
    """One series in the columns of a training set, ending in `end`."""
    region, category = unique_id.split("/")
    months = pd.date_range(end=end, periods=len(values), freq="MS")
    frame = pd.DataFrame({"unique_id": unique_id, "ds": months, "y": np.asarray(values, dtype=float)})
    return frame.assign(region=region, product_category=category, is_imputed=False)


def company(
    months: int = 60, seed: int = 0, regions: int = 2, categories: int = 3, end: str = "2023-12-01"
) -> pd.DataFrame:
    """Series with a level, a trend, a common season and noise; in each region the last category starts half-way."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(regions * categories):
        region, category = divmod(number, categories)
        length = months // 2 if category == categories - 1 else months
        month = pd.date_range(end=end, periods=length, freq="MS").month.to_numpy()
        trend = 1.0 + 0.01 * np.arange(length)
        season = 1.0 + 0.4 * np.sin(2 * np.pi * month / 12)
        values = 100.0 * (number + 1) * trend * season * rng.normal(1.0, 0.1, length)
        parts.append(series(values, f"R{region}/C{category}", end))
    return pd.concat(parts, ignore_index=True)
