"""What people read in MLflow: names, notes, descriptions, and the few metrics by which they compare."""

from dataclasses import replace

import mlflow
import pandas as pd
import pytest

from forecasting import evaluation
from forecasting.evaluation import plan_cutoffs
from forecasting.models.linear import LinearModel
from forecasting.models.naive import SeasonalNaive
from forecasting.registry import store, tracking, versions, words
from forecasting.run import Champion, Manifest, Rule, RunFolder
from synthetic import company

NAMES = ("linear", "seasonal_naive")


@pytest.fixture(scope="module")
def logged(tmp_path_factory) -> dict[str, mlflow.entities.Run]:
    """What a run logs of two models and of their comparison, published with the linear one as champion: by what it made."""
    place = tmp_path_factory.mktemp("logged")
    train = company(48)
    run = RunFolder(
        place / "run", "sales", "acme", "sales", {"20_train_x": "1", "30_evaluate": "2", "40_forecast": "3"}
    )
    run.path.mkdir()
    run.write_table("train_sales", train)
    run.write_table("cutoffs", plan_cutoffs(train["ds"], n_calibration=0))
    store.prepare_store(place / "data")
    made = {
        model.name: evaluation.back_test(model, train, "sales", run.cutoffs(), allow_negative=False)
        for model in (LinearModel(penalties=[100.0]), SeasonalNaive())
    }
    for name, back_test in made.items():
        run.write_backtest(name, back_test)
        scores = evaluation.measure(back_test.rows, train).by_cutoff
        settings = {"penalty": 100.0, "horizon": 24}  # networks look further than is ever forecast
        tracking.log_step(run, place / "data", "20_train_x", name, settings, scores)
    board = evaluation.judge(map(run.calibrated, NAMES), run.calibrated("seasonal_naive"), train).leaderboard
    metrics = evaluation.leaderboard_metrics(board, "linear")
    tracking.log_step(run, place / "data", "30_evaluate", "evaluation", {}, metrics, tables={"leaderboard": board})
    ahead = pd.DataFrame({"metric": ["forecast_total_h1"], "value": [1.0]})
    tracking.log_step(run, place / "data", "40_forecast", "forecast", {"horizon": 3}, ahead)
    ids = {name: run.read_json(f"tracking/{name}")["mlflow_run_id"] for name in (*NAMES, "evaluation", "forecast")}
    champion = Champion("linear", list(NAMES), "kept", "linear stays: seasonal_naive is 5 % worse.", incumbent="linear",
                        metric="mase", metric_choice={"linear": 0.8, "seasonal_naive": 1.0}, next_best="seasonal_naive")  # fmt: skip
    seconds = {"20_train_x": 4.5, "30_evaluate": 2.0, "40_forecast": 1.0}
    manifest = Manifest(
        "sales-2023-12-01-abc", workspace="acme", cutoff="2023-12-01", champion=champion, seconds=seconds
    )
    for _ in range(2):  # published twice, it says the same
        versions.mark_runs(place / "data", "sales", ids, manifest)
    client = store.open_store(place / "data", "sales")
    return {name: client.get_run(mlflow_run) for name, mlflow_run in ids.items()}


def test_a_run_is_called_by_what_made_it_and_what_it_forecasts(logged):
    assert {name: run.info.run_name for name, run in logged.items()} == {
        "linear": "linear: sales, January 2024 to June 2024",
        "seasonal_naive": "seasonal naive: sales, January 2024 to June 2024",
        "evaluation": "all models compared: sales, January 2024 to June 2024",
        "forecast": "forecast: sales, January 2024 to March 2024",
    }


def test_people_compare_twenty_metrics_that_models_and_their_comparison_share(logged):
    model, comparison = (set(logged[name].data.metrics) for name in ("linear", "evaluation"))
    assert len(model) == len(comparison) == 20
    assert model - comparison == {"mase"} and comparison - model == {"held_out_masc"}
    wanted = {"mase", "wape", "mae", "bias", "coverage_80", "coverage_95", "scaled_crps", "mase_seasonal_naive"}
    assert {f"{part}_{name}" for part in ("choice", "held_out") for name in wanted} < model
    for name in (model & comparison) - {"seconds"}:
        assert logged["linear"].data.metrics[name] == pytest.approx(logged["evaluation"].data.metrics[name]), name
    naive = logged["seasonal_naive"].data.metrics
    assert naive["held_out_mase"] == pytest.approx(naive["held_out_mase_seasonal_naive"])
    assert {name: run.data.metrics["seconds"] for name, run in logged.items()} == {
        "linear": 4.5, "seasonal_naive": 4.5, "evaluation": 2.0, "forecast": 1.0,
    }  # fmt: skip


def test_nothing_is_lost_beside_them(logged):
    run = logged["linear"]
    client = mlflow.MlflowClient()
    history = client.get_metric_history(run.info.run_id, "mase")
    assert sorted(each.step for each in history) == [202301, 202302, 202303, 202304, 202305, 202306]
    assert len(client.get_metric_history(run.info.run_id, "seconds")) == 1
    table = pd.read_csv(client.download_artifacts(run.info.run_id, "tables/all_scores.csv"))
    assert {"mase_h1", "mase_h6", "rmse_h3", "smape", "mape_h2", "coverage_95_h3"} < set(table["metric"])
    of_first = table[(table["metric"] == "mase") & (table["cutoff"] == "2023-01-01")]["value"]
    assert of_first.tolist() == pytest.approx([each.value for each in history if each.step == 202301])
    board = pd.read_csv(client.download_artifacts(logged["evaluation"].info.run_id, "tables/leaderboard.csv"))
    assert set(board["model_name"]) == set(NAMES)


def test_a_note_says_what_was_forecast_how_good_it_was_and_whether_it_is_used(logged):
    notes = {name: run.data.tags["mlflow.note.content"] for name, run in logged.items()}
    metrics = logged["linear"].data.metrics
    assert notes["linear"].startswith(
        "**Linear**, a regression on the calendar and on earlier months: monthly sales of «acme» for **January 2024 to June 2024**, "
        "from the months January 2020 to December 2023 of 6 series.\n\nOn the past months held out, which chose nothing, its MASE was "
        f"**{metrics['held_out_mase']:.3f}** (less is better)."
    )
    naive = f"Repeating last year (the seasonal naive) had {metrics['held_out_mase_seasonal_naive']:.3f} on the same months."
    assert [notes[name].count(naive) for name in ("linear", "seasonal_naive", "evaluation")] == [1, 0, 1]
    assert (
        "**It is the champion**" in notes["linear"] and "Linear stays: seasonal naive is 5 % worse." in notes["linear"]
    )
    assert (
        "**It is not in use**: the champion is «linear»." in notes["seasonal_naive"]
        and "5 % worse" not in notes["seasonal_naive"]
    )
    assert "The champion is «linear»." in notes["forecast"]
    for note in notes.values():
        assert note.count("### When it was published") == 1
        assert "`runs/acme/report/index.html`" in note and "`make explain RUN=sales-2023-12-01-abc NAME=acme`" in note


RULES = [
    Rule("improvement_pct", -0.3, 1.0, False),
    Rule("bias_loss_pct", 0.2, 10.0, True),
    Rule("stability_loss", 0.9, 0.5, False),
]
CONTEST = Champion(
    "weighted", verdict="kept", incumbent="weighted", challenger="linear", metric="mase", rules=RULES, gate_choice="weighted",
    metric_choice={"weighted": 0.8, "linear": 0.79, "cnn_lstm": 0.9}, next_best="linear",
)  # fmt: skip


@pytest.mark.parametrize(
    ("champion", "name", "why"),
    [
        (CONTEST, "cnn_lstm", "On the cutoffs that choose it has MASE 0.900, «weighted combination» 0.800."),
        (
            CONTEST,
            "linear",
            "On the cutoffs that choose it has MASE 0.790, «weighted combination» 0.800. It challenged «weighted combination» and did not "
            "pass the gate: its lead beyond luck is −0.3 % (at least 1 % is asked) and its forecast of a month moves by 0.9 typical "
            "errors more from month to month (at most 0.5).",
        ),
        (
            replace(CONTEST, name="cnn_lstm", verdict="chosen_by_person", chosen_on="2025-07-02"),
            "weighted",
            "The gate would have chosen it; a person chose «CNN-LSTM» on 2025-07-02.",
        ),
        (
            replace(
                CONTEST,
                name="seasonal_naive",
                gate_choice="seasonal_naive",
                veto={"model": "weighted", "mase_held_out": 1.1, "seasonal_naive_mase_held_out": 1.0},
            ),
            "weighted",
            "It won the contest, but on the cutoffs held out it does not beat the seasonal naive by MASE (1.100 against 1.000).",
        ),
        (
            replace(CONTEST, name="seasonal_naive", metric_choice={"seasonal_naive": 0.9, "cnn_lstm": 0.7}),
            "cnn_lstm",
            "On the cutoffs that choose it has MASE 0.700, «seasonal naive» 0.900. Of many models some look better by luck: once that is "
            "taken off, most was left of «linear», so that one challenged.",
        ),
        (CONTEST, "gone", "It could not be compared on the cutoffs that choose."),
    ],
)
def test_it_is_said_of_each_model_why_it_is_not_in_use(champion, name, why):
    assert words.why_not(champion, name) == why


def test_a_short_history_measures_nothing_and_says_nothing_of_it():
    train = company(20, regions=1)
    cutoffs = plan_cutoffs(train["ds"])
    rows = evaluation.back_test(SeasonalNaive(), train, "sales", cutoffs, allow_negative=False).rows
    shown, tables = tracking.as_shown(evaluation.measure(rows, train).by_cutoff, {})
    assert shown.empty and tables["all_scores"].empty
    span = words.Span.of(train, {})
    assert words.note("sales", "acme", span, "seasonal_naive", {}).endswith(
        "from the months May 2022 to December 2023 of 3 series."
    )
