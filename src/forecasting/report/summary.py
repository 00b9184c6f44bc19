"""The numbers of a domain in sentences: what will happen, what makes the difference, whether to trust it, what changed since."""

from html import escape

import pandas as pd

from forecasting.contracts import ALL
from forecasting.ledger import Domain, at
from forecasting.models import model_name
from forecasting.report.bridges import BOTH, DATA, MODEL, PEOPLE, RESTATED, Bridge
from forecasting.report.kpi import Kpi, year_before
from forecasting.wording import SPACE, amount, between, compact, is_known, is_nothing, listing, month, revised

MOST = 3  # series that are named
LEAST = 0.1  # of the largest change, from which another one is worth a word


def changes(domain: Domain, ds: pd.Timestamp) -> pd.DataFrame:
    """Return how the forecast of a month differs from the same month of last year, the largest difference first.

    One row per series: region, product_category, now, before, change. They add up to the total's change: a series without
    last year's month counts as 0 there.
    """
    key = ["region", "product_category"]
    now = at(domain.future, "series")
    now = now[now["ds"] == ds].set_index(key)["predicted_value"].rename("now")
    before = at(domain.actuals, "series")
    before = before[before["ds"] == ds - pd.DateOffset(months=12)].set_index(key)["y"].rename("before")
    rows = pd.concat([now, before], axis=1).fillna(0.0).sort_index().reset_index(names=key)
    rows["change"] = rows["now"] - rows["before"]
    return rows.sort_values("change", key=abs, ascending=False, kind="stable", ignore_index=True)


def part_name(region: str, category: str) -> str:
    """Return a series as people call it: «North/Bikes», and «Bikes» where no region is known."""
    return "/".join(name for name in (region, category) if name != ALL) or ALL


def reasons(domain: Domain, figures: Kpi) -> str:
    """Name the series with the largest changes on the year; nothing where there is one only, or no last year."""
    ds = figures.coming["ds"]
    before = year_before(domain, ds)
    if before is None:
        return ""
    rows = changes(domain, ds)
    if len(rows) < 2 or is_nothing(compact(rows["change"].iloc[0])):
        return ""
    moved = rows[rows["change"].abs() >= LEAST * abs(rows["change"].iloc[0])].head(MOST).to_dict("records")
    named = [
        f"{part_name(row['region'], row['product_category'])} {compact(row['change'], domain.unit, plus=True)}"
        for row in moved
    ]
    what = "the largest change on the year is" if len(named) == 1 else "the largest changes on the year are"
    text = f"By part: in {month(ds)} {what} {listing(named)}"
    rest = figures.coming["predicted_value"] - before - sum(row["change"] for row in moved)
    if len(rows) > len(moved):
        text += f"; all others come to {compact(rest, domain.unit, plus=True)} together"
    return escape(f"{text}.")


def last_month(domain: Domain, figures: Kpi) -> str:
    """Say whether the last actual lay in the 80 % range of the forecast made for it; in doubt which actual is meant."""
    made, unit = figures.made, domain.unit
    if made is None or not is_known(made["lo_80"]) or not is_known(made["hi_80"]):
        return f"There is no forecast of {month(figures.month)} to compare the actual with."
    value, place = made["actual"], place_in_range(made)
    restated = "" if value == figures.actual else f" as first known ({compact(figures.actual, unit)} now)"
    kind = "published forecast" if made["is_published"] else "back-test"
    return (
        f"The actual of {month(figures.month)}, {escape(amount(value, unit, domain.name) + restated)}, was "
        f"<strong>{place} the 80{SPACE}% range</strong> of the {kind} ({escape(between(made['lo_80'], made['hi_80'], unit))})."
    )


def place_in_range(made: dict) -> str:
    """Return whether the actual was inside, above or below its 80 % range; «just» where the numbers shown look the same."""
    value = made["actual"]
    for bound, outside, word in (("lo_80", value < made["lo_80"], "below"), ("hi_80", value > made["hi_80"], "above")):
        if outside:
            return f"just {word}" if compact(value) == compact(made[bound]) else word
    return "inside"


def since(domain: Domain, figures: Kpi, before: Bridge | None) -> str:
    """Say how the forecast and the model changed since the edition before; nothing where there is none."""
    if before is None:
        return ""
    coming, unit = figures.coming, domain.unit
    known = "the same months" if before.is_same_cutoff else f"data up to {month(before.cutoff)}"
    edition = f"The forecast published before, from {known},"
    if before.other_unit is not None:
        return escape(
            f"{edition} was in {before.other_unit or 'another unit'}, so the two cannot be compared. {model(domain, before)}"
        )
    rows = at(before.rows, "total")
    rows = rows[rows["ds"] == coming["ds"]].to_dict("records")
    if rows:
        then = rows[0]["before"]
        text = f"{edition} was {amount(then, unit, domain.name)}: it {revised(rows[0]['after'], then, unit)}"
        text += steps(before, rows[0], unit)
    else:
        text = f"{edition} did not reach {month(coming['ds'])}"
    return escape(f"{text}. {model(domain, before)}")


def model(domain: Domain, before: Bridge) -> str:
    """Say whether the model is still that of the edition before."""
    now, other = model_name(domain.champion), model_name(before.champion)
    return f"The model is still {now}." if now == other else f"The model is now {now}; before, it was {other}."


def steps(before: Bridge, row: dict, unit: str) -> str:
    """Say how much of a change came of the model, of the data and of people; nothing where it is model or data alone."""
    told = {
        RESTATED: "by restated months",
        MODEL: "by the model",
        DATA: "by new data",
        PEOPLE: "by what people changed",
    }
    if [step for step in before.steps if step in (MODEL, DATA, BOTH)] == [MODEL, DATA]:
        parts = [name for name in told if name in before.steps]
    else:
        parts = [name for name in (RESTATED, PEOPLE) if name in before.steps and not is_nothing(compact(row[name]))]
    said = ", ".join(f"{compact(row[name], unit, plus=True)} {told[name]}" for name in parts)
    return f" ({said})" if said else ""
