"""The training itself: block after block, in as many sittings as it takes.

What is learned after so many blocks hangs on the recipe, the corpus and the number of blocks alone: a training that was stopped and goes
on ends with the very weights of one that was not.
"""

import copy
import math
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from forecasting.files import digest
from forecasting.models.cnn_lstm import data_module, training
from forecasting.models.cnn_lstm import network as networks
from forecasting.pretraining.examples import Public, block, seed_of
from forecasting.pretraining.recipe import Recipe, Stage

STATE = "state.pt"
SAVE_EVERY = 10  # blocks
AHEAD = 2  # blocks that are made while others are learned from


@dataclass(frozen=True)
class Learned:
    """Where a stage has come to: the network's and the averaged weights, the statistics, blocks done, and the loss of each."""

    network: networks.CNNLSTM
    averaged: networks.CNNLSTM
    statistics: data_module.Statistics
    losses: list[float]


def run_stage(
    recipe: Recipe,
    stage: Stage,
    folder: Path,
    public: Public | None,
    before: Learned | None,
    of_corpus: str,
    quiet: bool = False,
) -> Learned:
    """Do one stage, or what is left of it, and return what was learned.

    Parameters
    ----------
    folder: where its state is kept.
    before: what it goes on from; nothing for the first.
    of_corpus: the fingerprint of the corpus; "" where none is used.
    """
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    whole = digest(recipe.of_training(), stage.name, of_corpus)
    run = _Stage.begun(recipe, stage, before, device)
    run.take_up(folder / STATE, whole)
    left = range(len(run.losses), stage.blocks)
    bar = tqdm(
        total=stage.blocks, initial=len(run.losses), desc=f"{folder.name}, {stage.name}", unit="block", disable=quiet
    )
    for number, examples in zip(left, blocks(recipe, stage, left, public, run.statistics), strict=True):
        run.learn(number, examples)
        if (number + 1) % SAVE_EVERY == 0 or number + 1 == stage.blocks:
            run.keep(folder / STATE, whole)
        bar.set_postfix(loss=f"{run.losses[-1]:.4f}")
        bar.update()
    bar.close()
    return Learned(run.network, run.averaged, run.statistics, run.losses)


def blocks(
    recipe: Recipe, stage: Stage, numbers: range, public: Public | None, statistics: data_module.Statistics
) -> Iterator[data_module.Examples]:
    """Yield the blocks in order; another process makes the next ones meanwhile."""
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=_remember, initargs=(recipe, stage, public, statistics)
    ) as pool:
        waiting: list[Future] = []
        for number in numbers:
            waiting.append(pool.submit(_block, number))
            if len(waiting) > AHEAD:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


_GIVEN: tuple[Any, ...] = ()  # of the process that makes blocks


def _remember(*given: Any) -> None:
    """Keep what all blocks share."""
    global _GIVEN
    torch.set_num_threads(1)
    _GIVEN = given


def _block(number: int) -> data_module.Examples:
    """Make one block."""
    recipe, stage, public, statistics = _GIVEN
    return block(recipe, stage, number, public, statistics)[0]


@dataclass
class _Stage:
    """One stage while it runs."""

    recipe: Recipe
    stage: Stage
    network: networks.CNNLSTM
    averaged: networks.CNNLSTM
    optimiser: torch.optim.Optimizer
    statistics: data_module.Statistics
    device: torch.device
    losses: list[float]

    @classmethod
    def begun(cls, recipe: Recipe, stage: Stage, before: Learned | None, device: torch.device) -> "_Stage":
        """Begin where the stage before has ended, else with weights drawn by chance."""
        if before is None:
            examples, statistics = block(recipe, stage, 0, None, None)
            torch.manual_seed(recipe.seed)
            network = networks.CNNLSTM(
                recipe.network_size(data_module.CHANNELS, data_module.PATHS, examples.inputs.features.shape[1])
            )
        else:
            network, statistics = copy.deepcopy(before.averaged), before.statistics
        network = network.to(device)
        optimiser = torch.optim.AdamW(network.parameters(), lr=stage.rate[0], weight_decay=recipe.weight_decay)
        return cls(recipe, stage, network, copy.deepcopy(network), optimiser, statistics, device, [])

    def take_up(self, path: Path, whole: str) -> None:
        """Go on from what was kept, if it is of the same recipe and corpus."""
        if not path.exists():
            return
        kept = torch.load(path, weights_only=True, map_location=self.device)
        if kept["of"] == whole:
            self.network.load_state_dict(kept["network"])
            self.averaged.load_state_dict(kept["averaged"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.losses = list(kept["losses"])

    def keep(self, path: Path, whole: str) -> None:
        """Keep the state, in one step."""
        parts = {"network": self.network, "averaged": self.averaged, "optimiser": self.optimiser}
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        torch.save(
            {"of": whole, "losses": self.losses, **{name: part.state_dict() for name, part in parts.items()}}, new
        )
        os.replace(new, path)

    def learn(self, number: int, examples: data_module.Examples) -> None:
        """Learn from one block."""
        examples = examples.to(self.device)
        torch.manual_seed(seed_of(self.recipe, self.stage, number))  # what is dropped out
        order = torch.Generator().manual_seed(seed_of(self.recipe, self.stage, number))
        self.network.train()
        steps, total = self.recipe.steps_of_block, 0.0
        for step in range(number * steps, (number + 1) * steps):
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate(step)
            rows = torch.randint(len(examples), (self.recipe.batch,), generator=order)
            loss = training.pinball_loss(self.network, examples.take(rows.to(self.device)))
            self.optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), training.CLIP)
            self.optimiser.step()
            self.average(step)
            total += loss.item()
        self.losses.append(total / steps)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: it rises at the start of the stage, then falls along a cosine."""
        high, low = self.stage.rate
        done = step / (self.stage.blocks * self.recipe.steps_of_block)
        return min(1.0, (step + 1) / self.recipe.warm_up) * (
            low + (high - low) * (1.0 + math.cos(math.pi * done)) / 2.0
        )

    @torch.no_grad()
    def average(self, step: int) -> None:
        """Move the averaged weights towards the current ones."""
        keep = min(self.recipe.averaging, (step + 1) / (step + 10))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1.0 - keep)
