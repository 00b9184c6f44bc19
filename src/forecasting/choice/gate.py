"""Champion and challenger: which model forecasts a domain, and the gate that a challenger must pass to replace the champion.

All numbers are those of single series over all horizons. Where no model was champion before, the default combination stands in for it: of
many models one always looks best, and a combination loses little to it. What a challenger leads by, less what luck alone would give
(`evaluation/evidence`), on all cutoffs that are not held out, decides the contest. The cutoffs held out can only veto: where they speak
against the winner, the seasonal naive is used. A person's decision stands above both.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from forecasting.choice import verdict
from forecasting.choice.verdict import Contest
from forecasting.evaluation import BASELINE, CHOICE, CHOOSING, DEFAULT, HELD_OUT_SET, evidence, strongest
from forecasting.run import Champion, Rule

VETOED, BY_PERSON = "vetoed", "chosen_by_person"


@dataclass(frozen=True)
class Gate:
    """What a challenger must show, from `params/`.

    `metric` is one of a leaderboard's measures where less is better. The improvement is in % of the incumbent's metric (of its mean
    square for RMSSE), less what luck alone would give; the loss of bias in points of the mean absolute actual; the loss of coverage in
    points, for the 80 % and the 95 % interval; the loss of stability in typical errors (MASC: how much further a forecast may move from
    one month to the next).
    """

    metric: str = "mase"
    min_improvement_pct: float = 1.0
    max_bias_loss_pct: float = 10.0
    max_coverage_loss: float = 15.0
    max_stability_loss: float = 0.5


def choose_champion(
    board: pd.DataFrame,
    losses: pd.DataFrame,
    cutoffs: pd.DataFrame,
    order: Sequence[str],
    incumbent: dict[str, Any],
    gate: Gate,
) -> dict[str, Any]:
    """Choose one model for the domain.

    Parameters
    ----------
    board: of `evaluation.leaderboard`. The baselines in it are candidates too; a model that lacks rows which others have is none.
    losses: of `evaluation.losses`, at the cutoffs that choose.
    cutoffs: cutoff, evaluation_set.
    order: the models of the run, simplest first: the earlier wins a tie; models that are not named come last, by name.
    incumbent: `incumbent.json`: name, the champion so far (None at a first run), and decision, a person's (or None).

    Returns
    -------
    The JSON of a `Champion`.
    """
    series = board[(board["aggregation"] == "series") & (board["horizon_group"] == "all")]
    measured = series[(series["evaluation_set"] == CHOICE) & series[gate.metric].notna()]
    candidates = measured[measured["n"] == measured["n"].max()].set_index("model_name")
    compared = losses[losses["model_name"].isin(candidates.index)]
    candidates = candidates[candidates.index.isin(compared["model_name"])]
    held_out = _mase(series, HELD_OUT_SET)
    contest = _contest(candidates, compared, order, incumbent["name"], gate)
    veto = _veto(contest.winner, held_out)
    gate_choice = BASELINE if veto else contest.winner
    decision = _usable(incumbent["decision"], {*order, *board["model_name"]})
    name = decision["name"] if decision else gate_choice
    choosing = _iso(cutoffs, CHOOSING)
    texts = [
        verdict.contest_text(contest, gate.metric, len(choosing)),
        verdict.basis_text(len(choosing), len(measured) - len(candidates)) if len(candidates) else "",
        verdict.held_out_text(contest.winner, held_out, decision is not None),
        verdict.decision_text(incumbent["decision"], decision is not None, gate_choice, held_out),
    ]
    champion = Champion(
        name=name,
        models=[*order, *sorted({*board["model_name"]} - {*order})],
        verdict=BY_PERSON if decision else VETOED if veto else contest.verdict,
        reason=" ".join(filter(None, texts)),
        incumbent=contest.incumbent,
        challenger=contest.challenger,
        metric=gate.metric,
        metric_choice=contest.metric,
        rules=list(contest.rules),
        gate_choice=gate_choice,
        chosen_on=decision["on"] if decision else None,
        next_best=_best({model: value for model, value in contest.metric.items() if model != name}, order),
        veto=veto,
        choice_cutoffs=choosing,
        **_record(name, series, cutoffs),
    )
    return asdict(champion)


def _contest(
    candidates: pd.DataFrame, losses: pd.DataFrame, order: Sequence[str], champion: str | None, gate: Gate
) -> Contest:
    """Let the model for which most speaks challenge the champion so far.

    Where there is none, at a first run, or none that can be compared any more, the default stands in for it, and the seasonal naive for a
    default that is not there. The default, as a challenger, is no best of many.
    """
    known = [champion, DEFAULT, BASELINE, *order]
    incumbent = next((name for name in known if name in candidates.index), BASELINE)
    contest = Contest(champion, incumbent, None, incumbent)
    if candidates.empty:
        return contest
    found = evidence(losses, gate.metric, incumbent, named=[DEFAULT])
    contest = replace(contest, evidence=found, metric=_metric(found["loss"], gate.metric))
    challenger = strongest(found, incumbent, order)
    if challenger is None:
        return contest
    rules = gate_rules(candidates, float(found.loc[challenger, "left_pct"]), challenger, incumbent, gate)
    winner = challenger if all(rule.passed for rule in rules) else incumbent
    return replace(contest, challenger=challenger, rules=rules, winner=winner)


def gate_rules(candidates: pd.DataFrame, gain: float, challenger: str, incumbent: str, gate: Gate) -> tuple[Rule, ...]:
    """Measure the challenger against the incumbent.

    `candidates` are a leaderboard's rows of one evaluation set by model_name; `gain` is what is left of the challenger's lead, in %.
    Losses are in points; an improvement of the bias, the coverage or the stability is a negative loss. The stability counts where both
    are known and the incumbent learns: the seasonal naive never moves, and beside it no model would be allowed to learn.
    """
    new, old = candidates.loc[challenger], candidates.loc[incumbent]
    size = _mean_actual(candidates)
    bias = 100 * (abs(new["bias"]) - abs(old["bias"])) / size if size else 0.0
    rules = [
        Rule(
            "improvement_pct",
            gain,
            gate.min_improvement_pct,
            gain >= gate.min_improvement_pct and gain > 0,
        ),
        Rule("bias_loss_pct", float(bias), gate.max_bias_loss_pct, bool(bias <= gate.max_bias_loss_pct)),
    ]
    for level in (80, 95):
        off = [abs(100 * row[f"coverage_{level}"] - level) for row in (new, old)]
        loss = float(off[0] - off[1])
        rules.append(Rule(f"coverage_{level}_loss", loss, gate.max_coverage_loss, loss <= gate.max_coverage_loss))
    moves = float(new["masc"] - old["masc"])
    if incumbent != BASELINE and math.isfinite(moves):
        rules.append(Rule("stability_loss", moves, gate.max_stability_loss, moves <= gate.max_stability_loss))
    return tuple(rules)


def _mean_actual(candidates: pd.DataFrame) -> float:
    """Return the mean absolute actual, which is MAE / WAPE; 0 where every actual is 0."""
    known = candidates[candidates["wape"] > 0]
    return float((known["mae"] / known["wape"]).iloc[0]) if len(known) else 0.0


def _metric(loss: pd.Series, metric: str) -> dict[str, float]:
    """Return the gate's metric by model from its mean loss."""
    return {model: float(value) ** (0.5 if metric == "rmsse" else 1.0) for model, value in loss.items()}


def _best(metric: dict[str, float], order: Sequence[str]) -> str | None:
    """Return the model with the lowest metric, of those as good the simplest; None where there is no model."""
    rank = {name: number for number, name in enumerate(order)}
    return min(metric, key=lambda name: (metric[name], rank.get(name, len(rank)), name), default=None)


def _veto(winner: str, held_out: dict[str, float]) -> dict[str, Any] | None:
    """Return the veto of the held-out cutoffs: on them the winner's MASE is not below the seasonal naive's."""
    mine, naive = held_out.get(winner), held_out.get(BASELINE)
    if winner == BASELINE or mine is None or naive is None or mine < naive:
        return None
    return {"model": winner, "mase_held_out": mine, "seasonal_naive_mase_held_out": naive}


def _usable(decision: dict[str, Any] | None, models: set[str]) -> dict[str, Any] | None:
    """Return a person's decision if its model is part of this run."""
    return decision if decision and decision["name"] in models else None


def _mase(series: pd.DataFrame, evaluation_set: str) -> dict[str, float]:
    """Return MASE by model on one evaluation set, where it can be measured."""
    rows = series[(series["evaluation_set"] == evaluation_set) & series["mase"].notna()]
    return dict(zip(rows["model_name"], rows["mase"].astype(float), strict=True))


def _record(name: str, series: pd.DataFrame, cutoffs: pd.DataFrame) -> dict[str, Any]:
    """Return the fields of a `Champion` that say how good it was."""
    held_out = _mase(series, HELD_OUT_SET)
    mine, naive = held_out.get(name), held_out.get(BASELINE)
    return {
        "mase_choice": _mase(series, CHOICE).get(name),
        "mase_held_out": mine,
        "seasonal_naive_mase_held_out": naive,
        "beats_seasonal_naive": mine is not None and naive is not None and mine < naive,
        "held_out_cutoffs": _iso(cutoffs, [HELD_OUT_SET]),
    }


def _iso(cutoffs: pd.DataFrame, sets: Sequence[str]) -> list[str]:
    """Return the cutoffs of some evaluation sets as ISO dates."""
    return [f"{cutoff:%Y-%m-%d}" for cutoff in cutoffs.loc[cutoffs["evaluation_set"].isin(sets), "cutoff"]]
