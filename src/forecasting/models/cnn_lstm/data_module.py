"""From a training table to what the network learns from: windows, targets, masks, weights, split in order of time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from forecasting.contracts import SEASON_LENGTH
from forecasting.series import (
    INPUT_LIMIT,
    Windows,
    character,
    costs,
    cut_windows,
    in_spreads,
    months_before,
    normalised,
    paths,
    tendency,
    varying,
)

CHANNELS = 4  # values, adjusted values, mask, season
PATHS = 6  # of `series.paths`
VALIDATION_MONTHS = (SEASON_LENGTH // 2, SEASON_LENGTH)  # how many of the last months may be kept apart to stop by


@dataclass(frozen=True)
class Inputs:
    """What the network sees of n windows, without units: sequence [n, CHANNELS, months], paths [n, PATHS, horizon], features [n, k]."""

    sequence: torch.Tensor
    paths: torch.Tensor
    features: torch.Tensor

    @property
    def parts(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The tensors in the order in which the network takes them."""
        return self.sequence, self.paths, self.features

    def take(self, rows: torch.Tensor) -> "Inputs":
        """Return those of these rows."""
        return Inputs(*(part[rows] for part in self.parts))

    def to(self, device: torch.device) -> "Inputs":
        """Return them on a device."""
        return Inputs(*(part.to(device) for part in self.parts))


@dataclass(frozen=True)
class Examples:
    """Inputs with what came next: targets [n, horizon], 1 where a target counts (else 0) [n, horizon], weight [n]."""

    inputs: Inputs
    targets: torch.Tensor
    counts: torch.Tensor
    weight: torch.Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: torch.Tensor) -> "Examples":
        """Return the examples of these rows."""
        return Examples(self.inputs.take(rows), self.targets[rows], self.counts[rows], self.weight[rows])

    def to(self, device: torch.device) -> "Examples":
        """Return the examples on a device."""
        return Examples(self.inputs.to(device), self.targets.to(device), self.counts.to(device), self.weight.to(device))


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of each feature over the windows that were learned from [k]: the only shared scaler."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Statistics":
        """Measure features [n, k]; one that never varies, and any where there are no rows, is left as it is."""
        if not len(features):
            return cls(np.zeros(features.shape[1]), np.ones(features.shape[1]))
        deviation = features.std(axis=0)
        return cls(features.mean(axis=0), np.where(deviation > 1e-6, deviation, 1.0))


class SalesDataModule:
    """Loads a training table, normalises it and makes windows.

    A window is every stretch of history that ends at a month with at least `fewest` known months; its targets are the
    `horizon` months after it, those within the table. Nothing after the table's last month exists for it, and each
    window is normalised by itself. A series that is `series.still` teaches nothing.

    Parameters
    ----------
    train: one row per unique_id, ds with column y.
    horizon: months ahead.
    sequence: months the network reads.
    fewest: known months a window needs.
    most: how many windows are enough (`cut_windows`).
    statistics: the features' mean and deviation where a network has learned with some; else those of these windows.
    """

    def __init__(
        self,
        train: pd.DataFrame,
        horizon: int,
        sequence: int,
        fewest: int = SEASON_LENGTH + 1,
        statistics: Statistics | None = None,
        most: int | None = None,
    ) -> None:
        window, future, month, self.age = cut_windows(varying(train), horizon, fewest, VALIDATION_MONTHS, most)
        windows = normalised(window)
        self.statistics = statistics or Statistics.of(raw_features(windows, month))
        self.inputs = inputs(windows, month, sequence, horizon, self.statistics)
        self.targets = windows.departures(future)
        self.weight = costs(windows)

    def __len__(self) -> int:
        return len(self.age)

    def examples(self, leave_out: int = 0) -> Examples:
        """Return what to learn from; the last `leave_out` months of each series count neither as input nor as target."""
        steps = np.arange(1, self.targets.shape[1] + 1)
        counts = np.isfinite(self.targets) & (self.age[:, None] - steps >= leave_out)
        return self._rows(counts, counts.any(axis=1))

    def validation(self, months: int) -> Examples:
        """Return the windows that end `months` before the end of their series, with these months as targets."""
        counts = np.isfinite(self.targets)
        return self._rows(counts, (self.age == months) & counts.any(axis=1))

    def _rows(self, counts: np.ndarray, chosen: np.ndarray) -> Examples:
        """Return the chosen windows as tensors."""
        rows = torch.from_numpy(np.flatnonzero(chosen))
        targets = np.where(counts, self.targets, 0.0)
        arrays = (targets, counts, self.weight)
        tensors = [torch.from_numpy(array[chosen].astype(np.float32)) for array in arrays]
        return Examples(self.inputs.take(rows), *tensors)


def inputs(windows: Windows, month: np.ndarray, sequence: int, horizon: int, statistics: Statistics) -> Inputs:
    """Arrange normalised windows for the network; `month` holds the origins' month numbers [n]."""
    before = months_before(sequence)
    known = np.isfinite(windows.values[:, -sequence:])
    channels = [
        np.nan_to_num(in_spreads(windows.values[:, -sequence:], windows)),
        np.nan_to_num(in_spreads(windows.adjusted[:, -sequence:], windows)),
        known,
        np.where(known, in_spreads(windows.season, windows)[:, before % SEASON_LENGTH], 0.0),
    ]
    features = (raw_features(windows, month) - statistics.mean) / statistics.deviation
    arrays = (np.stack(channels, axis=1), paths(windows, horizon), np.clip(features, -INPUT_LIMIT, INPUT_LIMIT))
    return Inputs(*(torch.from_numpy(array.astype(np.float32)) for array in arrays))


def raw_features(windows: Windows, month: np.ndarray) -> np.ndarray:
    """Return what describes each window as a whole, its seasonal index, its tendency and the month of its origin included [n, k]."""
    angle = 2.0 * np.pi * (month % SEASON_LENGTH) / SEASON_LENGTH
    parts = [*character(windows).values(), in_spreads(windows.season, windows), tendency(windows)]
    return np.column_stack([*parts, np.sin(angle), np.cos(angle)])
