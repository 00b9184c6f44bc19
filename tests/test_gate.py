"""The gate: each rule alone, the veto, a person's choice, and what happens without an incumbent. Numbers as a leaderboard has them."""

import json
import math

import pandas as pd
import pytest

from forecasting.choice.gate import Gate, choose_champion
from forecasting.evaluation.backtest import empty_backtest, walk_forward
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.evaluation.evidence import losses
from forecasting.evaluation.ranking import leaderboard, scored_rows
from forecasting.intervals import calibrate_backtest
from forecasting.models.naive import SeasonalNaive
from synthetic import company

ORDER = ["naive", "seasonal_naive", "linear"]
NONE = {"name": None, "run_id": None, "decision": None}
PLAN = plan(company(60)["ds"], n_calibration=2)
GOOD = {
    "rmsse": 1.0,
    "scaled_crps": 0.1,
    "mae": 10.0,
    "wape": 0.1,
    "bias": 0.0,
    "coverage_80": 0.8,
    "coverage_95": 0.95,
    "masc": 0.2,
    "n": 10,
}


def board_of(choice: dict[str, dict | float], held_out: dict[str, float] | None = None) -> pd.DataFrame:
    """A leaderboard of single series: MASE (and what else differs from GOOD) by model; held out, all are as good unless said."""
    held_out = {name: 0.5 + 0.1 * (name == "seasonal_naive") for name in choice} if held_out is None else held_out
    rows = [
        {
            **GOOD,
            **(values if isinstance(values, dict) else {"mase": values}),
            "model_name": name,
            "evaluation_set": key,
        }
        for key, by_model in {"choice": choice, "held_out": held_out}.items()
        for name, values in by_model.items()
    ]
    frame = pd.DataFrame(rows, columns=["model_name", "evaluation_set", "mase", *GOOD])
    return frame.assign(aggregation="series", horizon_group="all")


def losses_of(board: pd.DataFrame, noise: dict[str, float] | None = None) -> pd.DataFrame:
    """The losses behind a leaderboard: two series at six cutoffs, the same at each, but for models with noise of their own."""
    rows = board[(board["evaluation_set"] == "choice") & board["mase"].notna()]
    cells = pd.DataFrame(
        [(name, origin) for name in ("A", "B") for origin in range(0, 36, 6)], columns=["unique_id", "origin"]
    )
    found = rows[["model_name", "mase", "rmsse", "wape", "scaled_crps"]].merge(cells, how="cross")
    sign = found["model_name"].map(noise or {}).fillna(0.0) * (-1.0) ** (found["origin"] // 6)
    return found.assign(mase=found["mase"] + sign, rmsse=found["rmsse"] ** 2)


def chosen(
    board: pd.DataFrame,
    champion: str | None = None,
    decision: dict | None = None,
    order=ORDER,
    noise: dict[str, float] | None = None,
    **limits,
) -> dict:
    incumbent = {"name": champion, "run_id": None, "decision": decision}
    found = choose_champion(board, losses_of(board, noise), PLAN, order, incumbent, Gate(**limits))
    assert json.loads(json.dumps(found)) == found
    return found


def rule(found: dict, name: str) -> dict:
    return next(entry for entry in found["rules"] if entry["name"] == name)


def test_without_a_combination_the_seasonal_naive_stands_in_at_a_first_run():
    found = chosen(board_of({"naive": 1.2, "seasonal_naive": 1.0, "linear": 0.8}))
    assert (found["name"], found["verdict"], found["incumbent"], found["challenger"]) == (
        "linear",
        "first",
        "seasonal_naive",
        "linear",
    )
    assert rule(found, "improvement_pct")["measured"] == pytest.approx(20.0)
    assert (found["mase_choice"], found["mase_held_out"], found["seasonal_naive_mase_held_out"]) == (0.8, 0.5, 0.6)
    assert found["beats_seasonal_naive"] and found["next_best"] == "seasonal_naive"
    assert "20.0 % better (MASE 0.800 against 1.000)" in found["reason"] and "6 cutoffs that choose" in found["reason"]
    assert found["held_out_cutoffs"] == ["2023-05-01", "2023-06-01"] and len(found["choice_cutoffs"]) == 6
    close = chosen(board_of({"seasonal_naive": 1.0, "linear": 0.995}))
    assert (close["name"], close["verdict"]) == ("seasonal_naive", "first")
    assert "0.50 % better" in close["reason"] and "less than the 1 % that the gate asks for" in close["reason"]


@pytest.mark.parametrize(
    ("mase", "name", "verdict"), [(0.889, "linear", "promoted"), (0.891, "naive", "kept"), (1.2, "naive", "kept")]
)
def test_the_incumbent_stays_without_the_least_improvement(mase, name, verdict):
    board = board_of({"naive": 0.9, "seasonal_naive": 1.5, "linear": {"mase": mase}})
    found = chosen(board, "naive", min_improvement_pct=1.2)
    assert (found["name"], found["verdict"], found["incumbent"], found["challenger"]) == (
        name,
        verdict,
        "naive",
        "linear",
    )
    assert rule(found, "improvement_pct")["passed"] is (name == "linear")
    assert ("gate asks for" in found["reason"]) is (mase == 0.891)


@pytest.mark.parametrize(
    ("worse", "failing", "words"),
    [
        ({"bias": -5.1}, "bias_loss_pct", "its bias is 5.1 points of the mean actual larger, where the gate allows 4"),
        ({"coverage_80": 0.67}, "coverage_80_loss", "80 % interval is 11.0 points further from 80 %"),
        ({"coverage_80": 0.93}, "coverage_80_loss", "80 % interval is 11.0 points further from 80 %"),
        ({"coverage_95": 0.84}, "coverage_95_loss", "95 % interval is 11.0 points further from 95 %"),
        (
            {"masc": 0.61},
            "stability_loss",
            "moves by 0.41 typical errors more from one month to the next, where the gate allows 0.4",
        ),
    ],
)
def test_a_better_challenger_must_not_lose_bias_or_coverage(worse, failing, words):
    """The mean absolute actual is mae / wape = 100; the incumbent has a bias of 0 or, where it is as bad, nothing is lost."""
    limits = {"max_bias_loss_pct": 4.0, "max_coverage_loss": 10.0, "max_stability_loss": 0.4}
    good = {"mase": 0.9, "coverage_80": 0.78}
    found = chosen(board_of({"naive": good, "linear": {"mase": 0.5, **worse}}, {}), "naive", **limits)
    assert found["name"] == "naive" and [entry["name"] for entry in found["rules"] if not entry["passed"]] == [failing]
    assert words in found["reason"] and "44.4 % better" in found["reason"]
    as_bad = {"mase": 0.9, **{key: -value if key == "bias" else value for key, value in worse.items()}}
    assert (
        chosen(board_of({"naive": as_bad, "linear": {"mase": 0.5, **worse}}, {}), "naive", **limits)["name"] == "linear"
    )


def test_beside_the_seasonal_naive_which_never_moves_a_model_may_learn():
    """Nor is anything asked where there are no two cutoffs a month apart."""
    moving = {"mase": 0.5, "masc": 5.0}
    assert chosen(board_of({"seasonal_naive": {"mase": 1.0, "masc": 0.0}, "linear": moving}))["name"] == "linear"
    kept = chosen(board_of({"naive": 0.9, "linear": moving}, {}), "naive")
    assert kept["name"] == "naive" and rule(kept, "stability_loss")["measured"] == pytest.approx(4.8)
    for unknown in (
        {"naive": {"mase": 0.9, "masc": math.nan}, "linear": moving},
        {"naive": 0.9, "linear": {"mase": 0.5, "masc": math.nan}},
    ):
        found = chosen(board_of(unknown, {}), "naive")
        assert found["name"] == "linear" and "stability_loss" not in {entry["name"] for entry in found["rules"]}


def test_another_metric_may_decide():
    board = board_of(
        {"naive": {"mase": 0.9, "wape": 0.20, "mae": 20.0}, "linear": {"mase": 0.8, "wape": 0.21, "mae": 21.0}}, {}
    )
    assert chosen(board, "naive")["name"] == "linear"
    by_wape = chosen(board, "naive", metric="wape")
    assert by_wape["name"] == "naive" and "5.0 % worse (WAPE 0.210 against 0.200)" in by_wape["reason"]
    assert by_wape["metric_choice"] == {"naive": 0.20, "linear": 0.21}


@pytest.mark.parametrize(("champion", "held_out"), [(None, 0.7), ("linear", 0.9), ("naive", 0.7)])
def test_the_held_out_cutoffs_can_only_veto(champion, held_out):
    """Equal to the seasonal naive is not better; that naive is better still on them does not make it champion."""
    scores = {"naive": 0.2, "seasonal_naive": 0.7, "linear": held_out}
    found = chosen(board_of({"naive": 1.2, "seasonal_naive": 1.0, "linear": 0.8}, scores), champion)
    assert (found["name"], found["verdict"], found["gate_choice"]) == ("seasonal_naive", "vetoed", "seasonal_naive")
    assert found["veto"] == {"model": "linear", "mase_held_out": held_out, "seasonal_naive_mase_held_out": 0.7}
    assert "linear does not beat the seasonal naive" in found["reason"] and "is used instead" in found["reason"]
    assert found["next_best"] == "linear"
    better = chosen(
        board_of({"seasonal_naive": 1.0, "linear": 0.8, "naive": 1.2}, {**scores, "linear": 0.69}), champion
    )
    assert better["name"] == "linear" and better["veto"] is None


def test_at_a_first_run_the_combination_is_used_and_a_model_as_good_does_not_replace_it():
    mase = {"seasonal_naive": 1.0, "naive": 1.2, "linear": 0.795, "median": 0.796, "weighted": 0.8}
    found = chosen(board_of(mase))
    assert (found["name"], found["verdict"], found["incumbent"], found["challenger"]) == (
        "weighted",
        "first",
        "weighted",
        "linear",
    )
    assert "so weighted is the one to beat" in found["reason"] and "weighted stays: linear" in found["reason"]
    assert rule(found, "improvement_pct")["measured"] == pytest.approx(0.625)
    assert found["next_best"] == "linear" and found["metric_choice"] == pytest.approx(mase)


@pytest.mark.parametrize(("noise", "name"), [(0.002, "linear"), (0.2, "weighted")])
def test_a_single_model_replaces_the_combination_only_beyond_what_luck_gives_the_best_of_many(noise, name):
    """Both lead by 10 % on average: the one at every cutoff, the other now by far and now not at all."""
    others = {f"other_{number}": 1.0 for number in range(6)}
    board = board_of({"seasonal_naive": 1.0, "linear": 0.72, "weighted": 0.8, **others})
    found = chosen(board, noise={"linear": noise, **dict.fromkeys(others, 0.2)})
    assert (found["name"], found["challenger"]) == (name, "linear")
    assert "linear" in found["reason"] and "where luck alone gives the best of 8 models" in found["reason"]
    assert rule(found, "improvement_pct")["measured"] < 10.0


def test_the_combination_takes_the_place_of_a_single_model_as_one_that_was_named_beforehand():
    mase = {"seasonal_naive": 1.0, "naive": 1.2, "linear": 0.83, "weighted": 0.8}
    found = chosen(board_of(mase), "linear", noise={"weighted": 0.02})
    assert (found["name"], found["verdict"], found["incumbent"]) == ("weighted", "promoted", "linear")
    assert "luck" not in found["reason"] and rule(found, "improvement_pct")["measured"] > 1.0
    stays = chosen(board_of({**mase, "weighted": 0.829}), "linear", noise={"weighted": 0.02})
    assert (stays["name"], stays["verdict"]) == ("linear", "kept")


@pytest.mark.parametrize("empty", [{}, {"gone": {"mase": 0.1, "n": 4}}])
def test_for_an_incumbent_without_forecasts_another_stands_in_as_at_a_first_run(empty):
    models = {"seasonal_naive": 1.0, "linear": 0.8, "naive": 1.2, **empty}
    found = chosen(board_of(models), "gone")
    assert (found["name"], found["verdict"], found["incumbent"]) == ("linear", "promoted", "seasonal_naive")
    assert "gone, the champion so far, has no forecasts here" in found["reason"]
    combined = chosen(board_of({**models, "weighted": 0.8}), "gone")
    assert (combined["name"], combined["verdict"], combined["incumbent"]) == ("weighted", "promoted", "weighted")
    none = chosen(board_of({"seasonal_naive": 1.0, "linear": 1.0, "naive": 1.2}), "gone")
    assert (none["name"], none["verdict"]) == ("seasonal_naive", "promoted")


def test_a_person_stands_above_gate_and_veto():
    choice, held_out = (
        {"naive": 1.2, "seasonal_naive": 1.0, "linear": 0.8},
        {"naive": 0.9, "seasonal_naive": 0.7, "linear": 0.5},
    )
    decision = {"name": "naive", "on": "2025-03-01"}
    found = chosen(board_of(choice, held_out), "linear", decision)
    assert (found["name"], found["verdict"], found["gate_choice"]) == ("naive", "chosen_by_person", "linear")
    assert (found["chosen_on"], found["next_best"], found["beats_seasonal_naive"]) == ("2025-03-01", "linear", False)
    assert "chosen by a person on 2025-03-01; the gate would have chosen linear" in found["reason"]
    assert "The gate would have refused naive" in found["reason"]
    vetoed = chosen(board_of(choice, {**held_out, "linear": 0.9}), "linear", {"name": "linear", "on": "2025-03-01"})
    assert (vetoed["name"], vetoed["gate_choice"]) == ("linear", "seasonal_naive")
    assert "so the seasonal naive would be used" in vetoed["reason"] and vetoed["veto"]["model"] == "linear"
    gone = chosen(board_of(choice, held_out), "linear", {"name": "theta", "on": "2025-03-01"})
    assert (gone["name"], gone["verdict"], gone["chosen_on"]) == ("linear", "kept", None)
    assert "theta, chosen by a person on 2025-03-01, is not part of this run" in gone["reason"]


def test_ties_go_to_the_simpler_model():
    equal = {"seasonal_naive": 1.0, **dict.fromkeys(["linear", "zeta", "naive"], 0.9)}
    assert chosen(board_of(equal))["name"] == "naive"
    assert chosen(board_of(equal), order=["zeta", "linear"])["name"] == "zeta"
    assert chosen(board_of({"seasonal_naive": 1.0, "zeta": 0.9, "linear": 0.9}))["name"] == "linear"
    assert chosen(board_of({"linear": 0.9, "naive": 0.9}, {}), "linear", min_improvement_pct=0.0)["name"] == "linear"


def test_a_model_that_lacks_forecasts_is_no_candidate():
    found = chosen(board_of({"seasonal_naive": 1.0, "linear": {"mase": 0.5, "n": 5}, "naive": math.nan}))
    assert found["name"] == "seasonal_naive" and "1 more could not be compared" in found["reason"]
    assert "there is no other model to compare" in found["reason"] and found["next_best"] is None
    assert found["models"] == ORDER


@pytest.mark.parametrize("months", [26, 30, 31])
def test_a_short_history_gets_the_seasonal_naive_and_a_reason(months: int):
    train = company(months)
    table = plan(train["ds"])
    raw = walk_forward(SeasonalNaive(), train, "sales", list(table["cutoff"])) if len(table) else empty_backtest()
    rows = calibrate_backtest(raw, train, "sales", table, False).rows
    board, known = leaderboard(rows, train), losses(scored_rows(rows, train))
    for champion, verdict in ((None, "first"), ("seasonal_naive", "kept"), ("linear", "promoted")):
        found = choose_champion(board, known, table, ORDER, {**NONE, "name": champion}, Gate())
        assert (found["name"], found["verdict"], found["choice_cutoffs"]) == ("seasonal_naive", verdict, [])
        assert "too short" in found["reason"] and found["rules"] == []
        assert found["mase_choice"] is None and found["beats_seasonal_naive"] is False
        assert (found["mase_held_out"] is None) == (months == 26)
    person = {**NONE, "decision": {"name": "linear", "on": "2025-03-01"}}
    assert choose_champion(board, known, table, ORDER, person, Gate())["name"] == "linear"


def test_where_nothing_can_be_measured_the_reason_says_so():
    found = chosen(board_of({"seasonal_naive": math.nan, "linear": math.nan}, {}))
    assert found["name"] == "seasonal_naive" and "Nothing can be measured" in found["reason"]
