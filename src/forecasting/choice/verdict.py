"""The gate's verdict in plain English: what was compared, by which numbers, and why the model is used."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from forecasting.evaluation import BASELINE, DEFAULT
from forecasting.run import Rule

TOO_SHORT = "The history is too short to compare models on months that are not needed for the final test"
KEPT, PROMOTED, FIRST = "kept", "promoted", "first"
METRIC_NAMES = {"mase": "MASE", "rmsse": "RMSSE", "wape": "WAPE", "scaled_crps": "scaled CRPS"}


@dataclass(frozen=True)
class Contest:
    """The challenger against the incumbent on the cutoffs that choose.

    The incumbent is the champion so far or, where there is none that can be compared, the default in its place. `evidence` is that of
    `evaluation.evidence` against it, `metric` the gate's by model; both are empty where nothing can be compared.
    """

    champion: str | None
    incumbent: str
    challenger: str | None
    winner: str
    rules: tuple[Rule, ...] = ()
    evidence: pd.DataFrame = field(default_factory=pd.DataFrame)
    metric: dict[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """What the contest means for the champion so far."""
        if self.champion is None:
            return FIRST
        return KEPT if self.winner == self.champion else PROMOTED


def failure(rule: Rule) -> str:
    """Say why a condition does not hold; nothing where the measured number says it all."""
    if rule.name == "improvement_pct":
        return f"what is left is less than the {rule.limit:g} % that the gate asks for" if rule.measured > 0 else ""
    what = {
        "bias_loss_pct": "its bias is {} points of the mean actual larger",
        "coverage_80_loss": "the coverage of its 80 % interval is {} points further from 80 %",
        "coverage_95_loss": "the coverage of its 95 % interval is {} points further from 95 %",
        "stability_loss": "its forecast of a month moves by {} typical errors more from one month to the next",
    }[rule.name]
    decimals = 2 if rule.name == "stability_loss" else 1
    return f"{what.format(f'{rule.measured:.{decimals}f}')}, where the gate allows {rule.limit:g}"


def contest_text(contest: Contest, metric: str, n_cutoffs: int) -> str:
    """Say who won and why; `metric` is the gate's, `n_cutoffs` how many choose."""
    if not contest.metric:
        why = "Nothing can be measured on the cutoffs that choose" if n_cutoffs else TOO_SHORT
        return f"{why}, so the seasonal naive (the same month of last year) is used."
    opening, new, old = _opening(contest), contest.challenger, contest.incumbent
    if new is None:
        return f"{opening}{old} is used, because there is no other model to compare."
    of = contest.evidence.loc[new]
    figures = (
        f"{_gain(of['lead_pct'])} ({METRIC_NAMES[metric]} {contest.metric[new]:.3f} against {contest.metric[old]:.3f})"
    )
    luck = _luck(contest, of) if of["lead_pct"] > 0 and of["luck_pct"] > 0 else ""
    if contest.winner == new:
        return (
            f"{opening}{new} takes the place of {old}: it is {figures}{f'{luck},' if luck else ''} and passes the gate."
        )
    failed = [failure(rule) for rule in contest.rules if not rule.passed]
    stays = f"{old} stays: {new}, the strongest of the others, is {figures}{luck}"
    return f"{opening}{'; '.join(filter(None, [stays, *failed]))}."


def _luck(contest: Contest, of: pd.Series) -> str:
    """Say how much of a lead luck alone would give the best of the models."""
    many = len(set(contest.evidence.index) - {contest.incumbent, DEFAULT})
    return f", where luck alone gives the best of {many} models {_size(of['luck_pct'])} %"


def _opening(contest: Contest) -> str:
    """Say which model stands in for a champion, where one does."""
    if contest.champion == contest.incumbent:
        return ""
    why = f"{contest.champion}, the champion so far, has no forecasts here that could be compared"
    return f"{why if contest.champion else 'No model was champion before'}, so {contest.incumbent} is the one to beat. "


def _gain(percent: float) -> str:
    """Write an improvement in words."""
    size = _size(percent)
    return f"{size} % {'better' if percent > 0 else 'worse'}" if float(size) else "as good"


def _size(percent: float) -> str:
    """Write the size of a difference; a small one with two decimals, because it is read beside the limit."""
    return f"{abs(percent):.{1 if abs(percent) >= 2 else 2}f}"


def basis_text(n_cutoffs: int, left_out: int) -> str:
    """Say on what the models were compared; `left_out` models lacked forecasts."""
    text = f"Compared over all series and horizons on the {_cutoffs(n_cutoffs)} that choose, recent ones counting more."
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
