"""Doubts about names: totals among regions and categories, other spellings, successors, ids that would clash.

Each check returns the doubts that it finds in the tables of `doubts.TABLES`.
"""

import unicodedata
from typing import Any

import pandas as pd

from forecasting.contracts import ALL
from forecasting.training_set.doubt import COLUMNS, MONTHS_TO_JUDGE, Doubt

NOT_STATED = "Not stated"  # as dbt calls what has no name where others have one
# what rows of totals are called, folded as `fold` does
TOTALS = {
    "all", "alle", "overall", "total", "totals", "totale", "totaal", "totalt", "grandtotal", "grandtotals", "subtotal", "sum", "summe",
    "gesamt", "gesamtsumme", "gesamtergebnis", "insgesamt", "zwischensumme", "totalgeneral", "totaux", "ensemble", "tous", "toutes",
    "todo", "todos", "todas", "allregions", "allcategories", "allproducts", "alleregionen", "suma", "razem", "celkem", "osszesen",
    "yhteensa", "ialt", "итого", "всего", "合計", "总计", "總計", "합계",
}  # fmt: skip
MOST_TOTALS = 3  # rows of totals of the same facts that are looked for: All, Total, Grand total
NEAR = 0.005  # how far a total may be from the sum, as a share of it


def fold(name: str) -> str:
    """Return a name without what the eye does not see: capitals, blanks, hyphens, width and accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    unseen = ("Z", "C", "M", "Pd", "Pc")  # blanks, controls, accents, hyphens, underscores
    return "".join(letter for letter in plain if not unicodedata.category(letter).startswith(unseen))


def unusable_ids(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Two series, or a series and a sum, that would have the same id, and names that stand for sums."""
    pairs = [(str(region), str(category)) for region, category in tables["series"].itertuples(index=False)]
    nodes = {*pairs, *((region, ALL) for region, _ in pairs), *((ALL, category) for _, category in pairs)}
    by_id: dict[str, list[tuple[str, str]]] = {}
    for node in sorted(nodes):
        by_id.setdefault("/".join(node), []).append(node)
    clashes = {key: found for key, found in by_id.items() if len(found) > 1}
    return [Doubt("sales", "refuse", "ids", _clash_text(key, found[0], found[1])) for key, found in clashes.items()]


def _clash_text(key: str, one: tuple[str, str], other: tuple[str, str]) -> str:
    """Name two series of one id."""
    first, second = (f"region '{region}' with category '{category}'" for region, category in (one, other))
    advice = "Give one of them another name, in the facts or by rename in params/."
    return f"R{first[1:]} and {second} would both be called '{key}'. {advice}"


def totals(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Regions or categories that are the sum of the others, by their numbers or by their name."""
    found = []
    for (fact_table, column), rows in tables["name_months"].groupby(["fact_table", "column_name"]):
        wide = rows.pivot_table(index="ds", columns="name", values="amount", aggfunc="sum")
        if wide.shape[1] < 2:
            continue
        proofs = _sums_of_others(wide)
        named = {name: "is called like a total of the others" for name in wide if fold(name).strip(":.*=") in TOTALS}
        if fact_table == "expenses":
            named.pop(ALL, None)  # what concerns all regions
        suspected = named | proofs
        if len(suspected) > 1:  # the rows of a total in the other column
            suspected.pop(NOT_STATED, None)
        for name, why in suspected.items():
            if settings["totals"].get(name) != "keep" or name == ALL:
                found.append(Doubt(str(fact_table), "refuse", "totals", _total_text(fact_table, column, name, why)))
    if len({doubt.fact_table for doubt in found}) < len(found):
        found = [doubt for doubt in found if f"'{NOT_STATED}'" not in doubt.text]
    return found


def _total_text(fact_table: str, column: str, name: str, why: str) -> str:
    """Name what is taken for a total, and what can be said of it."""
    other = "another name, since 'All' stands for the sum" if name == ALL else "keep says that it is a real one"
    return (
        f"{COLUMNS[column]} '{name}' of the {fact_table} facts {why}: counted beside them it would double the company. State in params/ "
        f"what it is: totals: {{'{name}': drop}} leaves its rows out, {'or give it ' if name == ALL else ''}{other}."
    )


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
            if enough and n_equal >= 0.9 * len(own) and own.round(2).nunique() >= 3:
                hits[str(name)] = (
                    f"equals the sum of the other {'names' if parts > 2 else 'ones'} in {n_equal} of {len(own)} months"
                )
        if len(hits) > parts - 1:  # alike to each other: only the name tells which is the total
            hits = {name: text for name, text in hits.items() if fold(name).strip(":.*=") in TOTALS}
        found |= hits
    return found


def alike(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Names that differ only in what the eye does not see."""
    found = []
    for column, rows in tables["name_months"].groupby("column_name"):
        used = rows.groupby("name").agg(last=("ds", "max"), n=("n_facts", "sum"))
        for _, names in used.groupby(fold):
            if len(names) < 2:
                continue
            names = names.sort_values(["last", "n"], ascending=False)  # the one in use first
            best, *others = map(str, names.index)
            said = ", ".join(f"{name!r} ({int(n):,} facts)" for name, n in names["n"].items())
            mapping = ", ".join(f'"{_escaped(name)}": {best}' for name in others)
            text = (
                f"{COLUMNS[str(column)]} {best} is spelled in {len(names)} ways, each a series of its own: {said}. If they are one, "
                f"state it in params/: rename: {{{column}: {{{mapping}}}}}."
            )
            table = rows.loc[rows["name"].isin(names.index), "fact_table"]
            found.extend(Doubt(name, "medium", "names_alike", text) for name in sorted(set(table)))
    return found


def _escaped(name: str) -> str:
    """Return a name as YAML writes it between double quotes, what the eye does not see as \\u escapes."""
    return "".join(
        letter if letter.isprintable() and letter not in '"\\' else f"\\u{ord(letter):04x}" for letter in name
    )


def successors(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """A name that ends in the month before another of like size begins: it may have been renamed."""
    found = []
    flows = tables["name_months"][tables["name_months"]["fact_table"] == "sales"]
    for column, rows in flows.groupby("column_name"):
        lives = rows[rows["amount"] != 0].sort_values("ds").groupby("name")["ds"].agg(["min", "max", "size"])
        end = rows["ds"].max()
        for old, life in lives[(lives["size"] >= MONTHS_TO_JUDGE) & (lives["max"] < end)].iterrows():
            begin = pd.Timestamp(life["max"]) + pd.DateOffset(months=1)
            sizes = {new: _like_size(rows, old, new) for new in lives.index[pd.to_datetime(lives["min"]) == begin]}
            new = max(sizes, key=lambda name: sizes[name], default=None)
            if (
                new is not None and sizes[new] >= 0.5 and fold(new) != fold(old)
            ):  # else said already, as another spelling
                text = (
                    f"{COLUMNS[str(column)]} {old} ends in {life['max']:%Y-%m} and {new}, of like size, begins in {begin:%Y-%m}. "
                    f"If it was only renamed, state it in params/, so that its history goes on: rename: {{{column}: {{{old}: {new}}}}}."
                )
                found.append(Doubt("sales", "medium", "renamed", text))
    return found


def _like_size(rows: pd.DataFrame, old: str, new: str) -> float:
    """Return the smaller of two means as a share of the larger: the last six months of one name, the first of another."""
    ends = rows[rows["name"] == old].sort_values("ds")["amount"].tail(MONTHS_TO_JUDGE).mean()
    begins = rows[rows["name"] == new].sort_values("ds")["amount"].head(MONTHS_TO_JUDGE).mean()
    small, large = sorted((ends, begins))
    return small / large if small > 0 else 0.0


def not_stated(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Facts without a name where others have one."""
    rows = tables["name_months"][tables["name_months"]["name"] == NOT_STATED]
    return [
        Doubt(
            str(table),
            "low",
            "not_stated",
            f"{int(n):,} of the {table} facts have no {what}: they are a series '{NOT_STATED}'.",
        )
        for (table, column), n in rows.groupby(["fact_table", "column_name"])["n_facts"].sum().items()
        for what in [COLUMNS[str(column)].lower()]
    ]
