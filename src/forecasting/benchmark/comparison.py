"""What was measured here beside the published record: the rows that the report's page and docs/benchmark.md both show."""

import pandas as pd

from forecasting.benchmark.record import published
from forecasting.benchmark.results import REFERENCE
from forecasting.benchmark.scoring import CHAMPION, MEASURES
from forecasting.models import model_name

PRINTED = {"smape": "sMAPE", "mape": "MAPE", "mase": "MASE", "wql": "WQL"}  # the measures that the literature prints
DECIMALS = {"smape": 2, "mape": 2, "mase": 3, "wql": 4}
HERE = "measured here"
LABELS = {CHAMPION: "Chosen forecast (champion)", REFERENCE: "SCUM"}
ROW_COLUMNS = ["method", "model", *MEASURES, "seconds", "source"]


def label(model: str) -> str:
    """Write a model's name for readers."""
    name = LABELS.get(model, model_name(model))
    return name[:1].upper() + name[1:]


def beside(results: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return measured and published rows of one set: ROW_COLUMNS, best MASE first, then those that print none.

    `model` is empty for what was published; figures that are not known are NaN.
    """
    mine = results[results["dataset"] == dataset]
    mine = mine.assign(method=mine["model"].map(label), source=HERE)
    table = pd.concat([mine, published(dataset).assign(model="")], ignore_index=True)[ROW_COLUMNS]
    order = table.assign(other=table["smape"].fillna(table["mape"])).sort_values(["mase", "other", "method"])
    return table.loc[order.index].reset_index(drop=True)


def best_of_sources(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `beside` without the published methods that are best of their source in no measure."""
    best = {place for _, part in rows[rows["model"] == ""].groupby("source") for place in best_places(part)}
    return rows[(rows["model"] != "") | rows.index.isin(best)].reset_index(drop=True)


def best_places(rows: pd.DataFrame) -> set[int]:
    """Return the index of the best row in each measure that is printed."""
    return {rows[name].idxmin() for name in PRINTED if rows[name].notna().any()}


def best_published(dataset: str, measure: str) -> pd.Series | None:
    """Return the record's row with the lowest value of one measure, None where nobody printed it."""
    known = published(dataset).dropna(subset=[measure])
    return None if known.empty else known.loc[known[measure].idxmin()]
