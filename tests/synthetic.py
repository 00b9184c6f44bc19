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


def now_and_then(count: int = 24, months: int = 60, seed: int = 0, end: str = "2023-12-01") -> pd.DataFrame:
    """Demand as of a shop's products in a region (M5-like): negative binomial, every 1.3 to 6 months one that sells anything.

    Some have a season or a drift, begin late, end early, or are counted in money of a unit price.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(count):
        interval, shape = np.exp(rng.uniform(np.log(1.3), np.log(6.0))), rng.choice([0.5, 1.0, 2.0, 5.0])
        rate = shape * ((1.0 - 1.0 / interval) ** (-1.0 / shape) - 1.0)  # so that one month in `interval` is not zero
        month = np.arange(months) + rng.integers(12)
        rate *= 1.0 + rng.choice([0.0, 0.3, 0.6]) * np.sin(2 * np.pi * month / 12)
        rate *= np.exp(rng.normal(0.0, rng.choice([0.0, 0.05]), months).cumsum())
        sold = rng.negative_binomial(shape, shape / (shape + rate)).astype(float) * rng.choice([1.0, 1.0, 9.9, 140.0])
        sold[: rng.choice([0, 0, 0, 18])] = 0.0
        sold[months - rng.choice([0, 0, 0, 0, 0, 8]) :] = 0.0
        parts.append(series(sold, f"R{number % 2}/P{number:02d}", end))
    return pd.concat(parts, ignore_index=True)
