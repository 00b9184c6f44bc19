"""Which series hold months of a competition's test part: a network that learned from them would have seen the answers.

Two ways are looked for: the whole test part with the six months before it stands somewhere in a series; or a series ends, with its last
30 months, within a test part. The series of the set itself are looked through like any other: some sets have a series twice.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecasting.competitions import Dataset
from forecasting.pretraining.overlap import MONTHS, found_in

BEFORE = 6  # months before the test part, so that a short one is not found by chance
COLUMNS = ["number", "of_source", "of_id", "correlation"]


def leaking(values: Sequence[np.ndarray], sets: Sequence[Dataset]) -> pd.DataFrame:
    """Return which of the series leak: COLUMNS, one row per series, with the test part that it is most like.

    Parameters
    ----------
    values: the months of each series, 30 or more, without gaps.
    sets: the competitions, with their test parts.
    """
    found = [part for dataset in sets for part in (holding(values, dataset), ending_within(values, dataset))]
    table = pd.concat([part for part in found if len(part)] or found, ignore_index=True)
    best = table.sort_values(["number", "correlation"], ascending=[True, False], kind="stable")
    return best.drop_duplicates("number", ignore_index=True)


def holding(values: Sequence[np.ndarray], dataset: Dataset) -> pd.DataFrame:
    """Return the series in which a whole test part stands."""
    ids, wholes = whole(dataset)
    targets = np.stack([one[-(dataset.horizon + BEFORE) :] for one in wholes])
    found = found_in(values, targets)
    return named(found["series"], found["target"], found, dataset.name, ids)


def ending_within(values: Sequence[np.ndarray], dataset: Dataset) -> pd.DataFrame:
    """Return the series whose last months go on into a test part, not past it."""
    ids, wholes = whole(dataset)
    found = found_in(wholes, np.stack([one[-MONTHS:] for one in values]))
    trained = np.array([len(one) - dataset.horizon for one in wholes])
    found = found[found["start"] + MONTHS > trained[found["series"]]]
    return named(found["target"], found["series"], found, dataset.name, ids)


def whole(dataset: Dataset) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the names of a set's series, and of each its training part followed by its test part."""
    months = pd.concat([dataset.train, dataset.test]).sort_values(["unique_id", "ds"])
    begins = np.flatnonzero(months["unique_id"].ne(months["unique_id"].shift()))
    return months["unique_id"].to_numpy()[begins], np.split(months["y"].to_numpy(dtype=np.float64), begins[1:])


def named(numbers: pd.Series, of: pd.Series, found: pd.DataFrame, name: str, ids: np.ndarray) -> pd.DataFrame:
    """Return COLUMNS of what was found."""
    columns = (numbers, name, ids[of], found["correlation"])
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
