"""What is inside a model, as its run wrote it down: coefficients, importances, weights, methods chosen, how it was trained."""

import re
from calendar import month_name
from html import escape
from typing import Any

import pandas as pd

from forecasting.models import about, model_name
from forecasting.report.html import fold, note, table
from forecasting.wording import count, number, share

SHOWN = 12  # coefficients and importances that are shown at once; the others are folded
# Features by the pattern of their names, in words; the pattern's groups fill the braces.
FEATURES = (
    (r"growth_(\d+)m", "growth on the year over the last {0} months"),
    (r"change_(\d+)m", "change on the year over the last {0} months, as an amount"),
    (r"same_month_(\d)y_at_level", "the same month {0} years before, at the level of the last year"),
    (r"same_month_(\d)y", "the same month {0} years before"),
    (r"adjusted_level_(\d+)m", "level of the last {0} months without their season"),
    (r"lag_(\d+)", "the month {0} months before the last one"),
    (r"lag(\d+)", "change {0} months before"),
    (r"mean_(\d+)m_lag1", "mean change of the last {0} months"),
    (r"spread_(\d+)m_lag1", "spread of the changes of the last {0} months"),
    (r"same_month_(\d+)y_lag12", "mean change of the same month over {0} years"),
    (r"same_month_(\d+)y_lag11", "mean change of the month after the same month over {0} years"),
    (r"same_month_(\d+)y_lag13", "mean change of the month before the same month over {0} years"),
    (r"level_lag(\d+)", "the month {0} months before the last one, without its season"),
    (r"level_same_month_(\d)y", "the same month {0} years before, without its season"),
    (r"level_(\d+)m", "level of the last {0} months without their season, against the long line"),
)
NAMED = {
    "lag_0": "the last month",
    "level_lag0": "the last month, without its season",
    "working_days": "working days against a year earlier",
    "days": "days of the month against a year earlier",
    "calendar_month": "the calendar month",
    "months_ahead": "how many months ahead it is",
    "season": "the season of the forecast month",
    "level_same_month": "the same month in up to four years before, without its season",
    "spread": "how much the series changes, against its size",
    "yearly_change": "how much of that is change from year to year",
    "monthly_change": "how much of that is change from month to month",
    "noise": "how irregular the season is",
    "season_size": "how strong the season is",
    "season_kept": "how certain the season is",
    "smoothing": "how fast the level moves",
    "trend": "the trend",
    "is_log": "whether all months are well above zero",
    "known_share": "how long the history is",
    **{f"month_{i:02d}_growth": f"{month_name[i]}, in % of last year" for i in range(1, 13)},
    **{f"month_{i:02d}_amount": f"{month_name[i]}, as an amount" for i in range(1, 13)},
}


def feature(name: str) -> str:
    """Write a feature's name in words; one that is not known stays as it is."""
    if name in NAMED:
        return NAMED[name]
    for pattern, words in FEATURES:
        found = re.fullmatch(pattern, name)
        if found:
            text = words.format(*found.groups()).replace("last 1 months", "last month")
            return re.sub(r"\b1 (month|year)s", r"1 \1", text)
    return name.replace("_", " ")


def inside(name: str, found: dict[str, Any], horizon: int) -> str:
    """Return what is inside a model, from its `explanation()`; `horizon` is how many months ahead the run forecast.

    A sentence for a model with nothing inside (the baselines) or a run that did not write it down.
    """
    parts = [
        coefficients(found),
        importances(found),
        weights(found, horizon),
        methods(found),
        training(found),
        members(found, horizon),
    ]
    body = "".join(parts)
    if body:
        return body
    if not about(name).learns:
        return note("It has nothing to learn: no coefficients, weights or settings.")
    return note("The run did not write down what the model learned.")


def first_and_rest(head: list[str], rows: list[list[str]], caption: str, what: str) -> str:
    """Return a table of the first rows and, folded and not on paper, one of the others."""
    rest = rows[SHOWN:]
    others = table(head, rest, f"{caption}, the others")
    return table(head, rows[:SHOWN], caption) + (
        fold(f"{number(len(rest))} smaller {what}", others, "screen") if rest else ""
    )


def coefficients(found: dict[str, Any]) -> str:
    """Return a regression's coefficients by months ahead, the largest first, and the settings its search chose."""
    values = found.get("coefficients")
    if values is None:
        return ""
    chosen = f"The search chose a penalty of {number(found['penalty'])}, "
    chosen += "with" if found["month_effects"] else "without"
    text = note(f"{chosen} effects of calendar months. A larger penalty stays nearer to repeating last year.")
    if not values:
        return text + note("Every coefficient is 0: it repeats the same month of last year.")
    ordered = sorted(values.items(), key=lambda pair: (-sum(map(abs, pair[1])), pair[0]))
    cells = [[escape(feature(name)), *(number(value, 3, plus=True) for value in row)] for name, row in ordered]
    head = ["What it looks at", *(f"{count(i, 'month')} ahead" for i in range(1, len(ordered[0][1]) + 1))]
    caption = "Coefficients: how much of each departure from last year goes into the forecast"
    return text + first_and_rest(head, cells, caption, "coefficients")


def importances(found: dict[str, Any]) -> str:
    """Return what the trees look at, the most important first."""
    values = found.get("importances")
    if values is None:
        return ""
    if not values:
        return note("No trees were grown: there was too little to learn from, and every series got the fallback.")
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    cells = [[escape(feature(name)), share(value)] for name, value in ordered]
    caption = "Importances: each feature's share of the error that all splits of the trees removed"
    return first_and_rest(["What it looks at", "Importance"], cells, caption, "importances")


def weights(found: dict[str, Any], horizon: int) -> str:
    """Return a combination's weights by months ahead, as far as the run forecast."""
    values = found.get("weights")
    if not values:
        return ""
    used = sorted((first_month(bucket), bucket) for bucket in values if first_month(bucket) <= horizon)
    names = sorted(values[used[0][1]], key=lambda name: -values[used[0][1]][name])
    cells = [[escape(model_name(name)), *(share(values[bucket][name]) for _, bucket in used)] for name in names]
    head = ["Model", *(f"{bucket.replace('-', ' to ')} months ahead" for _, bucket in used)]
    caption = "Weights of the models in the weighted mean"
    if "trust" in found:
        caption += f", which counts {share(found['trust'], 0)}; the rest is the median"
    return table(head, cells, caption)


def first_month(bucket: str) -> int:
    """Return the first month of a bucket of months ahead: 4 of «4-6», 19 of «19+»."""
    return int(re.match(r"\d+", bucket)[0])


def methods(found: dict[str, Any]) -> str:
    """Return which methods were chosen for how many series, regions, categories and the total."""
    values = found.get("methods")
    if not values:
        return ""
    names = {"constant": "no change: the last month, repeated", "none": "could not be fitted: fallback"}
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    cells = [[escape(names.get(name, name)), number(n), share(n / sum(values.values()), 0)] for name, n in ordered]
    caption = "Methods chosen for the series, regions, categories and the total"
    letters = note(
        "In ETS(…): error, trend and season; A additive, M multiplicative, Ad a damped trend, N absent. Short histories have "
        "their season removed first, so N does not mean that it is ignored."
    )
    explained = letters if any(name.startswith("ETS") for name in values) else ""
    return table(["Method", "Number", "Share"], cells, caption) + explained


def training(found: dict[str, Any]) -> str:
    """Return how a network was trained: of one that comes with the project what was done with it, else a row per network."""
    rows = pd.DataFrame(found.get("curve", []))
    comes = "The network comes with the project and has learned from public and made monthly series"
    if found.get("variant") == "zero_shot":
        return note(f"{comes}; from the months here it has learned nothing, it only reads them.")
    if found.get("variant") == "fine_tuned" and len(rows):
        steps, first, last = rows["step"].max(), rows["training_loss"].iloc[0], rows["training_loss"].iloc[-1]
        return note(
            f"{comes}; from the months here it went on learning for {number(int(steps))} steps, in which its loss on them went "
            f"from {number(first, 3)} to {number(last, 3)}."
        )
    if rows.empty:
        return ""
    cells = []
    for seed, run in rows.groupby("seed", sort=True):
        checked = run.dropna(subset=["validation_loss"])
        best = checked.loc[checked["validation_loss"].idxmin()] if len(checked) else None
        cells.append(
            [
                number(int(seed)),
                number(int(run["step"].max())),
                number(None if best is None else int(best["step"])),
                number(None if best is None else float(best["validation_loss"]), 3),
                number(run["training_loss"].iloc[-1], 3),
            ]
        )
    head = ["Network (seed)", "Steps in all", "Best after", "Loss on months kept apart", "Loss at the end"]
    caption = "How the networks were trained"
    text = note(
        "Several networks that differ in their seed are averaged. After the best step they go on with all months."
    )
    return table(head, cells, caption, missing="not measured: the history is too short to keep months apart") + text


def members(found: dict[str, Any], horizon: int) -> str:
    """Return what is inside the models that a combination combines, one fold each."""
    return "".join(
        fold(f"Inside it: {model_name(name)}", inside(name, own, horizon))
        for name, own in sorted(found.get("members", {}).items())
    )
