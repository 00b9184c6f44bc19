"""How far to trust a domain's forecasts: the champion against the baselines, with cutoffs and horizons stated."""

from html import escape

import pandas as pd

from forecasting.report.data import Domain
from forecasting.report.html import bullets, note, paragraph, table
from forecasting.report.kpi import model_name
from forecasting.report.numbers import DASH, count, decimals_for, is_known, month, number, share

LEVELS = {"series": "each series", "total": "the total"}
SETS = {"held_out": "Held-out cutoffs", "choice": "Cutoffs used to choose the model"}
TERMS = [
    "<b>MASE</b>: the mean error in units of that of repeating last year; 1 is as good as the same month of last year.",
    "<b>WAPE</b>: the sum of the errors as a share of the sum of the actuals.",
    "<b>Bias</b>: the mean of prediction − actual; positive is too high.",
    "<b>Coverage</b>: how many actuals lay inside the interval; it should be near 80 % and 95 %.",
    "<b>FVA</b> (forecast value added): the seasonal naive's mean error minus the model's; positive is better.",
]


def tables(domain: Domain) -> str:
    """Return the accuracy tables: held-out first, then those used for the choice, then published forecasts."""
    if domain.accuracy.empty:
        return paragraph("There is no back-test: the history is too short to hold months back.")
    parts = [one_set(domain, name, level) for name in SETS for level in LEVELS]
    return "".join(parts) + published(domain) + bullets(TERMS)


def one_set(domain: Domain, evaluation_set: str, level: str) -> str:
    """Return the walk-forward accuracy of every model on one set of cutoffs, for each series or the total."""
    rows = domain.accuracy
    rows = rows[(rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == evaluation_set)]
    rows = rows[rows["aggregation"] == level]
    if rows.empty:
        return "" if level != "series" else note(f"{SETS[evaluation_set]}: none; the history is too short.")
    return accuracy_table(domain, rows, f"{SETS[evaluation_set]} ({cutoff_text(rows)}), {LEVELS[level]}")


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
    head = [
        "Model",
        "MASE",
        *(f"MASE, {g.replace('-', ' to ')} ahead" for g in groups),
        "WAPE",
        "Bias",
        "In 80 %",
        "In 95 %",
        "FVA",
        "Forecasts",
    ]
    unit = f"; bias and FVA in {domain.unit}" if domain.unit else ""
    missing = "cannot be computed: every actual or every change on the year is 0"
    return table(head, cells, caption + unit, missing=missing)


def accuracy_row(row: dict, mase: pd.DataFrame, groups: list[str], decimals: int) -> list[str]:
    """Return the row of one model."""
    name = escape(model_name(row["model_name"]))
    by_group = [decimal(mase[g].get(row["model_name"])) for g in groups if g in mase] or [DASH] * len(groups)
    return [
        f"<strong>{name}</strong> (champion)" if row["is_champion"] else name,
        decimal(row["mase"]),
        *by_group,
        share(row["wape"]),
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
    rows = rows[(rows["forecast_kind"] == "published") & (rows["n"] > 0)]
    parts = [
        accuracy_table(domain, level_rows, f"Published forecasts against what came ({cutoff_text(level_rows)}), {text}")
        for level, text in LEVELS.items()
        if len(level_rows := rows[rows["aggregation"] == level])
    ]
    if parts:
        return "".join(parts)
    return note("No published forecast has met its actual yet: the figures above are all walk-forward (a back-test).")
