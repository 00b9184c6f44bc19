"""The gate's verdict in plain English: what was compared, by which numbers, and why the model is used."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecasting.evaluation import BASELINE
from forecasting.run import Rule

TOO_SHORT = "The history is too short to compare models on months that are not needed for the final test"
KEPT, PROMOTED, FIRST = "kept", "promoted", "first"
METRIC_NAMES = {"mase": "MASE", "rmsse": "RMSSE", "wape": "WAPE", "scaled_crps": "scaled CRPS"}


@dataclass(frozen=True)
class Contest:
    """The challenger against the incumbent on the cutoffs that choose.

    The incumbent is the champion so far or, where there is none that can be compared, the seasonal naive in its place.
    """

    champion: str | None
    incumbent: str
    challenger: str | None
    winner: str
    rules: tuple[Rule, ...] = ()

    @property
    def verdict(self) -> str:
        """What the contest means for the champion so far."""
        if self.champion is None:
            return FIRST
        return KEPT if self.winner == self.champion else PROMOTED


def failure(rule: Rule) -> str:
    """Say why a condition does not hold; nothing where the measured number says it all."""
    if rule.name == "improvement_pct":
        return f"the gate asks for an improvement of {rule.limit:g} %" if rule.measured > 0 else ""
    what = {
        "bias_loss_pct": "its bias is {} points of the mean actual larger",
        "coverage_80_loss": "the coverage of its 80 % interval is {} points further from 80 %",
        "coverage_95_loss": "the coverage of its 95 % interval is {} points further from 95 %",
        "stability_loss": "its forecast of a month moves by {} typical errors more from one month to the next",
    }[rule.name]
    decimals = 2 if rule.name == "stability_loss" else 1
    return f"{what.format(f'{rule.measured:.{decimals}f}')}, where the gate allows {rule.limit:g}"


def contest_text(contest: Contest, metric: pd.Series, n_cutoffs: int) -> str:
    """Say who won and why; `metric` (its name is the gate's) by candidate, on `n_cutoffs` cutoffs that choose."""
    if metric.empty:
        why = "Nothing can be measured on the cutoffs that choose" if n_cutoffs else TOO_SHORT
        return f"{why}, so the seasonal naive (the same month of last year) is used."
    opening, new, old = _opening(contest), contest.challenger, contest.incumbent
    if new is None:
        return f"{opening}{old} is used, because there is no other model to compare."
    if not contest.rules:
        return f"{opening}{new} is the best of the models that can be compared."
    figures = (
        f"{_gain(contest.rules[0].measured)} ({METRIC_NAMES[metric.name]} {metric[new]:.3f} against {metric[old]:.3f})"
    )
    if contest.winner == new:
        passes = " and passes the gate" if len(contest.rules) > 1 else ""
        return f"{opening}{new} takes the place of {old}: it is {figures}{passes}."
    failed = [failure(rule) for rule in contest.rules if not rule.passed]
    stays = f"{old} stays: {new}, the best of the others, is {figures}"
    return f"{opening}{'; '.join(filter(None, [stays, *failed]))}."


def _opening(contest: Contest) -> str:
    """Say why the seasonal naive stands in for a champion, where it does."""
    if contest.champion is None:
        return "No model was champion before, so the seasonal naive is the one to beat. "
    if contest.champion != contest.incumbent:
        return f"{contest.champion}, the champion so far, has no forecasts here that could be compared. "
    return ""


def _gain(percent: float) -> str:
    """Write an improvement in words; a small one with two decimals, because it is read beside the limit."""
    size = f"{abs(percent):.{1 if abs(percent) >= 2 else 2}f}"
    return f"{size} % {'better' if percent > 0 else 'worse'}" if float(size) else "as good"


def basis_text(n_cutoffs: int, left_out: int) -> str:
    """Say on what the models were compared; `left_out` models lacked forecasts."""
    text = f"Compared over all series and horizons on the {_cutoffs(n_cutoffs)} that choose."
    if left_out:
        text += f" {left_out} more could not be compared, because they lack some of these forecasts."
    return text


def held_out_text(winner: str, held_out: dict[str, float], overruled: bool) -> str:
    """Say whether the cutoffs held out bear the winner out; `held_out` is MASE by model, `overruled` by a person."""
    mine, naive = held_out.get(winner), held_out.get(BASELINE)
    if winner == BASELINE or mine is None or naive is None:
        return ""
    figures = f"({mine:.3f} against {naive:.3f})"
    if mine < naive:
        return f"On the cutoffs held out {winner} beats the seasonal naive by MASE {figures}."
    used = "would be used" if overruled else "is used instead"
    return f"On the cutoffs held out {winner} does not beat the seasonal naive by MASE {figures}, so the seasonal naive {used}."


def decision_text(decision: dict[str, Any] | None, holds: bool, gate_choice: str, held_out: dict[str, float]) -> str:
    """Say what a person decided and what the gate would have done; `holds`: the model is part of this run."""
    if decision is None:
        return ""
    name, chosen = decision["name"], f"chosen by a person on {decision['on']}"
    if not holds:
        return f"{name}, {chosen}, is not part of this run, so the gate's choice is used."
    instead = f"{gate_choice}." if gate_choice != name else "it too."
    text = f"{name} is used because it was {chosen}; the gate would have chosen {instead}"
    mine, naive = held_out.get(name), held_out.get(BASELINE)
    if name not in (gate_choice, BASELINE) and mine is not None and naive is not None and mine >= naive:
        text += f" The gate would have refused {name}: on the cutoffs held out it does not beat the seasonal naive "
        text += f"({mine:.3f} against {naive:.3f})."
    return text


def _cutoffs(n: int) -> str:
    """Write a number of cutoffs."""
    return "1 cutoff" if n == 1 else f"{n} cutoffs"
