"""How far to trust a domain's forecasts: the champion against the baselines, with cutoffs and horizons stated."""

from collections.abc import Iterable
from html import escape

import pandas as pd

from forecasting.report.data import Domain
from forecasting.report.html import facts, fold, note, paragraph, table, tag
from forecasting.report.model_names import WHAT, model_name
from forecasting.report.numbers import DASH, count, decimals_for, is_known, month, number, share

LEVELS = {"total": "The total", "series": "Single series, on average"}
SETS = {"held_out": "Held out: not used to choose the model", "choice": "Used to choose the model"}
TERMS = [
    ("WAPE", "the sum of the errors as a share of the sum of the actuals"),
    ("MASE", "the mean error in units of that of repeating last year; 1 is as good as the same month of last year"),
    ("Bias", "the mean of prediction − actual; positive is too high"),
    ("Inside 80 %, inside 95 %", "how many actuals lay inside the interval; it should be near 80 % and 95 %"),
    ("FVA (forecast value added)", "the seasonal naive's mean error minus the model's; positive is better"),
    ("Seasonal naive, naive", "baselines: repeat the same month of last year, repeat the last month"),
    ("Cutoff", "the last month that a forecast of the back-test knew"),
]


def tables(domain: Domain) -> str:
    """Return the accuracy: published forecasts where months have met them, then held-out, then those for the choice."""
    if domain.accuracy.empty:
        return paragraph("There is no back-test: the history is too short to hold months back.")
    choice = one_set(domain, "choice")
    return (
        published(domain)
        + tag("h3", SETS["held_out"])
        + one_set(domain, "held_out")
        + facts([(name, escape(text)) for name, text in TERMS])
        + models_explained(domain.accuracy["model_name"])
        + fold(SETS["choice"], choice)
    )


def models_explained(names: Iterable[str]) -> str:
    """Return what each of these models is and what it is called in commands and files."""
    rows = [
        [escape(model_name(name)), escape(WHAT.get(name, DASH)), f"<code>{escape(name)}</code>"]
        for name in sorted(set(names), key=lambda name: model_name(name).lower())
    ]
    head = ["Model", "What it is", "In commands and files"]
    return fold("What the models are", table(head, rows, "The models", text=range(3)))


def one_set(domain: Domain, evaluation_set: str) -> str:
    """Return the walk-forward accuracy of every model on one set of cutoffs, for the total and for each series."""
    rows = domain.accuracy
    rows = rows[(rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == evaluation_set)]
    if rows.empty:
        return note(f"{SETS[evaluation_set]}: none; the history is too short.")
    return levels(domain, rows, f"Back-test of {cutoff_text(rows)}.")


def levels(domain: Domain, rows: pd.DataFrame, text: str) -> str:
    """Return a sentence on the forecasts and one table for the total, one for the series."""
    found = [(title, rows[rows["aggregation"] == level]) for level, title in LEVELS.items()]
    return note(text) + "".join(accuracy_table(domain, part, title) for title, part in found if len(part))


def cutoff_text(rows: pd.DataFrame) -> str:
    """Write the cutoffs and horizons of a table."""
    first, last, n = rows["first_cutoff"].min(), rows["last_cutoff"].max(), int(rows["n_cutoffs"].max())
    span = month(first, short=True) if first == last else f"{month(first, short=True)} to {month(last, short=True)}"
    return f"{count(n, 'cutoff')}, {span}, {horizons(rows)}"


def horizons(rows: pd.DataFrame) -> str:
    """Write which months ahead are in a table."""
    groups = sorted(set(rows["horizon_group"]) - {"all"})
    bounds = [int(part) for group in groups for part in group.split("-")]
    return f"{min(bounds)} to {max(bounds)} months ahead" if bounds else "all horizons"


def accuracy_table(domain: Domain, rows: pd.DataFrame, caption: str) -> str:
    """Return one row per model, the most accurate first."""
    groups = sorted(set(rows["horizon_group"]) - {"all"})
    mase = rows.pivot_table(index="model_name", columns="horizon_group", values="mase", aggfunc="first")
    whole = rows[rows["horizon_group"] == "all"].sort_values(["mase", "model_name"], na_position="last")
    decimals = decimals_for(whole["mae"])
    cells = [accuracy_row(row, mase, groups, decimals) for row in whole.to_dict("records")]
    ahead = [f"MASE, months {group.replace('-', ' to ')}" for group in groups]
    head = ["Model", "WAPE", "MASE", *ahead, "Bias", "Inside 80 %", "Inside 95 %", "FVA", "Forecasts"]
    unit = f"; bias and FVA in {domain.unit}" if domain.unit else ""
    missing = "cannot be computed: every actual or every change on the year is 0"
    return table(head, cells, caption + unit, missing=missing)


def accuracy_row(row: dict, mase: pd.DataFrame, groups: list[str], decimals: int) -> list[str]:
    """Return the row of one model."""
    name = escape(model_name(row["model_name"]))
    by_group = [decimal(mase[g].get(row["model_name"])) for g in groups if g in mase] or [DASH] * len(groups)
    return [
        f"<strong>{name}</strong> (champion)" if row["is_champion"] else name,
        share(row["wape"]),
        decimal(row["mase"]),
        *by_group,
        number(row["bias"], decimals, plus=True),
        share(row["coverage_80"], 0),
        share(row["coverage_95"], 0),
        number(row["fva"], decimals, plus=True),
        number(row["n"]),
    ]


def decimal(value: float | None) -> str:
    """Write a ratio with two decimals."""
    return number(value, 2) if is_known(value) else DASH


def published(domain: Domain) -> str:
    """Return the accuracy of forecasts that were published before their month, or say that there are none yet."""
    rows = domain.accuracy
    rows = rows[(rows["forecast_kind"] == "published") & (rows["n"] > 0) & rows["aggregation"].isin(list(LEVELS))]
    if rows.empty:
        return note(
            "No published forecast has met its month yet: the figures below are all walk-forward (a back-test)."
        )
    text = f"Published forecasts against what came: {cutoff_text(rows)}."
    return tag("h3", "Published forecasts") + levels(domain, rows, text)
