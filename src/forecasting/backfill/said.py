"""What a model would have said at every cutoff that a group of months needs: one walk-forward for all of them, kept on disk.

A model of a month has learned up to the month of its last training. What it says at cutoffs before that month is the walk-forward's,
from that month on it is its own, read back from where it was saved, as a month without a retrain does it.
"""

import copy
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting import evaluation, models
from forecasting.contracts import RAW_BACKTEST_COLUMNS
from forecasting.files import digest, write_if_changed
from forecasting.models import Model
from forecasting.run import train_fingerprint
from forecasting.series import as_nodes

TRAINED = "trained"  # up to where the model that forecasts had learned; none in rows of the walk-forward


@dataclass(frozen=True)
class Walk:
    """One model's walk over the cutoffs of a group of months.

    `name` and `settings` are the model's, `stamp` that of the notebook which trains it. `train` is what is known at the last month and
    `learned` what the models learn from. `cutoffs` are those of the walk-forward; `kept` has for each month of a training the
    cutoffs at which its model speaks. `folder` is where the results lie, `sample` how many series a model of all of them learns from.
    """

    domain: str
    name: str
    settings: dict[str, Any]
    stamp: str
    train: pd.DataFrame
    learned: pd.DataFrame
    cutoffs: list[pd.Timestamp]
    kept: dict[pd.Timestamp, list[pd.Timestamp]]
    folder: Path
    sample: evaluation.Sample | None = None

    @property
    def key(self) -> str:
        """What the result rests on, as ten hex digits."""
        kept = {f"{month:%Y-%m}": cutoffs for month, cutoffs in self.kept.items()}
        known = [train_fingerprint(self.train), train_fingerprint(self.learned)]
        return digest(self.domain, self.name, self.settings, self.stamp, known, self.cutoffs, kept, self.sample)[:10]

    @property
    def table(self) -> Path:
        """The file that holds what the model says: RAW_BACKTEST_COLUMNS and `trained`."""
        return self.folder / f"said_{self.name}-{self.key}.parquet"

    def model_folder(self, month: pd.Timestamp) -> Path:
        """The folder of the model that has learned up to a month."""
        return self.folder / "models" / f"{self.name}-{self.key}" / f"{month:%Y-%m}"


def walk(job: Walk) -> Path:
    """Have a model say all that its `Walk` asks for and return where that lies; what lies there already stays."""
    if not job.table.exists():
        write_if_changed(job.table, said_by(job).to_parquet(index=False))
    return job.table


def timed_walk(job: Walk) -> float:
    """Do a `walk` and return how many seconds it took."""
    started = time.monotonic()
    walk(job)
    return time.monotonic() - started


def said_by(job: Walk) -> pd.DataFrame:
    """Fit a model in each month that it needs, let it speak at its cutoffs, and save those that are kept."""
    settings_only = models.get(job.name)(**job.settings)
    first = job.learned["ds"].min()
    fitted_in = {cutoff: evaluation.refit_month(cutoff, first, settings_only.refit_every) for cutoff in job.cutoffs}
    parts = [evaluation.empty_backtest().assign(**{TRAINED: pd.NaT})]
    for month in sorted({*fitted_in.values(), *job.kept}):
        nodes = as_nodes(evaluation.known_at(job.learned, month))
        sample = None if settings_only.is_local else job.sample
        model = copy.deepcopy(settings_only).fit(evaluation.drawn(nodes, sample))
        speaks = [cutoff for cutoff in job.cutoffs if fitted_in[cutoff] == month]
        parts.append(spoken(model, job.learned, job.domain, speaks, pd.NaT))
        if month in job.kept:
            model.save(job.model_folder(month))
            kept = models.load(job.model_folder(month))
            parts.append(spoken(kept, job.train, job.domain, job.kept[month], month))
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def spoken(
    model: Model, train: pd.DataFrame, domain: str, cutoffs: list[pd.Timestamp], trained: pd.Timestamp
) -> pd.DataFrame:
    """Return what a fitted model says at some cutoffs (RAW_BACKTEST_COLUMNS, trained)."""
    parts = [evaluation.said(model, train, domain, cutoff) for cutoff in cutoffs]
    rows = pd.concat(parts, ignore_index=True) if parts else evaluation.empty_backtest()
    return rows.assign(**{TRAINED: pd.Series(trained, index=rows.index, dtype="datetime64[ns]")})


def of_month(
    table: pd.DataFrame, month: pd.Timestamp, trained: pd.Timestamp, cutoffs: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what a model had said by a month's end at its planned cutoffs, and what it says of the months to come (RAW_BACKTEST_COLUMNS).

    `table`: of `walk`.
    """
    own = table[table[TRAINED] == trained]
    before = table[table[TRAINED].isna() & (table["cutoff"] < trained) & table["cutoff"].isin(cutoffs)]
    since = own[own["cutoff"].isin(cutoffs)]
    past = pd.concat([before, since], ignore_index=True)[RAW_BACKTEST_COLUMNS]
    return past, own.loc[own["cutoff"] == month, RAW_BACKTEST_COLUMNS].reset_index(drop=True)
