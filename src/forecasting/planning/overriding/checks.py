"""What planners hand in, against the forecast in force: known series and sums, months that are forecast, nothing said twice."""

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pandas as pd

from forecasting.contracts import ALL
from forecasting.errors import UserError
from forecasting.facts import nearest
from forecasting.intervals import PERCENT
from forecasting.ledger import Published, Said, standing
from forecasting.planning.overriding.wishes import Misread, Wish, text_of
from forecasting.wording import listing, month

MOST_SHOWN = 20


def checked(published: Published, wishes: Iterable[Wish]) -> tuple[list[Said], list[Wish]]:
    """Return wishes as the ledger keeps them, and those that are in force already.

    Raises
    ------
    UserError
        If something of it does not fit the forecast in force; it names every row and what to write.
    """
    in_force, forecasts, said, known, problems = published.in_force(), {}, [], [], []
    before = standing(published.overrides())
    for wish in wishes:
        try:
            if wish.domain not in in_force:
                raise Misread(_unknown("domain", wish.domain, list(in_force)))
            if wish.domain not in forecasts:
                forecasts[wish.domain] = published.forecasts(in_force[wish.domain], aggregations=None)
            found = _said(wish, forecasts[wish.domain], in_force[wish.domain])
            _require_once(found, said)
        except Misread as error:
            problems.append(said_of(wish.place, error))
            continue
        if _is_in_force(found, before):
            known.append(wish)
        else:
            said.append(found)
    refuse(problems)
    return said, known


def said_of(place: str, error: Misread) -> str:
    """Say what is wrong with a row, as a sentence."""
    return f"{place}: {error}{'' if str(error).endswith('?') else '.'}"


def refuse(problems: list[str]) -> None:
    """Raise a UserError that lists what is wrong, where something is."""
    if problems:
        more = len(problems) - MOST_SHOWN
        shown = [*problems[:MOST_SHOWN], *([f"and {more} more rows."] if more > 0 else [])]
        raise UserError("\n".join(["Nothing was changed, because not every row can be used.", *shown]))


def _unknown(word: str, name: str, names: list[str]) -> str:
    """Say that there is no such name, and which is nearest."""
    if not name:
        return f"«{word}» is empty: it is one of {', '.join(names)}"
    near = nearest(name, names).strip()
    return f"there is no {word} {name!r}: {near[:1].lower() + near[1:] if near else f'there are {listing(names[:8])}'}"


def _said(wish: Wish, forecasts: pd.DataFrame, run_id: str) -> Said:
    """Return a wish as an override of a node of the forecast."""
    rows = _node(wish, forecasts)
    months = [each.date() for each in sorted(rows["ds"])]
    _require_months(wish, months)
    node = rows.iloc[0]
    reached = rows[rows["ds"].dt.date.map(lambda ds: (wish.first_month or months[0]) <= ds <= wish.until)]
    if wish.kind == PERCENT and (reached["predicted_value"] == 0).all():
        raise Misread("the forecast is 0, and so is any percentage of it: give a value")
    return Said(
        wish.domain, node["aggregation"], node["unique_id"], node["region"], node["product_category"], wish.first_month,
        wish.until, wish.kind, wish.amount, wish.who, wish.why, run_id, wish.place,
    )  # fmt: skip


def _node(wish: Wish, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the months of the series or sum that a wish is about."""
    found = forecasts
    if wish.unique_id:
        found = _named(found, "unique_id", "series", wish.unique_id)
    region, category = (name or (ALL if not wish.unique_id else "") for name in (wish.region, wish.category))
    found = _named(found, "region", "region", region)
    found = _named(found, "product_category", "category", category)
    if wish.aggregation:
        found = found[found["aggregation"] == wish.aggregation]
        if found.empty:
            levels = forecasts["aggregation"].unique()
            known = wish.aggregation in levels
            raise Misread(
                f"what it names is no {wish.aggregation}"
                if known
                else f"«aggregation» {wish.aggregation!r} is none of {', '.join(levels)}"
            )
    levels = found.drop_duplicates(["aggregation", "unique_id"])
    first = found[found["aggregation"] == levels["aggregation"].iloc[0]]
    for level in levels["aggregation"].iloc[
        1:
    ]:  # with one region, its sums are the company's: it is all one which is meant
        other = found.loc[found["aggregation"] == level, "predicted_value"].to_numpy()
        if not np.allclose(other, first["predicted_value"].to_numpy(), rtol=1e-9):
            raise Misread(f"it may be the {listing(list(levels['aggregation']))}: say which in a column «aggregation»")
    return first


def _named(rows: pd.DataFrame, column: str, word: str, name: str) -> pd.DataFrame:
    """Return the rows of one name; all where none is given."""
    if not name:
        return rows
    found = rows[rows[column].map({each: text_of(each) for each in rows[column].unique()}) == name]
    if found.empty:
        raise Misread(_unknown(word, name, sorted(rows[column].unique())))
    return found


def _require_months(wish: Wish, months: list[dt.date]) -> None:
    """Raise a Misread where a wish reaches none of the months that are forecast."""
    first, last = months[0], months[-1]
    span = f"the forecast in force reaches from {month(first)} to {month(last)}"
    if wish.until < first:
        what = f"{month(wish.until)} is over" if wish.first_month == wish.until else f"it ends with {month(wish.until)}"
        raise Misread(f"{what}; {span}")
    if wish.first_month is not None and wish.first_month < first:
        raise Misread(f"{month(wish.first_month)} is over; {span}")
    if wish.first_month is not None and wish.first_month > last:
        raise Misread(f"{month(wish.first_month)} is not forecast yet; {span}")


def _require_once(found: Said, others: list[Said]) -> None:
    """Raise a Misread where another row of the same file is about the same series or sum and month."""
    for other in others:
        is_same = (other.domain, other.aggregation, other.unique_id) == (
            found.domain,
            found.aggregation,
            found.unique_id,
        )
        starts, ends = max(_start(other), _start(found)), min(other.until, found.until)
        if is_same and starts <= ends:
            raise Misread(f"{other.source} is about the same series or sum and month")


def _start(said: Said) -> dt.date:
    return said.first_month or dt.date.min


def _is_in_force(found: Said, before: pd.DataFrame) -> bool:
    """Say whether an override that stands says the very same, and none that was made later is about one of its months."""
    node = (before["domain"] == found.domain) & (before["aggregation"] == found.aggregation)
    same = before[node & (before["unique_id"] == found.unique_id)].astype({"first_month": object})
    first = same["first_month"].map(lambda ds: dt.date.min if pd.isna(ds) else pd.Timestamp(ds).date())
    until = same["until"].dt.date
    alike = (first == _start(found)) & (until == found.until)
    for name in ("kind", "amount", "who", "why"):
        alike &= same[name] == getattr(found, name)
    overlapping = (first <= found.until) & (until >= _start(found))
    return bool(alike.any()) and bool(alike[overlapping].iloc[-1])
