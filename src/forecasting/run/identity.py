"""What a run is known by: its training set's fingerprint, what the contest of its models rests on, and its id."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from forecasting.files import digest

if TYPE_CHECKING:  # pandas takes a third of a second, and most commands find nothing to do
    import pandas as pd

CHOOSING = ("20_", "25_", "30_")  # the steps that train and compare; checking the data and forecasting choose nothing
PIECE = 100_000  # rows
CUTOFFS = ("n_cutoffs", "n_calibration", "min_train_months")  # the settings that notebook 10 plans the cutoffs by


def train_fingerprint(train: pd.DataFrame) -> str:
    """Return the SHA-256 of a training set's content, independent of how the file was written.

    It is the `digest` of the columns as lists, dates in ISO and values as hexadecimal digits, put together piece by piece: whole, the
    text of a hundred thousand series takes several GB.
    """
    found = hashlib.sha256(b"[{")
    for i, name in enumerate(sorted(train.columns)):
        found.update(f"{', ' if i else ''}{json.dumps(name)}: [".encode())
        for first in range(0, len(train), PIECE):
            text = json.dumps(plain(name, train[name].iloc[first : first + PIECE]), default=str)[1:-1]
            found.update((", " if first else "").encode() + text.encode())
        found.update(b"]")
    found.update(b"}]")
    return found.hexdigest()


def plain(name: str, values: pd.Series) -> list[Any]:
    """Return values of a column of a training set for its fingerprint."""
    if name == "ds":
        return values.dt.strftime("%Y-%m-%d").tolist()
    return values.map(float.hex).tolist() if name == "y" else values.tolist()


def contest(train: str, steps: dict[str, str], settings: dict[str, Any]) -> str:
    """Return what the contest of the models rests on, all but the incumbent.

    `train` is a fingerprint of the training set; of `steps`, the stamps by step, those that train and compare count, and of the
    domain's `settings` those of the cutoffs, which no such step declares.
    """
    stamps = {step: stamp for step, stamp in steps.items() if step.startswith(CHOOSING)}
    return digest(train, stamps, {name: settings[name] for name in CUTOFFS})


def run_id(domain: str, cutoff: str, fingerprint: str, facts: Any, steps: dict[str, str], incumbent: Any) -> str:
    """Return `<domain>-<cutoff>-<10 hex>`: the same facts, parameters, code and incumbent give the same id."""
    return f"{domain}-{cutoff}-{digest(fingerprint, facts, steps, incumbent)[:10]}"
