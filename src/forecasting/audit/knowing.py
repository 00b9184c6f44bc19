"""The training set that a run had, out of what is published today: by the facts as they are now, or as the ledger knew them then."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from forecasting.contracts import TRAIN_COLUMNS
from forecasting.ledger import Published
from forecasting.run import train_fingerprint
from forecasting.series import with_levels

KEY = ["unique_id", "ds"]


class Known(NamedTuple):
    """A training set, how it was found, whether it is the one that the run had, and in what today's facts differ from it."""

    train: pd.DataFrame
    how: str
    is_same: bool
    changed: pd.DataFrame  # unique_id, ds, then, now


def training_set_of(published: Published, said: dict[str, Any]) -> Known:
    """Return the training set of a run by its manifest; where none has the run's fingerprint, the one that comes nearest.

    That is today's up to the cutoff, with the months that were restated since as they were before.
    """
    tried: list[tuple[str, pd.DataFrame]] = []
    levels = published.series_levels((said.get("params") or {}).get("levels", {}))
    for how, candidate in _candidates(published, said):
        train = candidate if levels is None else with_levels(candidate, levels)
        tried.append((how, train))
        if train_fingerprint(train) == said["fingerprint"]:
            return Known(train, how, True, changes(train, tried[0][1]))
    (_, today), (how, nearest) = tried[:2]
    return Known(nearest, how, False, changes(nearest, today))


def _candidates(published: Published, said: dict[str, Any]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield what the training set may have been, the simplest first."""
    domain, cutoff = said["domain"], pd.Timestamp(said["cutoff"])
    today = published.training_set(domain)
    today = today[today["ds"] <= cutoff].reset_index(drop=True)[TRAIN_COLUMNS]
    yield "today's facts up to its cutoff", today
    if len(kept := published.known_by(domain, said["run_id"])):
        yield "as the ledger keeps it", kept[TRAIN_COLUMNS]
    actuals = published.known_actuals(domain)
    actuals = actuals[actuals["ds"] <= cutoff]
    then = pd.Timestamp((said.get("params") or {}).get("as_of") or (said.get("facts") or {}).get("last_fact") or cutoff)
    names = published.names(domain)
    before = published.undone(said["run_id"])
    first_known = actuals.groupby(KEY, as_index=False)["as_of"].min().rename(columns={"as_of": "first_as_of"})
    new = before.merge(first_known, on=KEY).query("y == 0 and first_as_of > @then")[KEY]
    restored = with_values(without(today, new), without(before, new), names)
    yield "today's facts up to its cutoff, less what was restated since", restored
    for day in sorted({then, *actuals.loc[actuals["as_of"] > then, "as_of"]}):
        known = actuals[actuals["as_of"] <= day].sort_values("as_of").drop_duplicates(KEY, keep="last")
        if len(known):
            rest = without(today, without(today[KEY], known[KEY]))
            yield f"the ledger's values as they were known on {day:%Y-%m-%d}", with_values(rest, known, names)


def without(rows: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose series and month are not among some."""
    gone = pd.MultiIndex.from_frame(keys[KEY])
    return rows[~pd.MultiIndex.from_frame(rows[KEY]).isin(gone)]


def with_values(train: pd.DataFrame, values: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return a training set with some values in the place of its own; what it lacks is added, as never filled in."""
    both = train.merge(values[[*KEY, "y"]], on=KEY, how="outer", suffixes=("", "_then"))
    named = both.merge(names, on="unique_id", how="left", suffixes=("", "_of"))
    parts = named["unique_id"].str.split("/", n=1)  # where a series was never forecast
    for number, column in enumerate(("region", "product_category")):
        named[column] = named[column].fillna(named[f"{column}_of"]).fillna(parts.str[number])
    named["y"] = named["y_then"].fillna(named["y"])
    named["is_imputed"] = named["is_imputed"].fillna(False).astype(bool)
    return named.sort_values(KEY, ignore_index=True)[TRAIN_COLUMNS]


def changes(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return the months that have another value now: unique_id, ds, then, now (missing where there was or is none), largest first."""
    columns = [*KEY, "y"]
    both = then[columns].merge(now[columns], on=KEY, how="outer", suffixes=("_then", "_now"))
    both = both.rename(columns={"y_then": "then", "y_now": "now"})
    found = both[both["then"].ne(both["now"])]
    size = (found["now"].fillna(0.0) - found["then"].fillna(0.0)).abs()
    return found.loc[size.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
