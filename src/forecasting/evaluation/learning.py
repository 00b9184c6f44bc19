"""What models of all series learn from, where there are more than they need: a sample by size and length of history."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from forecasting.series import mean, panel

SIZES, LENGTHS = 5, 3  # strata: fifths by mean absolute value, thirds by known months, within each aggregation


class Sample(NamedTuple):
    """At most so many series and sums, drawn with a seed."""

    n_series: int
    seed: int = 1


COUNTED = Sample(
    300
)  # of a model of single series: so many are fitted once more, to tell readers how many get which method


def drawn(nodes: pd.DataFrame, sample: Sample | None) -> pd.DataFrame:
    """Return the rows of the nodes (of `series.as_nodes`) that are learned from: all, or a sample where there are more.

    Each stratum (aggregation, size, length) has its share by number, one node at least as long as there is room; within it the lot
    decides. What is drawn follows from these rows alone.
    """
    if sample is None or nodes["unique_id"].nunique() <= sample.n_series:
        return nodes
    known = panel(nodes)
    level = pd.Series(known.ids).str.split("|").str[0]
    measures = {"size": (mean(np.abs(known.values)), SIZES), "length": (known.lengths, LENGTHS)}
    strata = [level, *(ranked(pd.Series(found), level, parts) for found, parts in measures.values())]
    order = np.random.default_rng(sample.seed).permutation(len(known.ids))
    stratum = pd.DataFrame(dict(enumerate(strata))).groupby([0, 1, 2]).ngroup().to_numpy()[order]
    # the k-th of n that are in a stratum stands at (k − ½) / n: cutting all of them at one height gives each stratum its share
    place = pd.Series(stratum).groupby(stratum).cumcount().to_numpy()
    height = np.where(place == 0, 0.0, (place + 0.5) / np.bincount(stratum)[stratum])
    chosen = order[np.argsort(height, kind="stable")[: sample.n_series]]
    return nodes[nodes["unique_id"].isin(known.ids[chosen])].reset_index(drop=True)


def ranked(values: pd.Series, level: pd.Series, parts: int) -> pd.Series:
    """Return in which of so many equal parts of its level a value lies, from below [n]."""
    return (values.groupby(level).rank(method="first", pct=True) * parts).clip(upper=parts - 1e-9).astype(int)
