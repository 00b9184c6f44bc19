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
    nodes, ids = hierarchy.nodes, node_ids(hierarchy)
    months = pd.Series(known.lengths, known.ids).reindex(ids, fill_value=0).to_numpy()  # 0: another node stands for it
    grown = months >= GROWN
    found = {}
    for place in np.flatnonzero((months > 0) & (months < YOUNG)):
        own = nodes.iloc[place]
        same = grown & (nodes["aggregation"] == own["aggregation"]).to_numpy()
        named = (ids == f"{AGGREGATIONS[0]}|{named_like(history, own['unique_id'])}") & same
        by_key = [same & (nodes[key] == own[key]).to_numpy() for key in ("product_category", "region")]
        others = next((group for group in (named, *by_key) if group.any()), None)
        if others is not None:
            found[ids[place]] = ids[others].tolist()
    return found


def named_like(history: pd.DataFrame, unique_id: str) -> str | None:
    """Return the series that people say this one is like; None where they say nothing."""
    if LIKE not in history:
        return None
    return next(iter(history.loc[history["unique_id"] == unique_id, LIKE].dropna()), None)
