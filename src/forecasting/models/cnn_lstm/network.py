"""The network: convolutions find local shapes, an LSTM reads them in order, and one head gives the quantiles of any month ahead."""

from dataclasses import dataclass

import torch
from torch import nn

from forecasting.contracts import QUANTILES, SEASON_LENGTH

SHOWN = 3  # channels that a month ahead is shown of the same month of earlier years: values, adjusted values, mask
SHORTCUT = 2 * SEASON_LENGTH  # months that go straight to the trunk
STRIDE = 3  # months that the second convolution puts into one: the LSTM reads quarters


@dataclass(frozen=True)
class NetworkSize:
    """Hyper-parameters of `CNNLSTM`; `sequence`: months it reads, at least 12; `horizon`: months it forecasts."""

    horizon: int
    sequence: int
    channels_in: int
    paths: int
    features: int
    channels: int = 32
    hidden: int = 64
    trunk: int = 96
    head: int = 64
    dropout: float = 0.05


class CNNLSTM(nn.Module):
    """Conv1d × 2 → LSTM → trunk, which knows the window → a head that the months ahead share.

    Beside the LSTM's state the trunk sees the window's features and its last two years. The head is told of each month ahead how far
    it lies, what the same month of earlier years was, and where simple methods would be (`series.paths`): with one set of weights
    for all months there is less to learn, and a month's season is found where it stands.
    """

    def __init__(self, size: NetworkSize) -> None:
        super().__init__()
        self.size = size
        steps = torch.arange(1, size.horizon + 1)
        years = size.sequence // SEASON_LENGTH
        before = torch.stack(
            [SEASON_LENGTH * year - (steps - 1) % SEASON_LENGTH for year in range(1, years + 1)], dim=1
        )
        far = steps / (2.0 * SEASON_LENGTH)
        self.register_buffer("same_month", size.sequence - before, persistent=False)  # [horizon, years]
        self.register_buffer("far", torch.stack([far, far**2, 1.0 / steps], dim=1), persistent=False)
        self.convolutions = nn.Sequential(
            nn.Conv1d(size.channels_in, size.channels, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv1d(size.channels, size.channels, kernel_size=STRIDE, stride=STRIDE),
            nn.GELU(),
        )
        self.lstm = nn.LSTM(size.channels, size.hidden, batch_first=True)
        wide = size.hidden + size.features + SHOWN * min(SHORTCUT, size.sequence)
        self.trunk = nn.Sequential(
            nn.Linear(wide, size.trunk),
            nn.GELU(),
            nn.Dropout(size.dropout),
            nn.Linear(size.trunk, size.trunk),
            nn.GELU(),
        )
        self.of_window = nn.Linear(size.trunk, size.head)
        self.of_month = nn.Linear(SHOWN * years + size.paths + self.far.shape[1], size.head)
        self.of_distance = nn.Parameter(torch.zeros(size.horizon, size.head))
        self.head = nn.Sequential(
            nn.GELU(), nn.Linear(size.head, size.head), nn.GELU(), nn.Linear(size.head, len(QUANTILES))
        )

    def forward(self, sequence: torch.Tensor, paths: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Return quantiles [n, horizon, 11].

        From `sequence` [n, channels_in, months], `paths` [n, paths, horizon] and `features` [n, features].
        """
        shapes = self.convolutions(sequence).transpose(1, 2)  # [n, quarters, channels]
        state = self.lstm(shapes)[0][:, -1]  # [n, hidden]
        shortcut = sequence[:, :SHOWN, -SHORTCUT:].flatten(1)
        known = self.trunk(torch.cat([state, features, shortcut], dim=1))  # [n, trunk]
        earlier = (
            sequence[:, :SHOWN][:, :, self.same_month].permute(0, 2, 1, 3).flatten(2)
        )  # [n, horizon, SHOWN × years]
        far = self.far.expand(len(sequence), *self.far.shape)
        month = torch.cat([earlier, paths.transpose(1, 2), far], dim=2)
        return self.head(self.of_window(known)[:, None] + self.of_month(month) + self.of_distance)
