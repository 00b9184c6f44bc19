"""A made-up training set with many series, of which some begin late, end early, miss months or sell now and then."""

import numpy as np
import pandas as pd


def many_series(count: int, months: int = 40, seed: int = 3, regions: int = 7, end: str = "2023-12-01") -> pd.DataFrame:
    """Return a training set of `count` products in shops; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    time = np.arange(months)
    level, growth = rng.lognormal(5.0, 1.0, count), rng.normal(0.0, 0.01, count)
    season = 1.0 + rng.uniform(0.0, 0.5, (count, 1)) * np.sin(
        2 * np.pi * (time + rng.integers(12, size=(count, 1))) / 12
    )
    values = level[:, None] * np.exp(growth[:, None] * time) * season * rng.normal(1.0, 0.1, (count, months))
    values[rng.random(count) < 0.1] *= rng.random(months) < 0.4
    begins = np.where(rng.random(count) < 0.15, rng.integers(1, months - 2, count), 0)
    ends = np.where(rng.random(count) < 0.05, rng.integers(20, months - 2, count), months)
    lost = rng.random((count, months)) < 0.003
    row, month = np.nonzero((time >= begins[:, None]) & (time < ends[:, None]) & ~lost)
    region, category = np.char.add("R", (row % regions).astype(str)), np.char.add("C", (row // regions).astype(str))
    return pd.DataFrame(
        {
            "unique_id": np.char.add(np.char.add(region, "/"), category).astype(object),
            "ds": pd.date_range(end=end, periods=months, freq="MS")[month],
            "y": values[row, month].round(2),
            "region": region.astype(object),
            "product_category": category.astype(object),
            "is_imputed": False,
        }
    )
