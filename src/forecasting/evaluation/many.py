"""Walk-forward and forecasts of many series: in shards, on an engine, and put together again.

From MANY series on; below that everything is forecast at once, as small companies always were. What depends on others than a series itself
is done here: models of all series learn here, new series take the season of those they are like, combinations combine.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.engine import Engine, Shard, left_out, run_shards, shard_size
from forecasting.evaluation.shard import Asked, work_of
from forecasting.models import Forecasts, Model, as_array, forecast_apart, forecast_by
from forecasting.series import Nodes, Panel, panel

MANY = 300  # series known at a cutoff: fewer take seconds, and processes would take as long to begin
LOG = logging.getLogger(__name__)


def said_at_each(
    model: Model,
    nodes: Nodes,
    asked: list[Asked],
    horizon: int,
    flow: bool,
    engine: Engine,
    fitted: Callable[[int], Model],
) -> Iterator[tuple[Asked, Panel, Forecasts]]:
    """Yield for each cutoff what is known of the nodes and what the model says of them by itself.

    Parameters
    ----------
    model: settings only; of one that learns from all series `fitted` gives the copy that learned up to a month (month number).
    nodes: with all cutoffs and, where the model learns of each series alone, all months learned among their moments.
    """
    with tempfile.TemporaryDirectory() as scratch:
        saved = None if model.is_local else _saved(Path(scratch), asked, fitted)
        with _shards(model, nodes, asked, horizon, flow, engine, saved) as shards:
            for place, one in enumerate(asked):
                known = nodes.at(one.cutoff)
                yield one, known, _together(model, known, shards, place, horizon, flow)


def said_now(model: Model, known: Panel, horizon: int, flow: bool, engine: Engine) -> Forecasts:
    """Return what a fitted model says of many nodes whose histories end in the same month, by itself."""
    if getattr(model, "members", None):
        return forecast_by(model, partial(_combined, model, engine=engine), known, horizon, flow)
    if model.quick or engine.kind == "here":
        return forecast_apart(model, known, horizon, flow)
    nodes = Nodes.of(known)
    asked = [Asked(int(known.last[0]), int(known.last[0]))]
    with tempfile.TemporaryDirectory() as scratch:
        saved = _saved(Path(scratch), asked, lambda _: model)
        with _shards(model, nodes, asked, horizon, flow, engine, saved) as shards:
            return _together(model, known, shards, 0, horizon, flow)


def _combined(model: Model, known: Panel, horizon: int, engine: Engine) -> np.ndarray:
    """Return what a combination says [series, horizon, 11], each member asked in shards."""
    history = panel(known.table())  # what its members see where they are asked at once
    said = [said_now(member, history, horizon, False, engine).table(history) for member in model.members]
    return as_array(model.together(said), known, horizon)


def _saved(folder: Path, asked: Sequence[Asked], fitted: Callable[[int], Model]) -> Path:
    """Save the model of each month learned into a folder of its own, for the shards."""
    for month in dict.fromkeys(one.learned for one in asked):
        fitted(month).save(folder / str(month))
    return folder


@contextmanager
def _shards(
    model: Model, nodes: Nodes, asked: list[Asked], horizon: int, flow: bool, engine: Engine, saved: Path | None
) -> Iterator[list[Shard]]:
    """Have the shards done, and say which series had to be left out."""
    where = engine.only_here if model.quick else engine
    tables = [part.table() for part in nodes.parts(shard_size(len(np.unique(nodes.ids)), where))]
    with run_shards(where, model.name, work_of(model, asked, horizon, flow, saved), tables) as shards:
        for reason, ids in left_out(shards).items():
            LOG.warning(
                "%s: %s series and sums could not be forecast and get the fallback (%s): %s",
                model.name,
                len(ids),
                reason,
                ", ".join(ids),
            )
        yield shards


def _together(model: Model, known: Panel, shards: list[Shard], place: int, horizon: int, flow: bool) -> Forecasts:
    """Put together what the shards say at a cutoff; series that were left out get the fallback."""
    found = []
    for shard in shards:
        table = shard.read(place)
        if table is None:
            own = Nodes.from_table(shard.table).at(int(known.last[0]))
            found.append((own.ids, forecast_by(model, _nothing, own, horizon, flow)))
            continue
        quantiles = np.column_stack([table[name].to_numpy() for name in QUANTILE_COLUMNS])
        ids = np.asarray(table["unique_id"].to_pylist(), dtype=object)[::horizon]
        flags = table["is_fallback"].to_numpy(zero_copy_only=False)[::horizon]
        found.append((ids, Forecasts(quantiles.reshape(len(ids), horizon, len(QUANTILE_COLUMNS)), flags)))
    ids = np.concatenate([ids for ids, _ in found])
    assert np.array_equal(ids, known.ids)
    return Forecasts(*(np.concatenate(arrays) for arrays in zip(*(each for _, each in found), strict=True)))


def _nothing(known: Panel, horizon: int) -> np.ndarray:
    """Say nothing of any series [series, horizon, 11]."""
    return np.full((len(known.ids), horizon, len(QUANTILE_COLUMNS)), np.nan)
