"""The corpus: the sources' series, each once, without any in which a month of a competition's test part stands.

The test parts are read here for this one purpose. Nothing of them is handed on.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting import competitions
from forecasting.competitions import Dataset
from forecasting.errors import UserError
from forecasting.pretraining.duplicates import reached, repeated, same
from forecasting.pretraining.leaks import leaking
from forecasting.pretraining.sources import SOURCES, Source
from forecasting.series import month_number

DUPLICATE, LEAK, LEFT_OUT = "duplicate", "leak", "left out"
KEYS = ["source", "unique_id"]
DROPPED_COLUMNS = [*KEYS, "why", "of_source", "of_id", "correlation"]
DECIMALS = 6  # of values, in the fingerprint


@dataclass(frozen=True)
class Corpus:
    """What is learned from, and what is not.

    rows: source, unique_id, ds, y, one row per series and month, in the order of the sources, of unique_id and of ds; no gaps.
    dropped: DROPPED_COLUMNS, one row per series: a duplicate or a leak of which series, or left out with which.
    without: the names of the sources that were to be left out.
    """

    rows: pd.DataFrame
    dropped: pd.DataFrame
    without: frozenset[str]

    def fingerprint(self) -> str:
        """Return the SHA-256 of the rows, sorted, their values rounded to six decimals."""
        rows = self.rows.sort_values(["source", "unique_id", "ds"])
        result = hashlib.sha256()
        for column in ("source", "unique_id"):
            result.update("\n".join(rows[column]).encode())
        result.update(month_number(rows["ds"]).astype("<i8").tobytes())
        result.update((rows["y"].to_numpy().round(DECIMALS) + 0.0).astype("<f8").tobytes())  # there is no -0
        return result.hexdigest()

    def counts(self) -> pd.DataFrame:
        """Return per source: series, months, and how many of its series were dropped as duplicate, leak, or left out."""
        kept = self.rows.groupby("source", sort=False).agg(series=("unique_id", "nunique"), months=("y", "size"))
        dropped = pd.crosstab(self.dropped["source"], self.dropped["why"])
        dropped = dropped.reindex(columns=[DUPLICATE, LEAK, LEFT_OUT], fill_value=0)
        names = list(dict.fromkeys([*self.rows["source"], *self.dropped["source"]]))
        return kept.join(dropped, how="outer").reindex(names).fillna(0).astype(int).rename_axis("source").reset_index()


def build(without: Iterable[str] = (), sources: Mapping[str, Source] = SOURCES) -> Corpus:
    """Return the corpus of all sources but those of `without`, and but the series of others that are the same as one of theirs.

    Raises
    ------
    UserError
        If a source to be left out is not known, or a package is missing or of another version.
    """
    require_known(without, sources)
    loaded = {name: source.load() for name, source in sources.items()}
    return cleaned(loaded, frozenset(without), [competitions.load(name) for name in competitions.SOURCES])


def require_known(without: Iterable[str], sources: Mapping[str, Source] = SOURCES) -> None:
    """Raise UserError if a source to be left out is not known."""
    if unknown := sorted(set(without) - set(sources)):
        raise UserError(f"There is no set {', '.join(unknown)} to be left out. The sets are: {', '.join(sources)}.")


def cleaned(loaded: Mapping[str, pd.DataFrame], without: frozenset[str], sets: Sequence[Dataset]) -> Corpus:
    """Return the corpus of tables (unique_id, ds, y, as `Source.load` gives them), by the name of their source in order of precedence.

    Parameters
    ----------
    sets: the competitions of whose test parts no month may be in the corpus.
    """
    rows = pd.concat([table.assign(source=name) for name, table in loaded.items()], ignore_index=True)
    begins = np.flatnonzero((rows[KEYS] != rows[KEYS].shift()).any(axis=1))
    names = rows.loc[begins, KEYS].reset_index(drop=True)
    values = np.split(rows["y"].to_numpy(dtype=np.float64), begins[1:])
    dropped = what_is_dropped(names, values, without, sets)
    stays = ~names.index.isin(dropped["number"])
    rows = rows.loc[np.repeat(stays, [len(one) for one in values]), [*KEYS, "ds", "y"]].reset_index(drop=True)
    return Corpus(rows, dropped[DROPPED_COLUMNS], without)


def what_is_dropped(
    names: pd.DataFrame, values: list[np.ndarray], without: frozenset[str], sets: Sequence[Dataset]
) -> pd.DataFrame:
    """Return number and DROPPED_COLUMNS of each series that does not stay, in order of the numbers.

    What is left out comes first, then what leaks, then what repeats one that stays: of the source named first, the longest, the first.
    """
    neighbours = same(values)
    own = list(names.index[names["source"].isin(without)])
    left_out = {**{number: (number, np.nan) for number in own}, **reached(own, neighbours)}
    leaks = leaking(values, sets)
    leaks = leaks[~leaks["number"].isin(left_out)]
    source = pd.factorize(names["source"])[0]
    order = sorted(
        set(names.index) - set(left_out) - set(leaks["number"]), key=lambda n: (source[n], -len(values[n]), n)
    )
    parts = [
        related(names, left_out, LEFT_OUT), leaks.assign(why=LEAK), related(names, repeated(order, neighbours), DUPLICATE),
    ]  # fmt: skip
    found = pd.concat([part for part in parts if len(part)] or parts).sort_values("number", ignore_index=True)
    return found.join(names, on="number")[["number", *DROPPED_COLUMNS]]


def related(names: pd.DataFrame, found: Mapping[int, tuple[int, float]], why: str) -> pd.DataFrame:
    """Return number, why, of_source, of_id and correlation of series that go because of another of the sources."""
    others = names.loc[[other for other, _ in found.values()]]
    correlations = np.array([correlation for _, correlation in found.values()], dtype=np.float64)
    return pd.DataFrame({"number": list(found), "why": why, "of_source": others["source"].to_numpy(),
                         "of_id": others["unique_id"].to_numpy(), "correlation": correlations})  # fmt: skip
