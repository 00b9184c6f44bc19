"""Where a stretch of months stands in other series too, whatever its unit: the same changes from month to month.

Two stretches are alike if their changes correlate by .9995 or more: one is the other times a factor, plus a constant or a steady
growth, but for what rounding leaves. Comparing every stretch with every other would take hours. The changes of a stretch, centred and
brought to length 1, are a point; two points at a correlation c lie sqrt(2 (1 - c)) apart, and a projection on a few orthonormal axes
never takes points further apart. So a k-d tree of the projections finds all that can be alike, and for those alone the correlation
is computed in full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

ALIKE = 0.9995  # the least correlation of the changes
MONTHS = 30  # of a stretch, where series are compared with each other
FEW_CHANGES = (
    6  # what lives of fewer looks like anything else that does: then its values themselves have to be the same
)
LEAST_VALUES = 6  # that are the same by a factor and not zero
ROUNDING = 0.01  # how far values may lie apart that are the same by a factor, as a share of them
AXES = 6  # of the projection
AT_ONCE = 1 << 16  # stretches
TARGETS_AT_ONCE = 256
COLUMNS = ["target", "series", "start", "correlation"]


@dataclass(frozen=True)
class Stretches:
    """Every stretch of so many months in some series: where it begins in `values`, whose it is, its first month there [stretches]."""

    values: np.ndarray
    months: int
    begins: np.ndarray
    series: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, series: Sequence[np.ndarray], months: int) -> "Stretches":
        """Return the stretches of series; those shorter than `months` have none."""
        lengths = np.array([len(one) for one in series], dtype=np.int64)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        start = np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
        begins = np.flatnonzero(start + months <= lengths[owner])
        return cls(np.concatenate([np.zeros(0), *series]), months, begins, owner[begins], start[begins])

    def of_number(self, numbers: np.ndarray) -> np.ndarray:
        """Return the values [numbers, months] of some stretches."""
        return self.values[self.begins[numbers][:, None] + np.arange(self.months)]

    def projected(self, axes: np.ndarray) -> np.ndarray:
        """Return the point [axes] of every stretch; 0 of one that does not move."""
        chunks = np.array_split(np.arange(len(self.begins)), len(self.begins) // AT_ONCE + 1)
        return np.concatenate([changes(self.of_number(chunk)) @ axes for chunk in chunks])


def found_in(series: Sequence[np.ndarray], targets: np.ndarray, least: float = ALIKE) -> pd.DataFrame:
    """Return where stretches like the targets stand in series: COLUMNS, one row per target, number of the series and first month there.

    A stretch that does not move is like nothing. One that moves by fewer than six changes (an order between zeros, a price that is set
    once a year) is like another only if all values are the same times one factor, six or more of them not zero.

    Parameters
    ----------
    series: the months of each series, without gaps.
    targets: values [targets, months].
    """
    there = Stretches.of(series, targets.shape[1])
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(targets.shape[1] - 1, AXES)))[0]
    points = there.projected(axes)
    moving = np.flatnonzero(points.any(axis=1))
    tree = cKDTree(points[moving], balanced_tree=False, compact_nodes=False)
    rows = [np.zeros((0, len(COLUMNS)))]
    for target, found in candidates(tree, changes(targets) @ axes, np.sqrt(2 * (1 - least)) + 1e-6):
        number = moving[found]
        correlation, is_alike = compared(targets[target], there.of_number(number), least)
        rows.append(np.column_stack([target, there.series[number], there.start[number], correlation])[is_alike])
    table = pd.DataFrame(np.concatenate(rows), columns=COLUMNS).astype(dict.fromkeys(COLUMNS[:3], np.int64))
    return table.sort_values(COLUMNS[:3], ignore_index=True)


def candidates(tree: cKDTree, points: np.ndarray, reach: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs (numbers of points, numbers in the tree) that lie within reach of each other, some points at a time."""
    moving = np.flatnonzero(points.any(axis=1))
    for some in np.array_split(moving, len(moving) // TARGETS_AT_ONCE + 1):
        near = tree.query_ball_point(points[some], reach)
        yield np.repeat(some, [len(each) for each in near]), np.array([one for each in near for one in each], np.int64)


def changes(values: np.ndarray) -> np.ndarray:
    """Return the changes [stretches, months - 1] of stretches, centred, of length 1; zeros where a stretch hardly moves."""
    steps = np.diff(values, axis=1)
    steps -= steps.mean(axis=1, keepdims=True)
    size = np.sqrt((steps**2).sum(axis=1, keepdims=True))
    moves = size > 1e-6 * np.abs(values).mean(axis=1, keepdims=True)
    return np.where(moves, steps / np.where(moves, size, 1), 0)


def compared(some: np.ndarray, others: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the correlation of the changes of stretches, one by one, and whether they count as alike [stretches]."""
    mine = changes(some)
    correlation = (mine * changes(others)).sum(axis=1)
    lives_of = 1 / np.maximum(
        (mine**4).sum(axis=1), 1e-12
    )  # how many changes make up the movement, were they of one size
    return correlation, (correlation >= least) & ((lives_of >= FEW_CHANGES) | same_by_factor(some, others))


def same_by_factor(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return whether stretches are the same times one factor, at least six of their values not being zero [stretches]."""
    factor = (some * others).sum(axis=1) / np.maximum((some**2).sum(axis=1), 1e-300)
    is_same = np.abs(others - factor[:, None] * some) <= ROUNDING * np.abs(others)
    return is_same.all(axis=1) & ((some != 0).sum(axis=1) >= LEAST_VALUES)
