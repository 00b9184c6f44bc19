"""Doubts about names: other spellings, successors, ids that would clash.

Each check returns the doubts that it finds in the tables of `doubts.TABLES`.
"""

from difflib import SequenceMatcher
from typing import Any

import pandas as pd

from forecasting.contracts import ALL, NOT_STATED
from forecasting.training_set.doubt import COLUMNS, MONTHS_TO_JUDGE, Doubt, in_yaml
from forecasting.training_set.folded import fold

LIKE_SIZE = 0.5  # the smaller of two as a share of the larger


def unusable_ids(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Two series of a domain, or a series and a sum, that would have the same id, and names that stand for sums."""
    found = []
    for fact_table, series in tables["series"].groupby("fact_table"):
        pairs = [
            (str(region), str(category))
            for region, category in series[["region", "product_category"]].itertuples(index=False)
        ]
        nodes = {*pairs, *((region, ALL) for region, _ in pairs), *((ALL, category) for _, category in pairs)}
        by_id: dict[str, list[tuple[str, str]]] = {}
        for node in sorted(nodes):
            by_id.setdefault("/".join(node), []).append(node)
        clashes = {key: found for key, found in by_id.items() if len(found) > 1}
        found += [
            Doubt(str(fact_table), "refuse", "ids", _clash_text(key, one, two))
            for key, (one, two, *_) in clashes.items()
        ]
    return found


def _clash_text(key: str, one: tuple[str, str], other: tuple[str, str]) -> str:
    """Name two series of one id."""
    first, second = (f"region '{region}' with category '{category}'" for region, category in (one, other))
    advice = "Give one of them another name, in the facts or by rename in params/."
    return f"R{first[1:]} and {second} would both be called '{key}'. {advice}"


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
            mapping = ", ".join(f"{in_yaml(name, quoted=True)}: {in_yaml(best)}" for name in others)
            text = (
                f"{COLUMNS[str(column)]} {best} is spelled in {len(names)} ways, each a series of its own: {said}. If they are one, "
                f"state it in params/: rename: {{{column}: {{{mapping}}}}}."
            )
            table = rows.loc[rows["name"].isin(names.index), "fact_table"]
            found.extend(Doubt(name, "medium", "names_alike", text) for name in sorted(set(table)))
    return found


def successors(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """A name that ends in the month in which another of like size begins, or the month before: it may have been renamed."""
    found = []
    for (fact_table, column), rows in tables["name_months"].groupby(["fact_table", "column_name"]):
        lives = rows[rows["amount"] != 0].sort_values("ds").groupby("name")["ds"].agg(["min", "max", "size"])
        end, firsts = rows["ds"].max(), pd.to_datetime(lives["min"])
        for old, life in lives[(lives["size"] >= MONTHS_TO_JUDGE) & (lives["max"] < end)].iterrows():
            last = pd.Timestamp(life["max"])
            begun = lives.index[firsts.between(last, last + pd.DateOffset(months=1)) & (firsts > life["min"])]
            like = {
                new: size
                for new in begun
                if (size := _like_size(rows, old, new)) >= LIKE_SIZE and fold(new) != fold(old)
            }
            if like and fact_table != "expenses":  # another spelling is said already
                new = max(like, key=lambda name: (like[name] + SequenceMatcher(None, str(old), name).ratio(), name))
                text = (
                    f"{COLUMNS[str(column)]} {old} ends in {last:%Y-%m} and {new}, of like size, begins in {lives.loc[new, 'min']:%Y-%m}. "
                    "If it was only renamed, state it in params/, so that its history goes on: "
                    f"rename: {{{column}: {{{in_yaml(str(old))}: {in_yaml(new)}}}}}."
                )
                found.append(Doubt(str(fact_table), "medium", "renamed", text))
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
