"""One shard's work: what a model says of its series and sums at every cutoff, whatever other shards there are.

A model that learns of each series from that series alone is fitted here, in its refit months; one that learned from all of them comes
as it was saved then.
"""

import importlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.engine import Work
from forecasting.models import Forecasts, Model, forecast_apart
from forecasting.series import Nodes

if TYPE_CHECKING:
    import pyarrow as pa


class Asked(NamedTuple):
    """A forecast that is wanted: at a cutoff, by the model that learned up to a month; both as month numbers."""

    cutoff: int
    learned: int


def work_of(model: Model, asked: list[Asked], horizon: int, flow: bool, saved: Path | None) -> Work:
    """Return what shards are told: `saved` holds a folder per month learned, None where the shard itself fits."""
    kind = type(model)
    settings = {
        "kind": [kind.__module__, kind.__qualname__],
        "settings": model.settings,
        "asked": asked,
        "horizon": horizon,
        "flow": flow,
    }
    return Work(f"{__name__}:run_shard", settings, (kind.__module__,), saved)


def run_shard(table: "pa.Table", settings: dict[str, Any], saved: Path | None) -> "list[pa.Table]":
    """Forecast the nodes of a table (of `series.Nodes`).

    Returns
    -------
    For each cutoff a table, a row per node known then and horizon: cutoff (month number), unique_id, horizon, is_fallback, q025 … q975.
    """
    nodes, parts, model, learned = Nodes.from_table(table), [], None, None
    for cutoff, month in settings["asked"]:
        if month != learned:
            model, learned = _fitted(nodes, settings, month, saved), month
        known = nodes.at(cutoff)
        parts.append(_table(cutoff, known.ids, forecast_apart(model, known, settings["horizon"], settings["flow"])))
    return parts


def _fitted(nodes: Nodes, settings: dict[str, Any], month: int, saved: Path | None) -> Model:
    """Return the model that learned up to a month."""
    module, name = settings["kind"]
    kind = getattr(importlib.import_module(module), name)
    if saved is not None:
        return _loaded(kind, saved / str(month))
    return kind(**settings["settings"]).fit(nodes.at(month).table())


@lru_cache(maxsize=8)  # shards in one process ask for the same models
def _loaded(kind: type[Model], folder: Path) -> Model:
    """Read a saved model."""
    return kind.load(folder)


def _table(cutoff: int, ids: np.ndarray, found: Forecasts) -> "pa.Table":
    """Arrange forecasts as `run_shard` returns them."""
    import pyarrow as pa

    n, horizon = found.quantiles.shape[:2]
    quantiles = found.quantiles.reshape(n * horizon, len(QUANTILE_COLUMNS)).astype(np.float64)
    return pa.table(
        {
            "cutoff": pa.array(np.full(n * horizon, cutoff)),
            "unique_id": pa.array(np.repeat(ids, horizon), pa.string()),
            "horizon": pa.array(np.tile(np.arange(1, horizon + 1), n)),
            "is_fallback": pa.array(np.repeat(found.is_fallback, horizon)),
            **{
                name: pa.array(np.ascontiguousarray(column))
                for name, column in zip(QUANTILE_COLUMNS, quantiles.T, strict=True)
            },
        }
    )
