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
    varying,
)

CHANNELS = 6  # values, adjusted values, mask, season, month as sine and cosine
VALIDATION_MONTHS = (SEASON_LENGTH // 2, SEASON_LENGTH)  # how many of the last months may be kept apart to stop by


@dataclass(frozen=True)
class Inputs:
    """What the network sees of n windows: sequence [n, CHANNELS, months] and features [n, k], without units."""

    sequence: torch.Tensor
    features: torch.Tensor


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
        inputs = Inputs(self.inputs.sequence[rows], self.inputs.features[rows])
        return Examples(inputs, self.targets[rows], self.counts[rows], self.weight[rows])

    def to(self, device: torch.device) -> "Examples":
        """Return the examples on a device."""
        inputs = Inputs(self.inputs.sequence.to(device), self.inputs.features.to(device))
        return Examples(inputs, self.targets.to(device), self.counts.to(device), self.weight.to(device))


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of each feature over the windows that were learned from [k]: the only shared scaler."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Statistics":
        """Measure features [n, k]; one that never varies is left as it is."""
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
    """

    def __init__(self, train: pd.DataFrame, horizon: int, sequence: int, fewest: int = SEASON_LENGTH + 1) -> None:
        window, future, month, self.age = cut_windows(varying(train), horizon, fewest, VALIDATION_MONTHS)
        windows = normalised(window)
        self.statistics = Statistics.of(raw_features(windows)) if len(window) else Statistics(np.zeros(0), np.ones(0))
        self.inputs = inputs(windows, month, sequence, self.statistics)
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
        return Examples(Inputs(self.inputs.sequence[rows], self.inputs.features[rows]), *tensors)


def inputs(windows: Windows, month: np.ndarray, sequence: int, statistics: Statistics) -> Inputs:
    """Arrange normalised windows for the network; `month` holds the origins' month numbers [n]."""
    before = months_before(sequence)
    known = np.isfinite(windows.values[:, -sequence:])
    angle = 2.0 * np.pi * ((month[:, None] - before) % SEASON_LENGTH) / SEASON_LENGTH
    channels = [
        np.nan_to_num(in_spreads(windows.values[:, -sequence:], windows)),
        np.nan_to_num(in_spreads(windows.adjusted[:, -sequence:], windows)),
        known,
        np.where(known, in_spreads(windows.season, windows)[:, before % SEASON_LENGTH], 0.0),
        np.sin(angle),
        np.cos(angle),
    ]
    features = (raw_features(windows) - statistics.mean) / statistics.deviation if len(month) else raw_features(windows)
    stacked = np.stack(channels, axis=1).astype(np.float32)
    return Inputs(
        torch.from_numpy(stacked), torch.from_numpy(np.clip(features, -INPUT_LIMIT, INPUT_LIMIT).astype(np.float32))
    )


def raw_features(windows: Windows) -> np.ndarray:
    """Return what describes each window as a whole, its seasonal index included [n, k]."""
    return np.column_stack([*character(windows).values(), in_spreads(windows.season, windows)])
