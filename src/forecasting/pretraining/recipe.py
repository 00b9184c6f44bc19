"""What the network is trained on before it sees a company, how long and how fast: the one place where that is said."""

from dataclasses import asdict, dataclass, field
from typing import Any

from forecasting.models.cnn_lstm import network

MADE, MIXED, REAL = "made", "mixed", "real"
# How often a real window comes from each source. By their number alone the prices would be half of them, and all alike.
SHARES = {
    "m3_monthly": 30.0, "m1_monthly": 20.0, "tourism_monthly": 18.0, "aus_retail": 18.0, "pbs": 12.0, "us_employment": 8.0,
    "aus_livestock": 5.0, "cpi": 4.0, "fpp3_single": 2.0,
}  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """Some thousand steps: the share of each kind of window, and the learning rate, which falls along a cosine."""

    name: str
    blocks: int
    shares: dict[str, float]
    rate: tuple[float, float]


@dataclass(frozen=True)
class Recipe:
    """Two stages. The first knows made series alone and is the same whatever is left out; the second adds real ones.

    The weights are taken from between the two: `kept` of what the second stage changed. They forecast series of a domain that neither has
    seen better than those of either (WiSE-FT, Wortsman et al. 2022).

    A block of `block` windows is seen `uses` times, in batches of `batch`. `averaging`: share of the averaged weights that a step keeps.
    """

    first: Stage = Stage("made", 625, {MADE: 1.0}, (2e-3, 6e-4))
    second: Stage = Stage("real", 160, {MADE: 0.6, MIXED: 0.25, REAL: 0.15}, (6e-4, 2e-5))
    kept: float = 0.6
    block: int = 8192
    uses: int = 2
    batch: int = 512
    weight_decay: float = 0.01
    averaging: float = 0.999
    warm_up: int = 200
    seed: int = 1
    size: dict[str, int] = field(
        default_factory=lambda: {"horizon": 24, "sequence": 48, "channels": 32, "hidden": 64, "trunk": 96, "head": 64}
    )

    @property
    def steps_of_block(self) -> int:
        """How many steps a block serves."""
        return self.uses * self.block // self.batch

    def network_size(self, channels: int, paths: int, features: int) -> network.NetworkSize:
        """Return the size of the network."""
        return network.NetworkSize(channels_in=channels, paths=paths, features=features, **self.size)

    def of_training(self) -> dict[str, Any]:
        """Return what the training hangs on, as JSON: all but how much of it is kept."""
        return {name: value for name, value in self.to_json().items() if name != "kept"}

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON."""
        return asdict(self) | {"sources": SHARES}
