"""What is measured on the forecasts that came due: level, loss, tracking signal, coverage, and the seasonal naive beside them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from forecasting.monitor import signals
from forecasting.monitor.errors import TOTAL, Errors, breadth, split
from forecasting.monitor.limits import DRAWS, WINDOW, Limits, simulate
from forecasting.monitor.verdicts import RECALIBRATE, RETRAIN, WATCH, Measure

LEAST = 3  # months, below which a signal over a window says nothing
LEAST_TAUGHT = 6  # months of back-tests, below which nobody knows what a usual month misses
SHARE_THAT_MATTERS = 0.05  # of all series' money: smaller ones are not looked at alone
NEW_MODELS = "New models are to be trained."
LEARNING = "Nothing need be trained: the intervals learn from every month that comes due."


@dataclass(frozen=True)
class Due:
    """What came due of a domain since the last alarm, and what its back-tests missed in quiet months."""

    rows: pd.DataFrame
    errors: Errors
    quiet: Errors

    @classmethod
    def of(cls, due: pd.DataFrame, quiet: pd.DataFrame, champion: str, alarms: list[str]) -> "Due":
        """Return the last WINDOW months of what came due, of forecasts made since the last alarm: the models were new then."""
        (rows, naive), days = split(due), [pd.Timestamp(day) for day in alarms]
        if days:
            rows = rows[rows["cutoff"] >= days[-1]]
        taught = Errors.of(*split(quiet, champion))
        if rows.empty:
            return cls(rows, Errors.of(rows, naive), taught)
        last = rows["ds"].max()
        rows = rows[rows["ds"] > last - pd.DateOffset(months=WINDOW)]
        return cls(rows, Errors.of(rows, naive), taught.quiet(last - pd.DateOffset(months=max(signals.RUNS) - 1), days))

    @property
    def months(self) -> dict[str, Any]:
        """How many months that is, and which."""
        months = self.errors.months
        if not len(months):
            return {"n": 0}
        return {"n": len(months), "first_month": f"{months[0]:%Y-%m}", "last_month": f"{months[-1]:%Y-%m}"}


def came_due(due: Due, false_alarm_months: int, draws: int = DRAWS) -> tuple[list[Measure], dict[str, dict[str, Any]]]:
    """Return the measures of what came due and where their limits come from; none where nothing did."""
    if not np.isfinite(due.errors.loss).any():
        return [], {}
    if np.isfinite(due.quiet.loss[:, 0]).sum() < LEAST_TAUGHT:
        text = "There are too few back-tests to say what a usual month misses; what came due is shown, and not judged."
        return [Measure("not_judged", None, text=text, **due.months)], {}
    limits = simulate(due.quiet, due.errors, false_alarm_months, draws)
    found = [
        level_shift(due, limits),
        one_side(due, limits),
        loss(due, limits),
        tracking_signal(due, limits),
        worse_than_naive(due, limits),
    ]
    found += [coverage(due, limits, level) for level in (80, 95)]
    return [each for each in (*found, *parts(due, limits)) if each is not None], limits.as_json()


def level_shift(due: Due, limits: Limits) -> Measure | None:
    """Return how far the total came in on one side of its forecasts in the last months, in usual sums of errors."""
    size = signals.usual(due.quiet.total)
    months = signals.by_month(due.errors.total, size)
    value = _number(limits.signal("level_shift", months)) if "level_shift" in limits.quiet else None
    if value is None:
        return None
    text = f"{_against(due.rows, TOTAL)} That is {value:.1f} times what the sum of its errors usually is"
    return _measured("level_shift", value, limits, due, text, RETRAIN, "drift", f"The level has changed. {NEW_MODELS}")


def one_side(due: Due, limits: Limits) -> Measure | None:
    """Return how far most series, large and small alike, came in on one side of their forecasts in the last months."""
    size = signals.usual(breadth(due.quiet, due.quiet))
    months = signals.by_month(breadth(due.errors, due.quiet), size)
    value = _number(limits.signal("breadth", months)) if "breadth" in limits.quiet else None
    if value is None:
        return None
    side = "below" if signals.mean(months[-max(signals.RUNS) :], axis=-1) > 0 else "above"
    text = (
        f"In the last months the series together came in {side} their forecasts, {value:.1f} times as far as is usual"
    )
    says = f"What most series share has changed. {NEW_MODELS}"
    return _measured("breadth", value, limits, due, text, RETRAIN, "drift", says)


def loss(due: Due, limits: Limits) -> Measure | None:
    """Return how much more than usual the series were missed in the last months, in either direction."""
    months = signals.by_month(due.errors.loss, signals.usual(due.quiet.loss))
    value = _number(limits.signal("loss", months - 1)) if "loss" in limits.quiet else None
    if value is None:
        return None
    last = signals.mean(months[-max(signals.RUNS) :], axis=-1)
    text = f"In the last months forecasts of the series missed {last:.1f} times as much as in the back-tests; signal {value:.1f}"
    return _measured(
        "loss", value, limits, due, text, RETRAIN, "accuracy", f"The forecasts have become worse. {NEW_MODELS}"
    )


def tracking_signal(due: Due, limits: Limits) -> Measure | None:
    """Return Brown's tracking signal of the total's forecasts one month ahead."""
    error = due.errors.total[:, 0]
    if np.isfinite(error).sum() < LEAST or "tracking_signal" not in limits.quiet:
        return None
    signal = _number(signals.tracking(error))
    if signal is None:
        return None
    side = "high" if signal > 0 else "low"
    text = f"Forecasts of the total one month ahead were mostly too {side}: tracking signal {signal:+.1f}"
    says = f"They keep being too {side}. {NEW_MODELS}"
    return _measured("tracking_signal", abs(signal), limits, due, text, RETRAIN, "accuracy", says)


def worse_than_naive(due: Due, limits: Limits) -> Measure | None:
    """Return the loss of the series as a multiple of the seasonal naive's on the same months."""
    n = np.isfinite(due.errors.naive_loss).any(axis=1).sum()
    value = _number(signals.ratio(due.errors.loss, due.errors.naive_loss))
    if n < LEAST or value is None or "worse_than_naive" not in limits.quiet:
        return None
    text = f"The forecasts missed {value:.2f} times what repeating the same month of last year would have"
    says = f"They are no longer better than that. {NEW_MODELS}"
    found = _measured("worse_than_naive", value, limits, due, text, RETRAIN, "accuracy", says)
    return replace(
        found, limit=max(found.limit, 1.0), watch=max(found.watch, 1.0)
    )  # what is better than that is no alarm


def coverage(due: Due, limits: Limits, level: int) -> Measure | None:
    """Return how far the share of series' actuals inside an interval is from its share in the back-tests."""
    code = f"coverage_{level}"
    now, before = (
        _number(signals.mean(signals.mean(each.inside[(80, 95).index(level)], axis=-1), axis=-1))
        for each in (due.errors, due.quiet)
    )
    if due.months["n"] < LEAST or now is None or before is None or code not in limits.quiet:
        return None
    text = f"{100 * now:.0f} % of the series' actuals lay in the {level} % interval, in the back-tests {100 * before:.0f} %"
    return _measured(code, abs(now - before), limits, due, text, RECALIBRATE, "", f"The intervals are off. {LEARNING}")


def parts(due: Due, limits: Limits) -> list[Measure]:
    """Return the shifted levels of the regions, categories and series that matter; they call for watching alone, as they are many."""
    if "level_shift" not in limits.quiet:
        return []
    weights = due.rows.assign(size=due.rows["actual"].abs()).groupby(["aggregation", "unique_id"])["size"].sum()
    whole = weights.get("series", pd.Series(dtype=float)).sum()
    weights = weights.reindex(due.errors.nodes)
    nodes = [node for node in weights.index[weights >= SHARE_THAT_MATTERS * whole] if node != TOTAL]
    found = []
    for node in (node for node in nodes if node in due.quiet.nodes):
        error, quiet = (each.of_node(node) for each in (due.errors, due.quiet))
        value = _number(limits.signal("level_shift", signals.by_month(error, signals.usual(quiet))))
        limit, _ = limits.at("level_shift", share=1 / len(nodes))
        if value is not None and value > limit:
            text = f"{_against(due.rows, node)} That is {value:.1f} times what the sum of its errors usually is (limit {limit:.1f})."
            found.append(
                Measure("level_shift_of_part", value, limit, asks=WATCH, text=text, name=node[1], **due.months)
            )
    return found


def _measured(
    code: str, value: float, limits: Limits, due: Due, text: str, asks: str, trigger: str, says: str
) -> Measure:
    """Return a measure with the limits of its rule, which its text names."""
    limit, watch = limits.at(code)
    return Measure(code, value, limit, watch, asks, trigger, f"{text} (limit {limit:.2f}).", says, **due.months)


def _against(rows: pd.DataFrame, node: tuple[str, str]) -> str:
    """Say how much a node's last months came in above or below the forecasts that were made latest for them."""
    mine = rows[(rows["aggregation"] == node[0]) & (rows["unique_id"] == node[1])]
    latest = mine.sort_values("horizon").drop_duplicates("ds").sort_values("ds").tail(3)
    actual, said = latest["actual"].sum(), latest["predicted_value"].sum()
    first, last = latest["ds"].min(), latest["ds"].max()
    span = f"{last:%Y-%m}" if first == last else f"{first:%Y-%m} to {last:%Y-%m}"
    who = "The total" if node == TOTAL else node[1].removeprefix("All/").removesuffix("/All")
    size = f"{100 * abs(actual / said - 1):.1f} %" if said else f"{abs(actual - said):,.0f}"
    return (
        f"{who} of {span} came in {size} {'above' if actual >= said else 'below'} the forecasts made one month before."
    )


def _number(value: float | np.ndarray) -> float | None:
    """Return a number, or None where it is not known."""
    return float(value) if np.isfinite(value) else None
