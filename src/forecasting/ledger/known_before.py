"""What of the past the forecast published before knew otherwise, so that notebook 40 can measure what that changes."""

from typing import Any

import pandas as pd

from forecasting.ledger.finished_run import unit_of
from forecasting.ledger.published import Published
from forecasting.ledger.training_changes import ROUNDING
from forecasting.run import RunFolder, Workspace

NOTHING: dict[str, Any] = {"run_id": None, "cutoff": None, "months": []}


def known_before(workspace: Workspace, domain: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the content of `known_before.json` for a domain.

    It names the run of an earlier cutoff that was published last (`run_id` and `cutoff`; None where there is none that can be compared)
    and lists the months that it knew with another value, of the series that both know: unique_id, ds, and y as it was (None where there
    was no such month). The runs of the present cutoff do not count, so publishing this one changes nothing here.
    """
    if not workspace.published.exists():
        return NOTHING
    run, published = RunFolder.open(workspace.runs / domain), Published(workspace.published)
    train, unit = run.training_set(), unit_of(run.read_json("facts"), settings)
    runs = published.earlier_runs(domain, "", f"{train['ds'].max():%Y-%m-%d}")
    runs = runs[~runs["is_same_cutoff"].astype(bool)]
    if runs.empty or runs.iloc[0]["manifest"].unit != unit:
        return NOTHING
    run_id, cutoff = runs.iloc[0]["run_id"], runs.iloc[0]["cutoff"]
    months = otherwise(published.known_by(domain, run_id), train, cutoff)
    return {"run_id": run_id, "cutoff": f"{cutoff:%Y-%m-%d}", "months": months}


def otherwise(before: pd.DataFrame, now: pd.DataFrame, cutoff: pd.Timestamp) -> list[dict[str, Any]]:
    """Return the months up to a cutoff that two training sets know differently, of the series that are in both, as they were before."""
    both = set(before["unique_id"]) & set(now["unique_id"])
    old, new = (
        rows[rows["unique_id"].isin(both) & (rows["ds"] <= cutoff)][["unique_id", "ds", "y"]] for rows in (before, now)
    )
    rows = old.merge(new, on=["unique_id", "ds"], how="outer", suffixes=("_before", "")).sort_values(
        ["unique_id", "ds"]
    )
    change = (rows["y"] - rows["y_before"]).abs()
    size = rows[["y", "y_before"]].abs().max(axis=1)
    other = rows[change.isna() | (change > ROUNDING * size)]
    return [
        {"unique_id": row.unique_id, "ds": f"{row.ds:%Y-%m-%d}", "y": None if pd.isna(row.y_before) else row.y_before}
        for row in other.itertuples()
    ]
