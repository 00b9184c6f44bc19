"""What a run is known by: its training set's fingerprint, what its choice of a model rests on, and its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecasting.files import digest

if TYPE_CHECKING:  # pandas takes a third of a second, and most commands find nothing to do
    import pandas as pd

CHOOSING = ("20_", "25_", "30_")  # the steps that train and compare; checking the data and forecasting choose nothing


def train_fingerprint(train: pd.DataFrame) -> str:
    """Return the SHA-256 of a training set's content, independent of how the file was written."""
    return digest(train.assign(ds=train["ds"].dt.strftime("%Y-%m-%d"), y=train["y"].map(float.hex)).to_dict("list"))


def choice_identity(train: str, steps: dict[str, str]) -> str:
    """Return what the choice of a champion rests on, all but the incumbent.

    `train` is a fingerprint of the training set, `steps` are the stamps by step, of which those that train and compare count.
    """
    return digest(train, {step: stamp for step, stamp in steps.items() if step.startswith(CHOOSING)})


def run_id(domain: str, cutoff: str, fingerprint: str, facts: Any, steps: dict[str, str], incumbent: Any) -> str:
    """Return `<domain>-<cutoff>-<10 hex>`: the same facts, parameters, code and incumbent give the same id."""
    return f"{domain}-{cutoff}-{digest(fingerprint, facts, steps, incumbent)[:10]}"
