"""Combinations of the other models: their median, and one between it and their weighted mean, with weights by months ahead.

A combination's point comes from the members' points. Its quantiles lie around that point as those of its members that
state quantiles of their own lie around theirs; where no member does they are equal, and the intervals come from the
combination's past errors alone.

Of a series that a specialist speaks of (`Model.is_specialist`) its word alone counts, and the others learn nothing from it.
"""

import shutil
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting.contracts import MIDDLE, QUANTILE_COLUMNS, RAW_BACKTEST_COLUMNS
from forecasting.errors import UserError
from forecasting.models.base import Model
from forecasting.models.combination import combining
from forecasting.models.combination.combining import KEY
from forecasting.models.families import load
from forecasting.models.forecasts import forecast, forecast_each
from forecasting.models.saved import MEMBERS, SavedMember, member_folders
from forecasting.series import Panel, by_cutoff

FIRST, LAST = QUANTILE_COLUMNS[0], QUANTILE_COLUMNS[-1]


class Combination(Model):
    """What both combinations share: members in a fixed order, fitted models or, to combine what they said, saved ones."""

    family = "combination"
    packages = ("scipy",)

    def __init__(self, members: Sequence[Model | SavedMember] = (), **settings: Any) -> None:
        """Take the members and the settings by name; with saved members it combines back-tests and is saved, no more."""
        super().__init__(**settings)
        self.members = list(members)

    @property
    def min_history(self) -> int:
        """How many months a series needs for one of the members to speak."""
        return min((member.min_history for member in self.members), default=1)

    @property
    def voices(self) -> list[Model | SavedMember]:
        """The members that are combined, in order: all but the specialists, whose word stands alone; all where there are no others."""
        special = self.specialists
        return [one for one in self.members if one.name not in special]

    @property
    def specialists(self) -> list[str]:
        """The names of the members whose word stands alone where they speak."""
        return combining.specialists([member.name for member in self.members])

    @property
    def names(self) -> list[str]:
        """The names of the members that are combined, in order."""
        return [member.name for member in self.voices]

    @abstractmethod
    def member_weights(self, values: np.ndarray, horizon: pd.Series) -> np.ndarray:
        """Return what each member counts [n, members] at points [n, members] so many months ahead."""

    @abstractmethod
    def point(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the combined point [n] of points [n, members]."""

    def middle(self, values: np.ndarray) -> np.ndarray:
        """Return the median of the families [n], each by the median of its models."""
        families = np.array([member.family for member in self.voices])
        voices = [np.median(values[:, families == family], axis=1) for family in dict.fromkeys(families)]
        return np.median(np.column_stack(voices), axis=1)

    def fit(self, train: pd.DataFrame) -> Self:
        """Fit the members; weights are not learned from a training table but from backtests (`learn`)."""
        for member in self.members:
            member.fit(train)
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """See `Model.predict`; a member that cannot speak of a series gives its fallback."""
        return self.together([forecast(member, history, horizon, flow=False) for member in self.members])

    def together(self, said: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """Combine what the members said from one history (of `models.forecast`, in their order), as `predict` returns it."""
        cutoff = said[0]["ds"].min()
        parts = [
            each.assign(aggregation="", cutoff=cutoff, model_name=member.name)
            for each, member in zip(said, self.members, strict=True)
        ]
        combined = self.combine(pd.concat(parts, ignore_index=True))
        return combined[["unique_id", "ds", "horizon", *QUANTILE_COLUMNS]]

    def predict_each(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_each`: what `predict` says of each series when it is the only one, without the tables."""
        every = {member.name: forecast_each(member, known, horizon, flow=False) for member in self.members}
        said = [every[name].quantiles for name in self.names]
        points = np.stack([each[:, :, MIDDLE].ravel() for each in said], axis=1)  # [series × horizon, members]
        steps = pd.Series(np.tile(np.arange(1, horizon + 1), len(known.ids)))
        weights = self.member_weights(points, steps)
        apart = [each - each[:, :, [MIDDLE]] for each in said]
        # whether a member states quantiles is asked of each series by itself
        states = [np.repeat((each[:, :, 0] < each[:, :, -1]).any(axis=1), horizon) for each in apart]
        around = spread([each.reshape(len(steps), -1) for each in apart], states, weights)
        combined = (self.point(points, weights)[:, None] + around).reshape(len(known.ids), horizon, -1)
        for name in self.specialists:
            speaks = ~every[name].is_fallback
            combined[speaks] = every[name].quantiles[speaks]
        return combined

    def combine(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Combine the members' raw forecasts: one row per KEY (RAW_BACKTEST_COLUMNS), of those that all members have.

        Raises
        ------
        UserError
            If a member has no forecasts at all.
        """
        missing = sorted({member.name for member in self.members} - set(raw["model_name"]))
        if raw.empty:  # a history too short for any cutoff
            return raw
        if missing:
            raise UserError(
                f"{self.name}: there are no forecasts of {', '.join(missing)}. Run its 20_train notebook first."
            )
        wide = set(raw["model_name"].to_numpy()[raw[FIRST].to_numpy() < raw[LAST].to_numpy()])
        states = {name: name in wide for name in self.names}
        parts = [self._combined_at(rows, states) for _, rows in by_cutoff(raw)]
        return pd.concat(parts, ignore_index=True)

    def _combined_at(self, raw: pd.DataFrame, states: dict[str, bool]) -> pd.DataFrame:
        """Do what `combine` does, for the forecasts from one cutoff; `states` says which members state quantiles."""
        beside = combining.SideBySide.of(raw, self.names)
        rows = list(beside.rows.values())
        said, spoken = raw[QUANTILE_COLUMNS].to_numpy(), raw["is_fallback"].to_numpy(dtype=bool)
        frame = raw[KEY].iloc[rows[0]].reset_index(drop=True)
        values = said[:, MIDDLE][np.column_stack(rows)]
        weights = self.member_weights(values, frame["horizon"])
        apart = [said[own] - said[own][:, [MIDDLE]] for own in rows]
        around = spread(apart, [np.full(len(frame), states[name]) for name in self.names], weights)
        quantiles = self.point(values, weights)[:, None] + around
        flags = np.logical_and.reduce([spoken[own] for own in rows])
        special = beside.spoken_for(raw)
        special = special[np.isin(beside.key[special], beside.common)]
        place = np.searchsorted(beside.common, beside.key[special])
        quantiles[place], flags[place] = said[special], False
        frame[QUANTILE_COLUMNS] = quantiles
        return frame.assign(model_name=self.name, is_fallback=flags)[RAW_BACKTEST_COLUMNS]

    def explanation(self) -> dict[str, Any]:
        """Return what each member says of itself: {"members": {name: its explanation}}."""
        return {MEMBERS: {member.name: member.explanation() for member in self.members}}

    def save(self, directory: Path) -> None:
        """Write the combination and, in a folder each inside, those of its members that are not saved beside it."""
        shutil.rmtree(directory / MEMBERS, ignore_errors=True)  # of a model that was saved here before
        for member in self.members:
            if not isinstance(member, SavedMember):
                member.save(directory / MEMBERS / member.name)
            elif member.folder.resolve() != directory.resolve().parent / member.name:
                raise UserError(
                    f"{self.name}: {member.folder} is not beside {directory}, where it would be looked for."
                )
        super().save(directory)

    def state(self) -> dict[str, Any]:
        """Return where the members are; see `models/saved`."""
        return {MEMBERS: [f"{'..' if isinstance(one, SavedMember) else MEMBERS}/{one.name}" for one in self.members]}

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote, members included."""
        model = super().load(directory)
        model.members = [load(folder) for folder in member_folders(directory).values()]
        return model

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned; the members follow in `load`."""
        self.listed = [Path(place).name for place in state[MEMBERS]]


def spread(apart: Sequence[np.ndarray], states: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return how far quantiles lie from the point [n, 11]: the mean of how far they do in each member, where it states any [n]."""
    total, share = np.zeros_like(apart[0]), np.zeros(len(weights))
    for number, (own, stated) in enumerate(zip(apart, states, strict=True)):
        # one that counts nothing still knows how wide it is
        weight = np.where(stated, np.maximum(weights[:, number], 1e-6), 0.0)
        total, share = total + own * weight[:, None], share + weight
    return total / np.where(share > 0, share, 1.0)[:, None]


class MedianCombination(Combination):
    """The median of the families, each by the median of its models, month by month: one voice for each family."""

    name = "median"
    title = "median combination"
    what = "the middle of what the kinds of models forecast"

    def member_weights(self, values: np.ndarray, horizon: pd.Series) -> np.ndarray:
        """Every family counts the same."""
        families = [member.family for member in self.voices]
        return np.tile(combining.shared(np.ones(len(families)), families), (len(values), 1))

    def point(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the median [n]."""
        return self.middle(values)


class WeightedCombination(Combination):
    """Between the median and the weighted mean of the members' points, the nearer to the mean the more series it was learned from.

    Setting `power`: 0 gives equal weights, more of it trusts past errors more. A member that is far off pulls every mean, and on a
    company's few series the past does not tell in time which one will; on many it does (docs/architecture.md).
    """

    name = "weighted"
    title = "weighted combination"
    what = "between the middle of what the kinds of models forecast and an average that trusts the better ones more"
    parameters = ("combination_power",)
    defaults: ClassVar[dict[str, Any]] = {"power": 12.0}
    learned: pd.DataFrame | None = None
    trust: float = (
        1.0  # what the weighted mean counts beside the median; all, in one that was saved before there was a choice
    )

    @property
    def weights(self) -> pd.DataFrame:
        """The weights, a row per bucket of months ahead and a column per member.

        Raises
        ------
        UserError
            If nothing has been learned yet.
        """
        if self.learned is None:
            raise UserError(f"{self.name}: it has no weights yet. Give past errors to `learn`, or use the median.")
        return self.learned

    def learn(self, known: pd.DataFrame) -> Self:
        """Learn the weights by months ahead from scaled errors (of `combining.past_errors`) of months that are known."""
        families = {member.name: member.family for member in self.voices}
        self.learned = combining.weights(known, families, self.settings["power"])
        self.trust = combining.trust(known)
        return self

    def walk_forward(self, raw: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
        """Combine walk-forward forecasts, the weights of each cutoff learned from months up to it (RAW_BACKTEST_COLUMNS).

        The model keeps the weights learned from everything known, those for the next forecast.
        """
        known = combining.past_errors(raw, train, self.names)
        parts = [self.learn(known[known["ds"] <= cutoff]).combine(rows) for cutoff, rows in by_cutoff(raw)]
        self.learn(known)
        return pd.concat(parts, ignore_index=True) if parts else raw

    def point(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return points between the median and the weighted mean [n]."""
        return self.trust * (values * weights).sum(axis=1) + (1.0 - self.trust) * self.middle(values)

    def member_weights(self, values: np.ndarray, horizon: pd.Series) -> np.ndarray:
        """Return each row's weights, those of its bucket of months ahead."""
        return self.weights.loc[combining.bucket_names(horizon), self.names].to_numpy()

    def explanation(self) -> dict[str, Any]:
        """Return the members' explanations, the weights and what they count: {"weights": {bucket: {member: weight}}, "trust"}."""
        rounded = {bucket: row.round(4).to_dict() for bucket, row in self.weights.iterrows()}
        return super().explanation() | {"weights": rounded, "trust": round(self.trust, 4)}

    def state(self) -> dict[str, Any]:
        """Return the members' names and the weights."""
        return super().state() | {"weights": self.weights.to_dict("index"), "trust": self.trust}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        super().restore(state)
        self.trust = state.get("trust", 1.0)
        names = [name for name in self.listed if name not in combining.specialists(self.listed)]
        self.learned = pd.DataFrame.from_dict(state["weights"], orient="index")[names].rename_axis("bucket")


MODELS = (MedianCombination, WeightedCombination)
