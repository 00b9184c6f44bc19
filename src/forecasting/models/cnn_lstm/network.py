"""The network: convolutions find local shapes, an LSTM reads them in order, a head gives every quantile of every month."""

from dataclasses import dataclass

import torch
from torch import nn

from forecasting.contracts import QUANTILES


@dataclass(frozen=True)
class NetworkSize:
    """Hyper-parameters of `CNNLSTM`; `sequence`: months it reads, `horizon`: months it forecasts."""

    horizon: int
    sequence: int
    channels_in: int
    features: int
    channels: int = 48
    hidden: int = 64
    head: int = 128
    dropout: float = 0.1


class CNNLSTM(nn.Module):
    """Conv1d × 2 → LSTM → fully connected head, with the last two years and the window's features beside the LSTM's state."""

    def __init__(self, size: NetworkSize) -> None:
        super().__init__()
        self.size = size
        self.convolutions = nn.Sequential(
            nn.Conv1d(size.channels_in, size.channels, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv1d(size.channels, size.channels, kernel_size=3, padding=1),
            nn.GELU(),
        )
        self.lstm = nn.LSTM(size.channels, size.hidden, batch_first=True)
        wide = size.hidden + size.features + self.shortcut_length()
        self.head = nn.Sequential(
            nn.Linear(wide, size.head),
            nn.GELU(),
            nn.Dropout(size.dropout),
            nn.Linear(size.head, size.horizon * len(QUANTILES)),
        )

    def shortcut_length(self) -> int:
        """Return how many inputs go straight to the head: values, adjusted values and mask of the last 24 months."""
        return 3 * min(24, self.size.sequence)

    def forward(self, sequence: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Return quantiles [n, horizon, 11] from `sequence` [n, channels_in, months] and `features` [n, features]."""
        shapes = self.convolutions(sequence).transpose(1, 2)  # [n, months, channels]
        state = self.lstm(shapes)[0][:, -1]  # [n, hidden]
        shortcut = sequence[:, :3, -24:].flatten(1)  # [n, 3 × 24]
        quantiles = self.head(torch.cat([state, features, shortcut], dim=1))  # [n, horizon × 11]
        return quantiles.view(-1, self.size.horizon, len(QUANTILES))
