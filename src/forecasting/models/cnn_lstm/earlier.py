"""Networks as they were before there was a pretrained one: saved ones are still read, so that what was published goes on being served.

None is trained any more.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from forecasting.contracts import QUANTILES, SEASON_LENGTH
from forecasting.models.cnn_lstm.data_module import Statistics
from forecasting.series import INPUT_LIMIT, Windows, character, in_spreads, months_before

CHANNELS = 6  # values, adjusted values, mask, season, month as sine and cosine
SHORTCUT = 24  # months whose values, adjusted values and mask go straight to the head
HEAD = 128


class EarlierNetwork(nn.Module):
    """Conv1d × 2 → LSTM → a head for all months ahead at once. `settings` are those of the model that was saved."""

    size = None  # it follows from the settings

    def __init__(self, settings: Mapping[str, Any], statistics: Statistics) -> None:
        super().__init__()
        self.sequence, self.horizon, self.statistics = settings["sequence"], settings["horizon"], statistics
        channels, hidden = settings["channels"], settings["hidden"]
        self.convolutions = nn.Sequential(
            nn.Conv1d(CHANNELS, channels, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv1d(channels, channels, kernel_size=3, padding=1),
            nn.GELU(),
        )
        self.lstm = nn.LSTM(channels, hidden, batch_first=True)
        wide = hidden + len(statistics.mean) + 3 * min(SHORTCUT, self.sequence)
        self.head = nn.Sequential(
            nn.Linear(wide, HEAD),
            nn.GELU(),
            nn.Dropout(settings["dropout"]),
            nn.Linear(HEAD, self.horizon * len(QUANTILES)),
        )

    def forward(self, sequence: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Return quantiles [n, horizon, 11] from `sequence` [n, CHANNELS, months] and `features` [n, k]."""
        state = self.lstm(self.convolutions(sequence).transpose(1, 2))[0][:, -1]
        shortcut = sequence[:, :3, -SHORTCUT:].flatten(1)
        return self.head(torch.cat([state, features, shortcut], dim=1)).view(-1, self.horizon, len(QUANTILES))

    @torch.no_grad()
    def quantiles(self, windows: Windows, month: np.ndarray, chunk: int) -> np.ndarray:
        """Return its quantiles [n, horizon, 11], in spreads, of so many windows at a time."""
        self.eval()
        pairs = zip(*(part.split(chunk) for part in self.inputs(windows, month)), strict=True)
        return torch.cat([self(*pair) for pair in pairs]).numpy()

    def inputs(self, windows: Windows, month: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Arrange normalised windows; `month` holds the origins' month numbers [n]."""
        before = months_before(self.sequence)
        known = np.isfinite(windows.values[:, -self.sequence :])
        angle = 2.0 * np.pi * ((month[:, None] - before) % SEASON_LENGTH) / SEASON_LENGTH
        season = in_spreads(windows.season, windows)
        channels = [
            np.nan_to_num(in_spreads(windows.values[:, -self.sequence :], windows)),
            np.nan_to_num(in_spreads(windows.adjusted[:, -self.sequence :], windows)),
            known,
            np.where(known, season[:, before % SEASON_LENGTH], 0.0),
            np.sin(angle),
            np.cos(angle),
        ]
        features = np.column_stack([*character(windows).values(), season])
        scaled = np.clip((features - self.statistics.mean) / self.statistics.deviation, -INPUT_LIMIT, INPUT_LIMIT)
        return tuple(torch.from_numpy(part.astype(np.float32)) for part in (np.stack(channels, axis=1), scaled))
