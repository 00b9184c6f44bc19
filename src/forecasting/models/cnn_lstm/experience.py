"""The network that has seen other companies' months before: its weights come with the package, and are tuned to a company in seconds.

`make pretrain` makes them (docs/pretraining.md, and `model_card.json` beside them). There is one network that has seen everything, and one
more for each competition without that competition's series, for benchmarks to be honest.
"""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from forecasting.errors import UserError
from forecasting.files import write_if_changed
from forecasting.models.cnn_lstm.data_module import Statistics
from forecasting.models.cnn_lstm.network import CNNLSTM, NetworkSize

FOLDER = Path(__file__).parent / "pretrained"
CHECKPOINT, NORMALIZATION, CARD = "model.ckpt", "normalization.json", "model_card.json"
EVERYTHING = "all"


class Experience(NamedTuple):
    """A network that has learned before, and the statistics of the features with which it has."""

    network: CNNLSTM
    statistics: Statistics


@cache
def experience(without: str | None = None) -> Experience:
    """Return the pretrained network; `without`: the one that has not seen this competition's set. It is shared: copy it to train it.

    Raises
    ------
    UserError
        If there is none without that set.
    """
    return read(FOLDER, name_of(without))


def name_of(without: str | None) -> str:
    """Return the name of a network by what it has not seen."""
    return f"without_{without}" if without else EVERYTHING


def write(folder: Path, states: dict[str, dict[str, torch.Tensor]], size: NetworkSize, statistics: Statistics) -> None:
    """Write networks of one size by name: model.ckpt (weights alone) and normalization.json."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(states, folder / CHECKPOINT)
    write_if_changed(folder / NORMALIZATION, json.dumps(shared(size, statistics), indent=1, sort_keys=True) + "\n")


def read(folder: Path, name: str) -> Experience:
    """Read one of the networks that `write` wrote; weights only, no code.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    states = torch.load(folder / CHECKPOINT, weights_only=True, map_location="cpu")
    if name not in states:
        raise UserError(f"There is no pretrained network «{name}». There are: {', '.join(states)}.")
    size, statistics = taken_back(json.loads((folder / NORMALIZATION).read_text(encoding="utf-8")))
    network = CNNLSTM(size)
    network.load_state_dict(states[name])
    return Experience(network.eval(), statistics)


def shared(size: NetworkSize | None, statistics: Statistics) -> dict[str, Any]:
    """Return what networks share, as JSON: their size (none of networks of before, `earlier`), and the statistics of the features."""
    scaler = {"features_mean": statistics.mean.tolist(), "features_deviation": statistics.deviation.tolist()}
    return scaler if size is None else {"size": asdict(size), **scaler}


def taken_back(content: dict[str, Any]) -> tuple[NetworkSize, Statistics]:
    """Return what `shared` was given."""
    return NetworkSize(**content["size"]), statistics_of(content)


def statistics_of(content: dict[str, Any]) -> Statistics:
    """Return the statistics of the features."""
    return Statistics(np.array(content["features_mean"]), np.array(content["features_deviation"]))


def card() -> dict[str, Any]:
    """Return the model card of the weights that come with the package."""
    return json.loads((FOLDER / CARD).read_text(encoding="utf-8"))
