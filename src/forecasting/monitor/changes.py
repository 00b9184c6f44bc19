"""What changed in the facts since the last published run: series that came, went, came back or were renamed, the past, the unit."""

from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import SEASON_LENGTH
from forecasting.monitor.verdicts import ASK, RETRAIN, WATCH, Measure
from forecasting.series import mean
from forecasting.wording import count, listing

HALF_GONE = 0.50  # of the series, or of their money
NEW_SHARE = 0.10  # of the last three months' money in series that no model has seen
RENAMED_SHARE = 0.01  # of the money, from which a name is asked about
RESTATED = 0.10  # of the last two years' money
RESTATED_MONTHS = 24
REGULAR_MONTHS = 9  # of twelve: a series of which one expects something every month
JOINS = np.log(1.6)  # how far the levels of two names may be apart
SAME_VALUES = 0.05  # difference of two histories that are one
LATE_MONTHS = 3  # the newest published months: what is booked there later came late
LOOKED_AT = 1_000  # of the series that went, and of those that came
SHOWN = 6


def changes(train: pd.DataFrame, known: pd.DataFrame, before: dict[str, Any]) -> list[Measure]:
    """Return the measures of what changed; `known` has every published month of every series, as `write_before` laid it down.

    Returns measures of renamed, vanished, new and revived series, of restated and late facts, of the unit and the age of the models.
    """
    levels, cutoff = Levels(train, known, before), pd.Timestamp(before["cutoff"])
    return [
        *series(levels),
        *restated(train, known, cutoff),
        unit(before),
        age(train["ds"].max(), pd.Timestamp(before["trained"])),
    ]


class Levels:
    """The series then and now: their names, what they were worth, and which of them came, went or came back."""

    def __init__(self, train: pd.DataFrame, known: pd.DataFrame, before: dict[str, Any]) -> None:
        cutoff, last = pd.Timestamp(before["cutoff"]), train["ds"].max()
        self.then = known[known["known_before"].notna() & (known["ds"] <= cutoff)].pivot(
            index="ds", columns="unique_id", values="known_before"
        )
        self.now = train.pivot(index="ds", columns="unique_id", values="y")
        self.places = pd.concat([
            pd.DataFrame(before["series"], columns=["unique_id", "region", "product_category"]),
            train[["unique_id", "region", "product_category"]],
        ]).drop_duplicates("unique_id").set_index("unique_id")  # fmt: skip
        year = self.then[self.then.index > cutoff - pd.DateOffset(months=SEASON_LENGTH)].fillna(0.0)
        self.year = year.abs().sum().reindex([each["unique_id"] for each in before["series"]]).fillna(0.0)
        self.recent = self.now[self.now.index > last - pd.DateOffset(months=3)].fillna(0.0)
        self.since = self.now[self.now.index > cutoff].fillna(0.0)
        regular = (year != 0).sum() >= min(REGULAR_MONTHS, len(year))
        alive = set(self.year.index) & set(regular[regular].index)
        present = set(self.since.columns[(self.since != 0).any()])
        year_ago = self.since.index - pd.DateOffset(months=SEASON_LENGTH)
        expected = (
            self.then.reindex(year_ago).fillna(0.0) != 0
        ).all()  # what sells in winter alone is not missed in summer
        self.vanished = sorted((alive - present) & set(expected[expected].index))
        self.new = sorted(present - set(self.then.columns[(self.then.fillna(0.0) != 0).any()]))
        silent = set((year == 0).all()[lambda none: none].index)
        self.revived = sorted(present & silent - set(self.new))
        self.alive = len(alive)

    def share(self, names: list[str]) -> float:
        """Return which part of last year's money these series were."""
        whole = self.year.sum()
        return float(self.year.reindex(names).fillna(0.0).sum() / whole) if whole else 0.0

    def share_now(self, names: list[str]) -> float:
        """Return which part of the last three months' money these series are."""
        whole = self.recent.abs().sum().sum()
        return float(self.recent.reindex(columns=names).abs().sum().sum() / whole) if whole else 0.0

    def largest(self) -> tuple[list[str], list[str]]:
        """Return the series that went and those that came, of more than LOOKED_AT the largest: pairs grow with the square."""
        sizes = self.year.reindex(self.vanished), self.recent.reindex(columns=self.new).abs().sum()
        went, came = (list(size.nlargest(LOOKED_AT).index) for size in sizes)
        return went, came

    def renamed(self, went: list[str], came: list[str]) -> list[tuple[str, str]]:
        """Return pairs of a series that went and one that came in its region or category, where their levels join."""
        there, pairs = self.places.loc[came], []
        for old in went:
            near = there.index[(there == self.places.loc[old]).any(axis=1)]
            apart = self._apart(old, near)
            pairs += [(float(far), old, new) for far, new in zip(apart, near, strict=True) if far <= JOINS]
        found: dict[str, str] = {}
        taken: set[str] = set()
        for _, old, new in sorted(pairs):
            if old not in found and new not in taken:
                found[old] = new
                taken.add(new)
        return list(found.items())

    def _apart(self, old: str, new: pd.Index) -> np.ndarray:
        """Return how far the level of a series that went is from those of others [new], as logarithms; 0 where histories are one."""
        was, now = self.then[[old]].to_numpy(), self.now[new].reindex(self.then.index).to_numpy()
        both = np.isfinite(was) & np.isfinite(now)
        size, differ = (np.where(both, np.abs(part), 0.0).sum(axis=0) for part in (was, was - now))
        same = (both.sum(axis=0) >= 3) & (size > 0) & (differ <= SAME_VALUES * size)
        since, months = self.since[new].to_numpy(), self.since.index - pd.DateOffset(months=SEASON_LENGTH)
        came, year_ago = since != 0, self.then[[old]].reindex(months).to_numpy()
        level = mean(np.where(came, np.abs(since), np.nan), axis=0)
        last_year = mean(np.where(came, np.abs(year_ago), np.nan), axis=0)
        before = np.full(len(new), self.then[old].dropna().tail(3).abs().mean())
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = [np.where(each > 0, np.abs(np.log(level / each)), np.inf) for each in (last_year, before)]
        return np.where(same, 0.0, np.minimum(*usual))


def series(levels: Levels) -> list[Measure]:
    """Return the measures of names: renamed, vanished, new and revived series."""
    went, came = levels.largest()
    renamed = levels.renamed(went, came)
    old_names, new_names = [old for old, _ in renamed], [new for _, new in renamed]
    gone, new = _without(levels.vanished, old_names), _without(levels.new, new_names)
    share_renamed, share_new, of_largest = levels.share(old_names), levels.share_now(new), ""
    if len(went) < len(levels.vanished):  # what was not looked at is taken to be like what was
        share_renamed *= _ratio(levels.share(levels.vanished), levels.share(went))
        of_largest = f"Of the {LOOKED_AT:,} largest that went, "
    if len(came) < len(levels.new):
        share_new = levels.share_now(levels.new)
        share_new *= _ratio(levels.share_now(_without(came, new_names)), levels.share_now(came))
    share_gone = max(len(levels.vanished) / levels.alive if levels.alive else 0.0, levels.share(levels.vanished))
    pairs = [f"{old} became {new}" for old, new in renamed]
    return [
        Measure("renamed", share_renamed, RENAMED_SHARE, 0.0, ASK, n=len(renamed),
                text=f"{of_largest}{count(len(renamed), 'series', 'series')} went as another of the same region or category came with its "
                     f"level: {_some(pairs)}.",
                says="If only the name is another, write it into «rename» in params/, so that the history goes on; if not, "
                     "nothing need be done."),
        Measure("vanished", share_gone, HALF_GONE, HALF_GONE / 2, ASK, n=len(levels.vanished),
                text=f"{count(len(levels.vanished), 'series', 'series')} that had values every month "
                     f"({100 * levels.share(levels.vanished):.1f} % of last year's amount) have none since: {_some(levels.vanished)}.",
                says="Half of what was there is gone: is the delivery of facts whole?"),
        Measure("gone", float(len(gone)), None, 0.0, text=f"Without a value since the last forecast: {_some(gone)}."),
        Measure("new_series", share_new, NEW_SHARE, NEW_SHARE / 2, RETRAIN, "new_data", n=len(new),
                text=f"{count(len(new), 'series', 'series')} that no model has seen make {100 * share_new:.1f} % of the last three months "
                     f"(limit {100 * NEW_SHARE:.0f} %): {_some(new)}.",
                says="New models are to be trained, with them."),
        Measure("revived", float(len(levels.revived)), n=len(levels.revived),
                text=f"With values again after a year without: {_some(levels.revived)}."),
    ]  # fmt: skip


def restated(train: pd.DataFrame, known: pd.DataFrame, cutoff: pd.Timestamp) -> list[Measure]:
    """Return how much of the last two published years has another value now, and how much was booked late into the newest of them."""
    first, late = (cutoff - pd.DateOffset(months=n) for n in (RESTATED_MONTHS, LATE_MONTHS))
    then = known[known["known_before"].notna() & (known["ds"] > first) & (known["ds"] <= cutoff)]
    both = then.merge(train[["unique_id", "ds", "y"]], on=["unique_id", "ds"], how="left")
    both = both.assign(moved=both["y"].fillna(0.0) - both["known_before"])
    whole = both["known_before"].abs().sum()
    newest = both[both["ds"] > late]
    share = float(both["moved"].abs().sum() / whole) if whole else 0.0
    base = newest["known_before"].abs().sum()
    later = float(newest["moved"].sum() / base) if base else 0.0
    n = int((both["moved"].abs() > 1e-9 * both["known_before"].abs()).sum())
    return [
        Measure("restated", share, RESTATED, RESTATED / 5, ASK, n=n,
                text=f"{count(n, 'published value')} of the last {RESTATED_MONTHS} months differ now, by {100 * share:.1f} % of all in sum "
                     f"(limit {100 * RESTATED:.0f} %).",
                says="Is the new past the right one? Figures of accuracy rest on what was known first."),
        Measure("late_facts", abs(later), None, RESTATED / 2, WATCH,
                text=f"The newest {LATE_MONTHS} published months have changed by {100 * later:+.1f} % since: facts that came late. Such "
                     "months look like a fall when they are new."),
    ]  # fmt: skip


def unit(before: dict[str, Any]) -> Measure:
    """Return whether the values count something else than before."""
    was, now = before["unit"] or "no currency", before["unit_now"] or "no currency"
    text = f"The values were published in {was} and are now in {now}."
    says = "What was published cannot be compared with what came: is the unit right?"
    return Measure("unit", float(was != now), 0.5, None, ASK, text=text, says=says)


def age(last: pd.Timestamp, trained: pd.Timestamp) -> Measure:
    """Return how many months ago the models in force were trained; when they are trained anew is a matter of the schedule."""
    months = (last.year - trained.year) * 12 + last.month - trained.month
    return Measure(
        "age_of_models",
        float(months),
        text=f"The models were trained on facts up to {trained:%Y-%m}, {count(months, 'month')} ago.",
    )


def _ratio(part: float, whole: float) -> float:
    """Divide; 1 where there is nothing to divide by."""
    return part / whole if whole else 1.0


def _without(names: list[str], others: list[str]) -> list[str]:
    """Return names but for some, in their order."""
    left_out = set(others)
    return [name for name in names if name not in left_out]


def _some(names: list[str]) -> str:
    """Name a few, and say how many more there are."""
    more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return listing([*names[:SHOWN], *more]) if names else "none"
