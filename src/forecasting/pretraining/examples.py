"""Blocks of examples for the network: of made series, mixtures and real ones, the same each time a block is asked for."""

import zlib
from dataclasses import dataclass

import numpy as np
import torch

from forecasting import competitions
from forecasting.contracts import SEASON_LENGTH
from forecasting.models.cnn_lstm import data_module
from forecasting.pretraining.corpus import Corpus
from forecasting.pretraining.drawing_windows import Drawn, draw
from forecasting.pretraining.making import make, mix
from forecasting.pretraining.recipe import MADE, MIXED, SHARES, Recipe, Stage
from forecasting.series import costs, month_number, normalised

MONTHS = 144  # of a made series or a mixture


@dataclass(frozen=True)
class Public:
    """The corpus as a panel [series, months]: a column is a month, the first a January; `chance` [series] of being drawn.

    `phase_unknown` [series]: the calendar month of a competition's series is not told, only that twelve months make a year.
    """

    values: np.ndarray
    first_month: int
    chance: np.ndarray
    phase_unknown: np.ndarray

    @classmethod
    def of(cls, corpus: Corpus) -> "Public":
        """Arrange a corpus."""
        rows = corpus.rows
        month = month_number(rows["ds"])
        first = int(month.min()) // SEASON_LENGTH * SEASON_LENGTH
        key = rows["source"] + "\n" + rows["unique_id"]
        number, names = key.factorize()
        values = np.full((len(names), int(month.max()) - first + 1), np.nan)
        values[number, month - first] = rows["y"].to_numpy()
        source = np.array([name.split("\n")[0] for name in names])
        chance = np.array([SHARES[name] / (source == name).sum() for name in source])
        return cls(values, first, chance / chance.sum(), np.isin(source, list(competitions.SOURCES)))


def block(
    recipe: Recipe, stage: Stage, number: int, public: Public | None, statistics: data_module.Statistics | None
) -> tuple[data_module.Examples, data_module.Statistics]:
    """Return the examples of one block, in an order drawn by chance, and the statistics: those given, else those of this block."""
    parts = [
        windows_of(kind, recipe, stage, number, round(share * recipe.block), public)
        for kind, share in stage.shares.items()
    ]
    statistics = statistics or statistics_of(parts)
    made = [examples_of(drawn, recipe, statistics) for drawn in parts]
    order = torch.randperm(
        sum(len(one) for one in made), generator=torch.Generator().manual_seed(seed_of(recipe, stage, number))
    )
    return joined(made).take(order), statistics


def windows_of(kind: str, recipe: Recipe, stage: Stage, number: int, n: int, public: Public | None) -> Drawn:
    """Draw n windows of a kind."""
    rng = np.random.default_rng([seed_of(recipe, stage, number), zlib.crc32(kind.encode())])
    horizon = recipe.size["horizon"]
    if kind == MADE:
        made = make(seed_of(recipe, stage, 0), number, n, MONTHS)
        return draw(rng, made.values, made.first_month, horizon)
    chosen = rng.choice(len(public.chance), n, p=public.chance)
    if kind == MIXED:
        made = mix(rng, public.values[chosen], n, MONTHS, public.first_month)
        return draw(rng, made.values, made.first_month, horizon)
    turned = rng.integers(0, SEASON_LENGTH, n) * public.phase_unknown[chosen]
    return draw(rng, public.values[chosen], public.first_month + turned, horizon)


def statistics_of(parts: list[Drawn]) -> data_module.Statistics:
    """Measure the features of windows."""
    return data_module.Statistics.of(
        np.vstack([data_module.raw_features(normalised(one.window), one.month) for one in parts])
    )


def examples_of(drawn: Drawn, recipe: Recipe, statistics: data_module.Statistics) -> data_module.Examples:
    """Arrange windows for the network, each with what its errors cost, the mean of a kind of windows 1."""
    windows = normalised(drawn.window)
    targets = windows.departures(drawn.future)
    seen = data_module.inputs(windows, drawn.month, recipe.size["sequence"], recipe.size["horizon"], statistics)
    counts = np.isfinite(targets)
    arrays = (np.where(counts, targets, 0.0), counts, costs(windows))
    return data_module.Examples(seen, *(torch.from_numpy(array.astype(np.float32)) for array in arrays))


def joined(parts: list[data_module.Examples]) -> data_module.Examples:
    """Lay examples one below the other."""
    seen = data_module.Inputs(*(torch.cat(each) for each in zip(*(part.inputs.parts for part in parts), strict=True)))
    rest = zip(*((part.targets, part.counts, part.weight) for part in parts), strict=True)
    return data_module.Examples(seen, *(torch.cat(each) for each in rest))


def seed_of(recipe: Recipe, stage: Stage, number: int) -> int:
    """Return the seed of a block, from the recipe's, the stage and the block's number."""
    return zlib.crc32(f"{recipe.seed} {stage.name} {number}".encode())
