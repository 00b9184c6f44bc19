"""What params/ says of series, as columns of a training set: whom a new one is like (`like:`), and which sums it is in (`levels:`)."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from forecasting.contracts import TRAIN_COLUMNS, level_columns
from forecasting.errors import UserError

NOTHING: Mapping[str, str] = MappingProxyType({})
# Regions or categories that have several values of a column, those with the most first.
SEVERAL = """
    select {key}, list_slice(list(distinct value order by value), 1, 4) as found, count(distinct value) as n
    from level_values where column_name = ? group by {key} having n > 1 order by n desc, {key} limit 3
"""
CALLED = {"region": "region", "product_category": "category"}


def train_select(domain: str, like: Mapping[str, str] = NOTHING, levels: Iterable[str] = ()) -> str:
    """Return the SELECT of a domain's training set.

    Where `like` in params/ names series, a column says whom each new one is like; for each of `levels` two say which sum a series is in.
    """
    columns, sums = [f"train.{name}" for name in TRAIN_COLUMNS], ""
    if like:
        whom = " ".join(f"when {quoted(new)} then {quoted(other)}" for new, other in like.items())
        columns.append(f'case unique_id {whom} end as "like"')
    for number, level in enumerate(levels):
        own = (f"l{number}.node_region", f"l{number}.node_product_category")
        columns += [f'{node} as "{name}"' for node, name in zip(own, level_columns(level), strict=True)]
        sums += (
            f" left join series_levels as l{number} on l{number}.aggregation = {quoted(level)}"
            f" and l{number}.region = train.region and l{number}.product_category = train.product_category"
        )
    return f"select {', '.join(columns)} from ml_train_{domain}_monthly as train{sums} order by unique_id, ds"


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def require_series(connection: Any, domains: set[str], like: dict[str, str]) -> None:
    """Raise a UserError if `like` in params/ names a series that no domain has."""
    named = sorted({*like, *like.values()})
    if not named:
        return
    parts = (f"select unique_id from ml_train_{domain}_monthly" for domain in sorted(domains))
    known = [row[0] for row in connection.execute(" union ".join(parts)).fetchall()]
    for name in named:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise UserError(
                f"params: like: there is no series {name[:80]!r}. A series is written region/product_category; the nearest is {near[0]!r}."
            )


def require_groups(connection: Any, levels: dict[str, list[str]]) -> None:
    """Raise a UserError at the first column of `levels` of which neither each region nor each category has one value; it names some."""
    for column in dict.fromkeys(name for names in levels.values() for name in names):
        mixed = {key: connection.execute(SEVERAL.format(key=key), [column]).fetchall() for key in CALLED}
        if all(mixed.values()):
            said = "; ".join(f"the {CALLED[key]} {several(rows[0])}" for key, rows in mixed.items())
            level = next(name for name, names in levels.items() if column in names)
            raise UserError(
                f"params: levels: {level}: the column {column} must say one thing of each region or of each category, but {said}. "
                f"Correct the facts, or name another column."
            )


def several(row: tuple[str, list[str], int]) -> str:
    """Return what a name has several values of: up to three of them."""
    name, values, n = row
    return f"{name} has {n:,} ({', '.join(values[:3])}{', …' if n > 3 else ''})"
