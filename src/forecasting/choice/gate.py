"""Champion and challenger: which model forecasts a domain, and the gate that a challenger must pass to replace the champion.

All numbers are those of a leaderboard's series over all horizons. The cutoffs that choose decide the contest; the cutoffs held
out can only veto: where they speak against the winner, the seasonal naive is used. A person's decision stands above both.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from forecasting.choice import verdict
from forecasting.choice.verdict import Contest
from forecasting.evaluation import BASELINE, CHOICE, HELD_OUT_SET
from forecasting.run import Champion, Rule

TIE = 1e-9  # relative difference of the metric below which two models are as good
VETOED, BY_PERSON = "vetoed", "chosen_by_person"


@dataclass(frozen=True)
class Gate:
    """What a challenger must show, from `params/`.

    `metric` is one of a leaderboard's measures where less is better. The improvement is in % of the incumbent's metric; the
    loss of bias in points of the mean absolute actual; the loss of coverage in points, for the 80 % and the 95 % interval; the loss of
    stability in typical errors (MASC: how much further a forecast may move from one month to the next).
    """

    metric: str = "mase"
    min_improvement_pct: float = 1.0
    max_bias_loss_pct: float = 10.0
    max_coverage_loss: float = 15.0
    max_stability_loss: float = 0.5


def choose_champion(
    board: pd.DataFrame, cutoffs: pd.DataFrame, order: Sequence[str], incumbent: dict[str, Any], gate: Gate
) -> dict[str, Any]:
    """Choose one model for the domain.

    Parameters
    ----------
    board: of `evaluation.leaderboard`. The baselines in it are candidates too; a model that lacks rows which others have is none.
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
    held_out = _mase(series, HELD_OUT_SET)
    contest = _contest(candidates, order, incumbent["name"], gate)
    veto = _veto(contest.winner, held_out)
    gate_choice = BASELINE if veto else contest.winner
    decision = _usable(incumbent["decision"], {*order, *board["model_name"]})
    name = decision["name"] if decision else gate_choice
    n_cutoffs = int((cutoffs["evaluation_set"] == CHOICE).sum())
    texts = [
        verdict.contest_text(contest, candidates[gate.metric], n_cutoffs),
        verdict.basis_text(n_cutoffs, len(measured) - len(candidates)) if len(candidates) else "",
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
        metric_choice={model: float(value) for model, value in candidates[gate.metric].items()},
        rules=list(contest.rules),
        gate_choice=gate_choice,
        chosen_on=decision["on"] if decision else None,
        next_best=_best(candidates.drop(index=name, errors="ignore"), order, gate.metric),
        veto=veto,
        **_record(name, series, cutoffs),
    )
    return asdict(champion)


def _contest(candidates: pd.DataFrame, order: Sequence[str], champion: str | None, gate: Gate) -> Contest:
    """Let the best of the other models challenge the champion so far.

    At a first run the seasonal naive stands in for it and the whole gate applies. Where the champion so far cannot be compared
    any more, it is enough to be better than the seasonal naive.
    """
    incumbent = champion if champion in candidates.index else BASELINE
    challenger = _best(candidates.drop(index=incumbent, errors="ignore"), order, gate.metric)
    contest = Contest(champion, incumbent, challenger, incumbent)
    if challenger is None:
        return contest
    if incumbent not in candidates.index:
        return replace(contest, winner=challenger)
    rules = gate_rules(candidates, challenger, incumbent, gate)
    if champion not in (None, incumbent):
        rules = (replace(rules[0], limit=0.0, passed=rules[0].measured > 0),)
    passed = all(rule.passed for rule in rules)
    return replace(contest, rules=rules, winner=challenger if passed else incumbent)


def gate_rules(candidates: pd.DataFrame, challenger: str, incumbent: str, gate: Gate) -> tuple[Rule, ...]:
    """Measure the challenger against the incumbent.

    `candidates` are a leaderboard's rows of one evaluation set by model_name. Improvement is in %, losses are in points; an
    improvement of the bias, the coverage or the stability is a negative loss. The stability counts where both are known and the
    incumbent learns: the seasonal naive never moves, and beside it no model would be allowed to learn.
    """
    new, old = candidates.loc[challenger], candidates.loc[incumbent]
    gain = 100 * (1 - new[gate.metric] / old[gate.metric]) if old[gate.metric] > 0 else 0.0
    size = _mean_actual(candidates)
    bias = 100 * (abs(new["bias"]) - abs(old["bias"])) / size if size else 0.0
    rules = [
        Rule(
            "improvement_pct",
            float(gain),
            gate.min_improvement_pct,
            bool(gain >= gate.min_improvement_pct and gain > 0),
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


def _best(candidates: pd.DataFrame, order: Sequence[str], metric: str) -> str | None:
    """Return the model with the lowest metric, of those as good as it the simplest; None where there is no model."""
    if candidates.empty:
        return None
    as_good = candidates.index[candidates[metric] <= candidates[metric].min() * (1 + TIE)]
    rank = {name: number for number, name in enumerate(order)}
    return min(as_good, key=lambda name: (rank.get(name, len(rank)), name))


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
        "choice_cutoffs": _iso(cutoffs, CHOICE),
        "held_out_cutoffs": _iso(cutoffs, HELD_OUT_SET),
    }


def _iso(cutoffs: pd.DataFrame, evaluation_set: str) -> list[str]:
    """Return the cutoffs of one set as ISO dates."""
    return [f"{cutoff:%Y-%m-%d}" for cutoff in cutoffs.loc[cutoffs["evaluation_set"] == evaluation_set, "cutoff"]]
