"""Choice regret: what the chosen forecast loses against the best of its own candidates in hindsight, and against the combinations.

At each of several past origins a model is chosen as at a first run (`evaluation/evidence`), from what was known then: origins whose months
had all come. What it then loses, at that origin, is compared with every candidate. All of it happens inside the training parts.
"""

from collections.abc import Sequence

import pandas as pd

from forecasting import models
from forecasting.benchmark.competition import (
    MEASURE,
    chosen,
    combinations,
    from_end,
    losses_at,
    members_of,
    rows,
    scales,
    until,
)
from forecasting.models import Model

SCORED = 8  # origins at which the choice is scored
KNOWN = 4  # origins known before the first of them, at least
LEARN_EVERY = 4  # costly models learn anew at every fourth origin; in between they only see the newer months
WEIGHTED = "weighted"


def origins(horizon: int, step: int) -> list[int]:
    """Return how many months before the end of the training parts the origins lie, the earliest first."""
    count = SCORED + -(-horizon // step) - 1 + KNOWN
    return [horizon + step * number for number in reversed(range(count))]


def losses_of(train: pd.DataFrame, candidates: Sequence[Model], horizon: int, step: int) -> pd.DataFrame:
    """Return what every candidate and both combinations lost at each origin (of `evaluation.mean_losses`, origins as months from the end).

    Parameters
    ----------
    train: one row per unique_id, ds with column y.
    step: months from one origin to the next.
    """
    histories = [history for history in (until(train, months) for months in origins(horizon, step)) if len(history)]
    past = []
    for model in candidates:
        for number, history in enumerate(histories):
            fitted = model.fit(history) if number % min(model.refit_every, LEARN_EVERY) == 0 else model
            past.append(rows(fitted, history, horizon))
    known = pd.concat([scales(history) for history in histories], ignore_index=True)
    return losses_at(with_combinations(pd.concat(past, ignore_index=True), train, known, candidates), train, known)


def with_combinations(
    past: pd.DataFrame, train: pd.DataFrame, known: pd.DataFrame, candidates: Sequence[Model]
) -> pd.DataFrame:
    """Add both combinations to what was said at the origins; the weights of each follow from the months that were known there."""
    median, weighted = combinations(members_of(candidates))
    errors = models.member_errors(past, train.assign(aggregation="series"), known, weighted.names)
    came = from_end(errors, "ds", train)
    parts = [past, median.combine(past)]
    for origin, said in past.groupby(from_end(past, "cutoff", train)):
        parts.append(weighted.learn(errors[came <= origin]).combine(said))
    return pd.concat(parts, ignore_index=True)


def measure(name: str, losses: pd.DataFrame, horizon: int) -> dict[str, object]:
    """Return the row of a set (REGRET_COLUMNS): the chosen forecast's MASE, and by how many % it is above each of the others'.

    `best` is the candidate with the lowest MASE over all scored origins, which nobody could know; `chosen` how often each was chosen.
    """
    scored = sorted(losses["origin"].unique())[-SCORED:]
    found = {origin: chosen(losses[losses["origin"] <= origin - horizon], horizon) for origin in scored}
    at = losses.pivot_table(MEASURE, "origin", "model_name").loc[scored]
    mine = sum(at.loc[origin, model] for origin, model in found.items()) / len(scored)
    mean = at.mean()
    above = {model: 100.0 * (mine / value - 1.0) for model, value in mean.items()}
    often = pd.Series(list(found.values())).value_counts().sort_index(kind="stable")
    return {
        "dataset": name,
        "n_series": losses["unique_id"].nunique(),
        "n_origins": len(scored),
        "mase": mine,
        "best": mean.idxmin(),
        "best_pct": above[mean.idxmin()],
        "median_pct": above["median"],
        "weighted_pct": above[WEIGHTED],
        "chosen": ", ".join(f"{model} {count}" for model, count in often.items()),
    }
