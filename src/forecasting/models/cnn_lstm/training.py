"""How one network is trained: pinball loss, early stopping on the last months, then a short finish on all months.

One that has learned before is tuned: a few steps on all months, and then half way back.

The weights that forecast are an exponential moving average of those that the optimiser moves (Polyak and Juditsky 1992),
which makes the validation loss smooth enough to stop by.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from tqdm.auto import tqdm

from forecasting.contracts import QUANTILES, SEASON_LENGTH
from forecasting.models.cnn_lstm.data_module import VALIDATION_MONTHS, Examples, Inputs, SalesDataModule
from forecasting.models.cnn_lstm.network import CNNLSTM, NetworkSize

AVERAGING = 0.98  # share of the averaged weights that a step keeps
PART = 25  # of the windows, at most one in so many is in a step
SMALLEST_BATCH = 64
CLIP = 1.0  # largest norm of a gradient
CHUNK = 4096  # windows forecast at a time


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how fast.

    Steps are batches; `finish` is the share of the best number of steps that is run on all months. `warm_up`: steps until the full
    learning rate. `kept`: how much of what tuning changed is kept.
    """

    steps: int = 600
    check_every: int = 50
    patience: int = 4
    finish: float = 1.0
    batch: int = 256
    learning_rate: float = 0.002
    weight_decay: float = 0.01
    warm_up: int = 0
    kept: float = 1.0


TUNING = TrainingPlan(steps=100, check_every=10, learning_rate=0.001, warm_up=20, kept=0.7)
TUNING_WINDOWS = 30_000  # more than the steps of tuning see


@dataclass(frozen=True)
class Trained:
    """A network and how it got there: seed, stage, step, training_loss, validation_loss (NaN where none is measured)."""

    network: CNNLSTM
    curve: pd.DataFrame


def train(data: SalesDataModule, size: NetworkSize, plan: TrainingPlan, seed: int, progress: bool = False) -> Trained:
    """Train one network; the same seed and data give the same weights on the same machine.

    First without the last months (12, or 6 where the longest series has less than four years) until they are forecast
    no better; then on all months, from the best weights on.
    """
    torch.manual_seed(seed)
    network = CNNLSTM(size)
    run = _Run(network, plan, seed, progress)
    months = validation_months(data)
    early, late = data.examples(leave_out=months), data.validation(months)
    best = run.until_no_better(early, late) if len(early) and len(late) else plan.steps // 2
    run.on_all(data.examples(), max(round(best * plan.finish), plan.check_every))
    return Trained(run.averaged.cpu().eval(), pd.DataFrame(run.curve))


def tune(network: CNNLSTM, data: SalesDataModule, plan: TrainingPlan, seed: int, progress: bool = False) -> Trained:
    """Tune a network that has learned before: `plan.steps` on all months, and then back by 1 − `plan.kept` of the way.

    Weights between those before and after tuning forecast what lies ahead better than either, where the months at hand are few or
    not like those to come (WiSE-FT, Wortsman et al. 2022).
    """
    run = _Run(copy.deepcopy(network), plan, seed, progress)
    torch.manual_seed(seed)  # what is dropped out
    run.on_all(data.examples(), plan.steps)
    with torch.no_grad():
        for tuned, before in zip(run.averaged.parameters(), network.to(run.device).parameters(), strict=True):
            tuned.lerp_(before, 1.0 - plan.kept)
    return Trained(run.averaged.cpu().eval(), pd.DataFrame(run.curve))


def validation_months(data: SalesDataModule) -> int:
    """Return how many of the last months are kept apart to stop by."""
    longest = int(data.age.max(initial=0)) + SEASON_LENGTH + 1
    few, many = VALIDATION_MONTHS
    return many if longest >= 4 * SEASON_LENGTH else few


class _Run:
    """One training: the network, the average of its weights, the optimiser and the curve so far."""

    def __init__(self, network: CNNLSTM, plan: TrainingPlan, seed: int, progress: bool) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(self.device)
        self.averaged = copy.deepcopy(self.network)
        self.plan, self.seed, self.progress = plan, seed, progress
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
        )
        self.order = torch.Generator().manual_seed(seed)
        self.curve: list[dict[str, Any]] = []
        self.step = 0

    def until_no_better(self, early: Examples, late: Examples) -> int:
        """Train on the early months until the late ones are forecast no better; return the best number of steps."""
        early, late = early.to(self.device), late.to(self.device)
        best, least, kept = 0, float("inf"), None
        for _ in self._bar(range(self.plan.steps // self.plan.check_every), "early stopping"):
            learned = self._steps(early, self.plan.check_every)
            found = mean_loss(self.averaged, late)
            self._note("early stopping", learned, found)
            if found < least:
                best, least, kept = self.step, found, self._state()
            elif self.step - best >= self.plan.patience * self.plan.check_every:
                break
        if kept is not None:
            self._restore(kept)
        return best

    def on_all(self, examples: Examples, steps: int) -> None:
        """Train on all months for so many steps."""
        examples = examples.to(self.device)
        for done in self._bar(range(0, steps, self.plan.check_every), "all months"):
            learned = self._steps(examples, min(self.plan.check_every, steps - done))
            self._note("all months", learned, float("nan"))

    def _steps(self, examples: Examples, count: int) -> float:
        """Take so many steps; return their mean loss."""
        self.network.train()
        total = 0.0
        for number in range(count):
            self._warm_up(self.step + number)
            rows = torch.randint(len(examples), (self.batch(len(examples)),), generator=self.order)
            loss = pinball_loss(self.network, examples.take(rows.to(self.device)))
            self.optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
            self.optimiser.step()
            self._average()
            total += loss.item()
        self.step += count
        return total / count

    def _warm_up(self, step: int) -> None:
        """Raise the learning rate over the first steps: the optimiser does not know yet how large its steps are."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.learning_rate * min(1.0, (step + 1) / max(self.plan.warm_up, 1))

    def batch(self, windows: int) -> int:
        """Return how many windows a step sees: fewer where there are few, so that a step does not repeat them."""
        return min(self.plan.batch, max(windows // PART, SMALLEST_BATCH))

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged weights towards the current ones; the first ones count less the more there are."""
        keep = min(AVERAGING, (self.step + 1) / (self.step + 10))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1.0 - keep)

    def _state(self) -> tuple[dict, dict, dict]:
        """Return copies of the weights, their average and the optimiser's state."""
        parts = (self.network, self.averaged, self.optimiser)
        return tuple(copy.deepcopy(part.state_dict()) for part in parts)

    def _restore(self, state: tuple[dict, dict, dict]) -> None:
        """Take back what `_state` returned."""
        for part, content in zip((self.network, self.averaged, self.optimiser), state, strict=True):
            part.load_state_dict(content)

    def _note(self, stage: str, learned: float, found: float) -> None:
        """Add a point to the curve."""
        self.curve.append(
            {"seed": self.seed, "stage": stage, "step": self.step, "training_loss": learned, "validation_loss": found}
        )

    def _bar(self, steps: Iterable[int], stage: str) -> Iterable[int]:
        """Show progress where somebody is watching."""
        return tqdm(steps, desc=f"network {self.seed}, {stage}", leave=False, disable=not self.progress)


def pinball_loss(network: CNNLSTM, examples: Examples) -> torch.Tensor:
    """Return the mean quantile loss over the targets that count, in weighted spreads (Koenker and Bassett 1978)."""
    missed = examples.targets[:, :, None] - network(*examples.inputs.parts)
    level = torch.tensor(QUANTILES, dtype=missed.dtype, device=missed.device)
    loss = torch.maximum(level * missed, (level - 1.0) * missed).mean(dim=2) * examples.counts  # [n, horizon]
    return (loss.sum(dim=1) / examples.counts.sum(dim=1).clamp(min=1.0) * examples.weight).mean()


@torch.no_grad()
def mean_loss(network: CNNLSTM, examples: Examples) -> float:
    """Return the loss over all examples."""
    network.eval()
    return pinball_loss(network, examples).item()


@torch.no_grad()
def quantiles(network: CNNLSTM, inputs: Inputs, chunk: int = CHUNK) -> torch.Tensor:
    """Return the network's quantiles [n, horizon, 11], in spreads, of so many windows at a time."""
    network.eval()
    chunks = zip(*(part.split(chunk) for part in inputs.parts), strict=True)
    return torch.cat([network(*parts) for parts in chunks])
