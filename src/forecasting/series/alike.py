"""Whose season and growth a series of its first months may have: that of series alike, whom people name or whose category it shares."""

import numpy as np
import pandas as pd

from forecasting.contracts import AGGREGATIONS, SEASON_LENGTH
from forecasting.series.hierarchy import Hierarchy, node_ids
from forecasting.series.panels import Panel

YOUNG = SEASON_LENGTH + 1  # months: with fewer nothing is known of its season
GROWN = 2 * SEASON_LENGTH  # months from which a series shows season and growth
LIKE = "like"  # column of a training set in which `like` of params/ names series


def alike(history: pd.DataFrame, known: Panel) -> dict[str, list[str]]:
    """Return for each series or sum of less than 13 months those it is taken to be like (ids of `as_nodes`), all of 24 months or more.

    That is the one that `like` in params/ names; else the others of its category; else those of its region. A new region is like the
    other regions, a new category like the other categories. One for which there is nobody is not among the keys.

    Parameters
    ----------
    history: one row per unique_id, repeated or not, with region, product_category and, where series are named, like.
    known: the panel of `as_nodes` of it.
    """
    if (known.lengths >= YOUNG).all():
        return {}
    hierarchy = Hierarchy.of(history)
    nodes, ids, named = hierarchy.nodes, node_ids(hierarchy), named_like(history)
    months = pd.Series(known.lengths, known.ids).reindex(ids, fill_value=0).to_numpy()  # 0: another node stands for it
    young, grown = np.flatnonzero((months > 0) & (months < YOUNG)), np.flatnonzero(months >= GROWN)
    groups = {key: grown_alike(nodes.iloc[grown], ids[grown], key) for key in ("product_category", "region")}
    by_name = {f"{AGGREGATIONS[0]}|{one}": f"{AGGREGATIONS[0]}|{other}" for one, other in named.items()}
    all_grown, found = set(ids[grown]), {}
    for own in nodes.assign(id=ids).iloc[young].itertuples():
        other = by_name.get(own.id)
        by_key = (groups[key].get((own.aggregation, getattr(own, key))) for key in groups)
        others = [other] if other in all_grown else next(filter(None, by_key), None)
        if others is not None:
            found[own.id] = others
    return found


def grown_alike(nodes: pd.DataFrame, ids: np.ndarray, key: str) -> dict[tuple[str, str], list[str]]:
    """Return the ids of the nodes that share an aggregation and a key, by both."""
    return {group: ids[places].tolist() for group, places in nodes.groupby(["aggregation", key]).indices.items()}


def named_like(history: pd.DataFrame) -> dict[str, str]:
    """Return for each series the one that people say it is like, where they say anything."""
    if LIKE not in history:
        return {}
    named = history.loc[history[LIKE].notna(), ["unique_id", LIKE]].drop_duplicates("unique_id")
    return dict(zip(named["unique_id"], named[LIKE], strict=True))
