"""The tables of the accuracy page. Published forecasts and the back-test never share one."""

from functools import partial

import pandas as pd
from pandas.io.formats.style import Styler

from forecasting.contracts import levels_in
from forecasting.dashboard.tables import styled
from forecasting.ledger import Domain, at
from forecasting.models import model_name
from forecasting.report import Measures, by_lag
from forecasting.wording import count, decimals_for, month, number, share

AGGREGATION_NAMES = {"total": "The total", "series": "Single series", "region": "Regions", "category": "Categories"}
SETS = {"held_out": "Held out", "choice": "Used to choose"}
WHAT = {
    "held_out": "These cutoffs chose no model, so they say best what to expect.",
    "choice": "The champion was chosen on these cutoffs, so they flatter it.",
}
MEASURES = {
    "wape": "WAPE", "mase": "MASE", "bias": "Bias", "coverage_80": "Inside 80 %", "coverage_95": "Inside 95 %", "fva": "FVA",
    "n": "Forecasts",
}  # fmt: skip
READING = """
* **Cutoff**: the last month that a forecast knew.
* **WAPE**: the mean error in % of the mean actual. **MASE**: the mean error in errors of repeating last year; below 1 is better than that.
* **Bias**: prediction − actual, on average; above zero is too high. **FVA**: by how much the mean error is smaller than that of the
  seasonal naive, which repeats the same month of last year; below zero the model was worse.
* **Inside 80 %, 95 %**: how many actuals lay in the interval.
"""


def names(domain: Domain) -> dict[str, str]:
    """Return the aggregations of which an accuracy is known, and what they are called: those of every company, then its own levels."""
    return AGGREGATION_NAMES | {level: level for level in levels_in(domain.accuracy["aggregation"])}


def back_test(domain: Domain, level: str, evaluation_set: str) -> pd.DataFrame:
    """Return the walk-forward accuracy over all months ahead, one row per model, the lowest MASE first."""
    rows = at(domain.accuracy, level)
    wanted = (rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == evaluation_set)
    rows = rows[wanted & (rows["horizon_group"] == "all")]
    return rows.sort_values(["mase", "model_name"], na_position="last", ignore_index=True)


def back_test_table(board: pd.DataFrame) -> Styler:
    """Return rows of `back_test` for people; the champion is marked."""
    mark = board["is_champion"].map({True: " ★ champion", False: ""})
    rows = board.assign(model=board["model_name"].map(model_name) + mark)
    return styled(rows[["model", *MEASURES]], {"model": str} | formats(board["mae"]), {"model": "Model"} | MEASURES)


def formats(errors: pd.Series) -> dict:
    """Return how each measure is written; amounts have the decimals that suit the mean errors."""
    amount = partial(number, decimals=decimals_for(errors), plus=True)
    inside = partial(share, decimals=0)
    known = {"wape": share, "mase": partial(number, decimals=2), "bias": amount, "fva": amount, "n": number}
    return known | {"coverage_80": inside, "coverage_95": inside}


def cutoffs(board: pd.DataFrame) -> str:
    """Say on which cutoffs rows of `back_test` rest, «2 cutoffs, Nov 2024 to Dec 2024, 1 to 6 months ahead»."""
    first, last = board["first_cutoff"].min(), board["last_cutoff"].max()
    span = month(first, short=True) if first == last else f"{month(first, short=True)} to {month(last, short=True)}"
    return f"{count(int(board['n_cutoffs'].max()), 'cutoff')}, {span}"


def published(record: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return the accuracy of published forecasts that have met their month, one row per lag; see `report.Measures`."""
    found = [_published_row(one) for one in by_lag(at(record, level))]
    return pd.DataFrame(found, columns=["lag", "first", "last", "mae", *MEASURES])


def _published_row(one: Measures) -> dict:
    """Return the figures of one lag."""
    known = {name: getattr(one, name) for name in ("lag", "first", "last", "mae", "wape", "mase", "bias", "fva", "n")}
    return known | {"coverage_80": one.coverage_80.share, "coverage_95": one.coverage_95.share}


def published_table(found: pd.DataFrame) -> Styler:
    """Return rows of `published` for people."""
    ahead = found["lag"].map(lambda lag: f"{count(lag, 'month')} before")
    months = [
        f"{month(a, short=True)} to {month(b, short=True)}" for a, b in zip(found["first"], found["last"], strict=True)
    ]
    rows = found.assign(ahead=ahead, months=months)
    names = {"ahead": "Published", "months": "For the months"} | MEASURES
    return styled(rows[list(names)], {"ahead": str, "months": str} | formats(found["mae"]), names)


def described(board: pd.DataFrame) -> str:
    """Return the text that stands for the ranking of rows of `back_test`."""
    known = board.dropna(subset=["mase"])
    return (
        "MASE of every model: "
        + ", ".join(f"{model_name(n)} {v:.2f}" for n, v in known[["model_name", "mase"]].to_numpy())
        + "."
    )
