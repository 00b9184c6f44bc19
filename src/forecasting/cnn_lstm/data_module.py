"""From a training table to what the network learns from: windows, targets, masks, weights, split in order of time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from forecasting.cnn_lstm.normalization import LIMIT, WINDOW, Windows, months_before, normalised
from forecasting.contracts import SEASON_LENGTH
from forecasting.features import Panel, panel

CHANNELS = 6  # values, adjusted values, mask, season, month as sine and cosine
VALIDATION_MONTHS = (SEASON_LENGTH // 2, SEASON_LENGTH)  # how many of the last months may be kept apart to stop by
MOST_WINDOWS = 250_000  # beyond this, origins are taken every k-th month, the last one and those of validation always
LARGEST_WEIGHT = 10.0  # of a window, where the mean is 1


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
    window is normalised by itself.

    Parameters
    ----------
    train: one row per unique_id, ds with column y.
    horizon: months ahead.
    sequence: months the network reads.
    fewest: known months a window needs.
    """

    def __init__(self, train: pd.DataFrame, horizon: int, sequence: int, fewest: int = SEASON_LENGTH + 1) -> None:
        window, future, month, self.age = cut_windows(panel(train), horizon, fewest)
        windows = normalised(window)
        self.statistics = Statistics.of(raw_features(windows)) if len(window) else Statistics(np.zeros(0), np.ones(0))
        self.inputs = inputs(windows, month, sequence, self.statistics)
        self.targets = windows.departures(future)
        self.weight = weights(windows)

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


def cut_windows(known: Panel, horizon: int, fewest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return windows [n, WINDOW], the months after them [n, horizon], their origins' month numbers and ages [n].

    The age is how many months of the series lie after the origin.
    """
    series, months = known.values.shape
    unknown = np.full((series, WINDOW), np.nan), np.full((series, horizon), np.nan)
    padded = np.hstack([unknown[0], known.values, unknown[1]])
    enough = np.isfinite(known.values).cumsum(axis=1) >= fewest
    age = np.broadcast_to(months_before(months), known.values.shape)
    chosen = enough & np.isfinite(known.values) & (age > 0)
    every = -(-int(chosen.sum()) // MOST_WINDOWS) or 1
    row, column = np.nonzero(chosen & (((age - 1) % every == 0) | np.isin(age, VALIDATION_MONTHS)))
    stretches = np.lib.stride_tricks.sliding_window_view(padded, WINDOW + horizon, axis=1)[row, column + 1]
    return stretches[:, :WINDOW], stretches[:, WINDOW:], known.origins[row, column], age[row, column]


def last_windows(known: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return the window that ends at each series' last month [series, WINDOW] and that month's number [series]."""
    missing = max(WINDOW - known.values.shape[1], 0)
    padded = np.hstack([np.full((len(known.ids), missing), np.nan), known.values])
    return padded[:, -WINDOW:], known.last


def inputs(windows: Windows, month: np.ndarray, sequence: int, statistics: Statistics) -> Inputs:
    """Arrange normalised windows for the network; `month` holds the origins' month numbers [n]."""
    before = months_before(sequence)
    known = np.isfinite(windows.values[:, -sequence:])
    angle = 2.0 * np.pi * ((month[:, None] - before) % SEASON_LENGTH) / SEASON_LENGTH
    channels = [
        in_spreads(windows.values[:, -sequence:], windows),
        in_spreads(windows.adjusted[:, -sequence:], windows),
        known,
        in_spreads(np.where(known, windows.season[:, before % SEASON_LENGTH], np.nan), windows),
        np.sin(angle),
        np.cos(angle),
    ]
    features = (raw_features(windows) - statistics.mean) / statistics.deviation if len(month) else raw_features(windows)
    stacked = np.stack(channels, axis=1).astype(np.float32)
    return Inputs(torch.from_numpy(stacked), torch.from_numpy(np.clip(features, -LIMIT, LIMIT).astype(np.float32)))


def in_spreads(values: np.ndarray, windows: Windows) -> np.ndarray:
    """Return values [n, months] in spreads, cut at ± LIMIT; 0 where nothing is known."""
    return np.clip(np.nan_to_num(values / windows.spread[:, None]), -LIMIT, LIMIT)


def raw_features(windows: Windows) -> np.ndarray:
    """Describe each window as a whole [n, k]: its seasonal index, spread, noise, trend, smoothing and length."""
    spread = windows.spread
    size = np.sqrt((windows.season**2).mean(axis=1))
    columns = [
        np.log(spread),
        np.log(windows.yearly_change / spread),
        np.log((windows.monthly_change + 1e-4) / spread),
        np.log((windows.noise + 1e-4) / spread),
        np.log((size + 1e-3) / spread),
        windows.shrinkage,
        windows.smoothing,
        np.clip(SEASON_LENGTH * windows.slope / spread, -LIMIT, LIMIT),
        windows.is_log,
        np.isfinite(windows.values).mean(axis=1),
    ]
    return np.column_stack([*columns, np.clip(windows.season / spread[:, None], -LIMIT, LIMIT)])


def weights(windows: Windows) -> np.ndarray:
    """Return what an error of one spread costs in each window [n], its mean 1.

    Half of it in shares of the level, as sMAPE counts, half in seasonal-naive errors, as MASE does.
    """
    relative, scaled = windows.spread, windows.spread / windows.yearly_change
    both = relative / max(relative.mean(), 1e-9) + scaled / max(scaled.mean(), 1e-9) if len(relative) else relative
    return np.minimum(both / 2.0, LARGEST_WEIGHT)
