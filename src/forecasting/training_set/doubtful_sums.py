"""Doubts about sums: names whose amounts are those of others together, of all of them or of some, or of another one alone.

Found by the numbers, month after month, so that no list of words decides; only where numbers cannot tell, the name does.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from forecasting.contracts import ALL, NOT_STATED
from forecasting.training_set.check_tables import listed
from forecasting.training_set.doubt import COLUMNS, MONTHS_TO_JUDGE, Doubt, in_yaml
from forecasting.training_set.folded import fold

# what rows of totals are called, folded as `fold` does
TOTALS = {
    "all", "alle", "overall", "total", "totals", "totale", "totaal", "totalt", "grandtotal", "grandtotals", "subtotal", "sum", "summe",
    "gesamt", "gesamtsumme", "gesamtergebnis", "insgesamt", "zwischensumme", "totalgeneral", "totaux", "ensemble", "tous", "toutes",
    "todo", "todos", "todas", "allregions", "allcategories", "allproducts", "alleregionen", "suma", "razem", "celkem", "osszesen",
    "yhteensa", "ialt", "итого", "всего", "合計", "总计", "總計", "합계",
}  # fmt: skip
MOST_TOTALS = 3  # rows of totals of the same facts that are looked for: All, Total, Grand total
NEAR = 0.005  # how far a total may be from the sum, as a share of it
MOST_NAMES = 150  # among which sums of some are looked for: the largest
LEAST_EQUAL = 0.9  # of the months
MOST_ODD = 2  # months in which a sum of some may differ


def totals(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Regions, categories or products that are sums of others, by their numbers or by their name."""
    found: dict[tuple[str, str], Doubt] = {}  # by table and name
    for fact_table, column, where, wide in _scopes(tables):
        suspected = _suspects(wide) if not where else {}
        if fact_table == "expenses":
            suspected.pop(ALL, None)  # what concerns all regions
        if len(suspected) > 1:  # the rows of a total in the other column
            suspected.pop(NOT_STATED, None)
        for name, why in (suspected | _sums_of_some(wide.drop(columns=[*suspected]), not where)).items():
            if settings["totals"].get(name) != "keep" or name == ALL:
                text = _total_text(fact_table, column, name, f"{where}{why}")
                found.setdefault((fact_table, name), Doubt(fact_table, "refuse", "totals", text))
    for row in tables["product_totals"].itertuples():
        if settings["totals"].get(row.product) != "keep":
            why = (
                f"in region {row.region}, category {row.product_category}, equals the sum of the other products in {row.n_equal} of "
                f"{row.n_months} months"
            )
            text = _total_text(row.fact_table, "product", row.product, why)
            found.setdefault((row.fact_table, row.product), Doubt(row.fact_table, "refuse", "totals", text))
    tables_with_names = {fact_table for fact_table, name in found if name != NOT_STATED}
    return [doubt for (table, name), doubt in found.items() if name != NOT_STATED or table not in tables_with_names]


def _scopes(tables: dict[str, pd.DataFrame]) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Yield what may hold totals: fact table, column, where («» for everything) and the amounts [months × names]."""
    for (fact_table, column), rows in tables["name_months"].groupby(["fact_table", "column_name"]):
        wide = rows.pivot_table(index="ds", columns="name", values="amount", aggfunc="sum")
        if wide.shape[1] > 1:
            yield str(fact_table), str(column), "", wide
    for fact_table, series in tables["series_months"].groupby("fact_table"):
        for column, other in (("product_category", "region"), ("region", "product_category")):
            if series[other].nunique() < 2:
                continue  # the same as everything
            for name, rows in series.groupby(other):
                wide = rows.pivot_table(index="ds", columns=column, values="amount", aggfunc="sum")
                if wide.shape[1] > 2:
                    yield str(fact_table), column, f"in {COLUMNS[other].lower()} {name}, ", wide


def _total_text(fact_table: str, column: str, name: str, why: str) -> str:
    """Name what is taken for a total, and what can be said of it."""
    other = "another name, since 'All' stands for the sum" if name == ALL else "keep says that it is a real one"
    other = f"or give it {other}" if name == ALL else other
    return (
        f"{COLUMNS.get(column, 'Product')} '{name}' of the {fact_table} facts {why}: counted beside them it would double the company. "
        f"State in params/ what it is: totals: {{{in_yaml(name)}: drop}} leaves its rows out, {other}."
    )


def _suspects(wide: pd.DataFrame) -> dict[str, str]:
    """Return the names that are the sum of all others, or are called so."""
    named = {str(name): "is called like a total of the others" for name in wide if _is_word(str(name))}
    return named | _sums_of_others(wide)


def _is_word(name: str) -> bool:
    """Say whether a name means a total."""
    return fold(name).strip(":.*=") in TOTALS


def _sums_of_others(wide: pd.DataFrame) -> dict[str, str]:
    """Return the names whose amounts [months × names] are the sum of the others, month after month, and a part of a sentence that says so.

    Where there are k such names, each is a (k + 1)th of everything.
    """
    everything, found = wide.sum(axis=1), {}
    for parts in range(2, MOST_TOTALS + 2):
        hits = {}
        for name, amounts in wide.items():
            own = amounts[amounts.notna() & (amounts != 0)]
            distance = (everything[own.index] - parts * own).abs()
            n_equal = int((distance <= NEAR * own.abs()).sum())
            exact = bool((distance < 0.01 * parts).all())
            enough = n_equal >= MONTHS_TO_JUDGE or (exact and n_equal >= 3)
            if enough and n_equal >= LEAST_EQUAL * len(own) and own.round(2).nunique() >= 3:
                hits[str(name)] = (
                    f"equals the sum of the other {'names' if parts > 2 else 'ones'} in {n_equal} of {len(own)} months"
                )
        if len(hits) > parts - 1:  # alike to each other: only the name tells which is the total
            hits = {name: text for name, text in hits.items() if _is_word(name)}
        found |= hits
    return found


def _sums_of_some(wide: pd.DataFrame, is_everything: bool = True) -> dict[str, str]:
    """Return the names that are the sum of two or more of the others, to the cent, month after month; smaller ones first.

    So EMEA beside its countries, and another continent, is found. What is a sum is no part of a larger one. In a part of the company
    the months must agree without an exception, and be more than the names: then one look at them all says that there is no sum.
    """
    order = np.argsort(wide.abs().mean().to_numpy(), kind="stable")[-MOST_NAMES:]
    names, known = [str(wide.columns[place]) for place in order], wide.notna().to_numpy()[:, order]
    amounts = wide.fillna(0.0).to_numpy(float)[:, order]
    if not is_everything and _are_independent(amounts):
        return {}
    found: dict[str, str] = {}
    for place, name in enumerate(names):
        months = known[:, place]
        own = amounts[months, place]
        if len(np.unique(own.round(2))) < MONTHS_TO_JUDGE:
            continue  # too little to tell from chance
        sizes = np.abs(amounts[months]).sum(axis=0)
        smaller = [
            other
            for other, size in enumerate(sizes)
            if other != place and size <= sizes[place] and names[other] not in found
        ]
        parts, n_equal = _parts(own, amounts[np.ix_(months, smaller)])
        if parts:
            listing = listed([names[smaller[part]] for part in parts], 6)
            found[name] = f"equals the sum of {len(parts)} others ({listing}) in {n_equal} of {len(own)} months"
    return found


def _are_independent(amounts: np.ndarray) -> bool:
    """Say whether no column [months × names] can be the sum of others, or it cannot be told, as there are more names than months."""
    if amounts.shape[1] >= amounts.shape[0]:
        return True
    spread = np.linalg.svd(amounts / np.maximum(np.abs(amounts).max(axis=0), 0.01), compute_uv=False)
    return bool(spread[-1] > 1e-7 * spread[0])


def _parts(total: np.ndarray, others: np.ndarray) -> tuple[list[int], int]:
    """Return which columns of `others` [months × names] add up to `total`, none where none do, and in how many months they do.

    Least squares tell which they may be, since a part counts once or not at all (where there are more names than months those without
    negative weights, which find few parts among many); that they do add up is asked of every month, but for MOST_ODD of
    many: the worst are left out, one after another.
    """
    used = np.arange(len(total))
    least = len(total) - min(MOST_ODD, int((1 - LEAST_EQUAL) * len(total)) if len(total) >= 2 * MONTHS_TO_JUDGE else 0)
    near = 0.51 if (total == np.round(total)).all() else 0.0  # a total that was rounded
    while others.shape[1] > 1 and len(used) >= least:
        enough = others.shape[1] < len(used)
        weights = np.linalg.lstsq(others[used], total[used])[0] if enough else nnls(others[used], total[used])[0]
        parts = np.flatnonzero((weights > 0.5) & others[used].any(axis=0))
        off = np.abs(others[:, parts].sum(axis=1) - total)
        equal = off <= max(near, 0.006 * len(parts))
        if equal.sum() >= least and len(parts) > 1 and np.linalg.matrix_rank(others[np.ix_(equal, parts)]) > 1:
            return [int(part) for part in parts], int(equal.sum())
        residual = np.abs(others[used] @ weights - total[used])
        if residual.max() <= 0.01:
            break
        used = np.delete(used, residual.argmax())
    return [], 0


def equal_names(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Two names with the same amounts in every month: the same facts twice, under another name."""
    found = []
    for (fact_table, column), rows in tables["name_months"].groupby(["fact_table", "column_name"]):
        wide = rows.pivot_table(index="ds", columns="name", values="amount", aggfunc="sum").round(4)
        telling = [name for name in wide if wide[name].nunique() >= MONTHS_TO_JUDGE]
        same: dict[bytes, list[str]] = {}
        for name in telling:
            same.setdefault(wide[name].to_numpy(float).tobytes(), []).append(str(name))
        for names in same.values():
            for one, other in combinations(names[:MOST_TOTALS], 2):
                if {settings["totals"].get(one), settings["totals"].get(other)} & {"keep"}:
                    continue
                text = (
                    f"{COLUMNS[str(column)]} '{one}' and '{other}' of the {fact_table} facts have the same amounts in all "
                    f"{wide[one].count()} months, as if the same facts stood there under two names. If so, state in params/ "
                    f"totals: {{{in_yaml(other)}: drop}}, else keep."
                )
                found.append(Doubt(str(fact_table), "high", "names_equal", text))
    return found
