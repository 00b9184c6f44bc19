"""All networks, one after another: what each of them goes on from, where it is kept, and the weights with their card at the end."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from forecasting import competitions
from forecasting.files import write_if_changed
from forecasting.models.cnn_lstm import experience
from forecasting.pretraining.corpus import Corpus
from forecasting.pretraining.examples import Public
from forecasting.pretraining.kept import FOLDER, corpus_of, described, folder_of
from forecasting.pretraining.loop import Learned, run_stage
from forecasting.pretraining.making import KINDS
from forecasting.pretraining.recipe import Recipe
from forecasting.pretraining.sources import SOURCES
from forecasting.run import PRETRAINED

WEIGHTS = FOLDER / "weights"
WITHOUT: tuple[str | None, ...] = (
    None,
    *competitions.SOURCES,
)  # the network that has seen everything, then one less each set
LARGEST = 2_000_000  # bytes of the weights


def train(root: Path, recipe: Recipe, without: Sequence[str | None] = WITHOUT, quiet: bool = False) -> Path:
    """Train the networks, or go on where it was stopped, and return the folder of their weights and card.

    Raises
    ------
    UserError
        If a package that brings series is missing or of another version.
    """
    corpora = [corpus_of(root, () if name is None else (name,)) for name in without]
    first = run_stage(recipe, recipe.first, root / FOLDER / "made", None, None, "", quiet)
    found = {}
    for name, corpus in zip(without, corpora, strict=True):
        folder = folder_of(root, corpus.without)
        found[experience.name_of(name)] = run_stage(
            recipe, recipe.second, folder, Public.of(corpus), first, corpus.fingerprint(), quiet
        )
    write(root / WEIGHTS, recipe, first, found, corpora)
    return root / WEIGHTS


def write(folder: Path, recipe: Recipe, first: Learned, found: dict[str, Learned], corpora: Sequence[Corpus]) -> None:
    """Write the weights and the model card."""
    states = {name: between(first, learned, recipe.kept) for name, learned in found.items()}
    experience.write(folder, states, first.averaged.size, first.statistics)
    written = (folder / experience.CHECKPOINT).stat().st_size
    if written > LARGEST:
        raise ValueError(f"The weights take {written:,} bytes; at most {LARGEST:,} come with the package.")
    whole = described(corpora[0], SOURCES)
    card = {
        "what": "CNNLSTMForecastModel, pretrained on public and made monthly series; quantiles of 24 months ahead",
        "weights_sha256": hashlib.sha256((folder / experience.CHECKPOINT).read_bytes()).hexdigest(),
        "weights_of_a_network": sum(one.numel() for one in first.averaged.parameters()),
        "networks": [
            {
                "name": name,
                "corpus_fingerprint": corpus.fingerprint(),
                "last_loss": round(sum(learned.losses[-20:]) / len(learned.losses[-20:]), 4),
            }
            for (name, learned), corpus in zip(found.items(), corpora, strict=True)
        ],
        "recipe": recipe.to_json(),
        "made": {name: {"share": kind.share, "why": kind.why} for name, kind in KINDS.items()},
        "sources": whole["sources"],
        "left_out_of_the_corpus": len(whole["dropped"]),
    }
    write_card(folder, card)


def between(first: Learned, second: Learned, kept: float) -> dict[str, torch.Tensor]:
    """Return weights on the way from those of the first stage to those of the second."""
    begin, end = (learned.averaged.cpu().state_dict() for learned in (first, second))
    return {name: torch.lerp(value, end[name], kept) for name, value in begin.items()}


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write the model card."""
    write_if_changed(folder / experience.CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def install(root: Path, weights: Path, package: Path = experience.FOLDER) -> None:
    """Put weights in the place of those that come with the package, their card with the scores that were measured with them.

    The scores are those of `make benchmark PRETRAINED=1`, each of a network that has not seen the set; none if it has not been run since.
    """
    card = json.loads((weights / experience.CARD).read_text(encoding="utf-8"))
    write_card(weights, card | {"scores": scores(root / PRETRAINED, card["weights_sha256"])})
    package.mkdir(parents=True, exist_ok=True)
    for name in (experience.CHECKPOINT, experience.NORMALIZATION, experience.CARD):
        shutil.copyfile(weights / name, package / name)


def scores(path: Path, weights: str) -> list[dict[str, Any]]:
    """Return the rows of the benchmark's table that were measured with these weights."""
    if not path.exists():
        return []
    table = pd.read_csv(path)
    return table[table["weights"] == weights].drop(columns="weights").round(4).to_dict("records")
