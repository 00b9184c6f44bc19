"""What `make accuracy` says: a domain's accuracy as it was published, whatever has become known or was restated since."""

from pathlib import Path

import pandas as pd

from forecasting.ledger import AsPublished
from forecasting.report import provenance
from forecasting.wording import month

SHOWN = {
    "forecast_kind": "kind", "evaluation_set": "set", "aggregation": "of", "model_name": "model", "n": "n", "mae": "MAE", "wape": "WAPE",
    "mase": "MASE", "masc": "MASC", "bias": "bias", "coverage_80": "in 80 %", "coverage_95": "in 95 %", "fva": "FVA",
}  # fmt: skip


def text(domain: str, found: AsPublished) -> str:
    """Return the accuracy of the total and of the series over all months ahead, as lines for a terminal."""
    rows = found.accuracy
    rows = rows[(rows["horizon_group"] == "all") & rows["aggregation"].isin(["series", "total"])]
    rows = rows.sort_values(["forecast_kind", "evaluation_set", "aggregation", "mase", "model_name"])
    head = (
        f"{domain} as published by {found.run_id} on {found.published_at:%Y-%m-%d %H:%M} UTC: data up to {month(found.cutoff)}, "
        f"champion {found.champion}{f'; MAE, bias and FVA in {found.unit}' if found.unit else ''}."
    )
    if rows.empty:
        return f"{head}\nNothing could be measured then."
    shown = rows[list(SHOWN)].rename(columns=SHOWN)
    lines = filter(
        None, [head, provenance.sample(rows), shown.to_string(index=False, float_format="{:,.3f}".format, na_rep="-")]
    )
    return "\n".join(lines)


def write(folder: Path, found: AsPublished) -> Path:
    """Write every row with all its digits as CSV; return the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found.run_id}.csv"
    dates = {
        name: pd.to_datetime(found.accuracy[name]).dt.strftime("%Y-%m-%d") for name in ("first_cutoff", "last_cutoff")
    }
    found.accuracy.assign(**dates).to_csv(path, index=False)
    return path
