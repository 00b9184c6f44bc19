"""Where the sign policy cut published forecasts: what a model expected below zero is never shown as if it had expected zero."""

import pandas as pd

from forecasting.contracts import ALL, SERIES_KEY
from forecasting.run import Manifest
from forecasting.wording import count


def was_cut(rows: pd.DataFrame, manifest: Manifest, series: pd.DataFrame | None = None) -> pd.Series:
    """Say which published forecasts of a run were cut to zero; missing where the run is too old to have noted it.

    `rows` has aggregation, unique_id, region, product_category and horizon. A sum counts as cut where a series in it was: `series` has
    the SERIES_KEY of those that the run noted as cut, where not all of them are among the rows.
    """
    noted = manifest.explanation.cut_series
    many = manifest.explanation.cut.get("points", 0 if manifest.params.get("allow_negative") else None)
    if many != sum(map(len, noted.values())):
        return pd.Series(pd.NA, rows.index, "boolean")
    keys = list(zip(rows["region"], rows["product_category"], rows["horizon"], strict=True))
    cut = rows[rows["aggregation"] == "series"] if series is None else series
    cut = cut[SERIES_KEY].drop_duplicates().itertuples(index=False, name=None)
    reached = {(*name, horizon) for one, *own in cut for horizon in noted.get(one, []) for name in _names(*own)}
    return pd.Series([key in reached for key in keys], rows.index, "boolean")


def _names(region: str, category: str) -> list[tuple[str, str]]:
    """Return a series and the sums that it is part of."""
    return [(region, category), (region, ALL), (ALL, category), (ALL, ALL)]


def run_points_cut(manifest: Manifest) -> str:
    """Say how many published forecasts of a run the sign policy cut; «» where none."""
    many, domain = manifest.explanation.cut.get("points", 0), manifest.domain
    forecasts = count(many, "forecast of a single series and month was", "forecasts of a single series and month were")
    history = f"A history that goes below 0 is hardly one of {domain}."
    return f"{forecasts} below 0 and cut to 0, {_reason(domain)}. {history}" if many else ""


def run_bounds_cut(manifest: Manifest) -> str:
    """Say how many published intervals of a run the sign policy cut; «» where none."""
    many = manifest.explanation.cut.get("bounds", 0)
    return f"{count(many, 'interval was', 'intervals were')} cut at 0, {_reason(manifest.domain)}." if many else ""


def _reason(domain: str) -> str:
    return f"because {domain} may not be below 0 (allow_negative in params/)"
