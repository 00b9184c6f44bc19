"""The model card: what it says of a model is what the run wrote down, for every kind of model and every kind of run."""

import json
import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from forecasting import models, tables
from forecasting.contracts import AGGREGATIONS, DOMAINS
from forecasting.intervals.reconciliation import METHODS, OF_MANY
from forecasting.ledger import Published
from forecasting.models.boosting import BoostingModel, DirectBoostingModel
from forecasting.models.boosting.changes import lag_features
from forecasting.models.cnn_lstm import CNNLSTMForecastModel
from forecasting.models.combination import MedianCombination, WeightedCombination
from forecasting.models.linear import LinearModel
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.models.statistical import AutoARIMA, AutoCES, AutoETS
from forecasting.report import explanation, intervals_table, model_card
from forecasting.series.buckets import BUCKETS
from forecasting.wording.numbers import SPACE
from report_fixtures import CHAMPION, Company, build, with_manifest
from report_pages import REPORTS, executed
from synthetic import company as training_set
from synthetic import series


def ask(path: Path, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).df()


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace("&nbsp;", " ").replace(SPACE, " ").split())


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    company = Company(domains=("sales", "profit"), regions=("East", "North"), categories=("Bikes", "Parts"))
    return build(tmp_path_factory.mktemp("card") / "published.duckdb", company)


@pytest.fixture
def domain(path):
    return Published(path).domain("sales")


def test_each_domain_has_a_section_that_can_be_linked(path):
    domains = Published(path).domains(AGGREGATIONS)
    page = model_card.sections(domains)
    assert re.findall(r'<h2 id="(\w+)">', page) == list(DOMAINS)
    assert re.findall(r'href="#(\w+)"', model_card.header(domains)) == ["sales", "profit"]
    assert "No facts came in" in page.split('id="inventory"')[1].split("<h2")[0]


def test_the_models_are_compared_by_the_databases_figures(path, domain):
    rows = ask(
        path,
        """select model_name, max(mase) filter (evaluation_set = 'choice' and aggregation = 'series') as choice,
                  max(mase) filter (evaluation_set = 'held_out' and aggregation = 'series') as held_out,
                  max(masc) filter (evaluation_set = 'held_out' and aggregation = 'series') as masc,
                  max(wape) filter (evaluation_set = 'held_out' and aggregation = 'total') as total
           from forecast_accuracy where domain = 'sales' and forecast_kind = 'walk_forward' and horizon_group = 'all'
           group by all order by choice""",
    )
    naive = rows.set_index("model_name").loc["seasonal_naive", "held_out"]
    text = text_of(model_card.compared(domain)).replace("(champion) ", "")
    places = []
    for row in rows.to_dict("records"):
        gain = 100 * (1 - row["held_out"] / naive)
        shown = "0" if round(gain) == 0 else f"{gain:+,.0f}".replace("-", "−")
        name = row["model_name"].replace("_", " ")
        line = (
            f"{name} {row['choice']:.3f} {row['held_out']:.3f} {row['masc']:.2f} {shown} % {100 * row['total']:.1f} %"
        )
        assert line in text
        places.append(text.index(line))
    assert places == sorted(places)
    assert "better by more than luck" in text and "is last year" in text and "not tested" in text
    assert f"<strong>{CHAMPION}</strong> (champion)" in model_card.compared(domain)


def test_without_a_back_test_nothing_is_compared(tmp_path):
    short = Company(domains=("sales",), walk_forward=False, months=20)
    path = build(tmp_path / "p.duckdb", short)
    page = text_of(model_card.sections(Published(path).domains(AGGREGATIONS)))
    assert "nothing was compared" in page and "Cutoffs that chose no back-test" in page


def test_a_veto_and_a_persons_choice_are_on_the_card(path, domain):
    veto = {"model": "linear", "mase_held_out": 1.25, "seasonal_naive_mase_held_out": 1.0}
    vetoed = with_manifest(domain, champion={"name": "seasonal_naive", "verdict": "vetoed", "veto": veto})
    assert "MASE 1.25 against 1.00" in text_of(model_card.section("sales", vetoed))
    chosen = {"name": "linear", "verdict": "chosen_by_person", "chosen_on": "2026-11-22", "gate_choice": "naive"}
    text = text_of(model_card.section("sales", with_manifest(domain, champion=chosen)))
    assert "chosen by a person on 22 November 2026" in text and "the gate would have chosen naive" in text


def test_the_training_span_and_the_cutoffs_are_the_databases(path, domain):
    actuals = ask(
        path, "select min(ds) as a, max(ds) as b, count(distinct ds) as n from monthly_actuals where domain = 'sales'"
    )
    row = actuals.iloc[0]
    text = text_of(model_card.learned_from(domain))
    assert f"{row['a']:%B %Y} to {row['b']:%B %Y} ({row['n']})" in text and "Series 4 " in text
    assert "2 regions, 2 categories, the total" in text


def test_settings_are_those_of_the_champion(path, domain):
    params = {"linear_penalties": [10.0, 1.0], "boosting_trees": 400, "horizon": 6, "currency": "EUR"}
    text = text_of(model_card.set_to(with_manifest(domain, params=params)))
    assert "linear_penalties [10.0, 1.0]" in text and "horizon 6" in text
    assert "boosting" not in text and "currency" not in text
    assert model_card.set_to(with_manifest(domain, params={})) == ""


def test_the_errors_behind_the_intervals_are_counted(path):
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """update forecasts set interval_pool = aggregation || ', horizons ' || case when horizon < 4 then '1-3' else '4-6' end,
                      interval_n = case when horizon < 4 then 120 else 45 end"""
        )
    found = text_of(intervals_table.pool_table(Published(path).domain("sales")))
    for level, words in (("Total", "the total"), ("Regions", "regions"), ("Single series", "single series")):
        assert f"{level} 1 to 3 {words}, 1 to 3 months ahead 120" in found
        assert f"{level} 4 to 6 {words}, 4 to 6 months ahead 45" in found
    assert intervals_table.pool_words("sums, all horizons") == "all sums, all horizons"
    assert intervals_table.pool_words("total, seasonal naive errors in the history").startswith(
        "the total, seasonal naive"
    )


def test_the_reconciliation_is_said_in_words_for_every_method(domain):
    assert set(intervals_table.METHODS) == set(tables.RECONCILIATIONS) == {*METHODS, *OF_MANY}
    text = text_of(intervals_table.sums(domain))
    assert "moved to the nearest ones that add up, each counting alike" in text
    assert "adding up the series 0.840; nearest, all alike 0.810; nearest, by number of series 0.830" in text
    assert "3 intervals were cut at zero" in text
    unknown = with_manifest(domain, explanation=None)
    assert "did not note by which method" in text_of(intervals_table.sums(unknown))


def test_the_limits_name_fallbacks_ended_series_and_few_errors(domain):
    text = text_of(model_card.limits(domain))
    assert "no promotions, price changes" in text and "resemble the past" in text and "6 months ahead" in text
    assert "1 of 4 series has ended" in text and "fallback" not in text and "Below 39" not in text
    assert "No published forecast has met its month" in text
    domain.future.loc[domain.future["unique_id"].isin(["East/Bikes", "North/Parts"]), "is_fallback"] = True
    domain.pools["n"] = 12
    young = {"tables": {"series": [{"status": "short"}, {"status": "short"}]}}
    text = text_of(model_card.limits(with_manifest(domain, check=young)))
    assert "2 of 4 series rest on a fallback" in text and "12 errors only" in text
    assert "2 of 4 series have less than two years" in text and "ended:" not in text


def test_the_manifest_and_the_seconds_are_at_the_end(path, domain):
    text = text_of(model_card.section("sales", domain))
    for word in ("sales-2023-12-0123456789", "9f2c" * 16, "abc123", "Seconds per step", "30 1.5", "All 1.5"):
        assert word in text


def test_a_run_that_wrote_nothing_down_says_so(path, domain):
    silent = with_manifest(domain, explanation=None, seconds=None, tests=None)
    text = text_of(model_card.section("sales", silent))
    assert "did not write down what the model learned" in text and "Seconds per step" not in text


# --- what is inside: the models' own explanations, as they are fitted, saved, loaded and shown


SMALL_NETWORK = {"networks": 2, "steps": 50, "horizon": 6, "sequence": 12, "channels": 4, "hidden": 4, "batch": 64}


def fitted(kind: type, train: pd.DataFrame) -> models.Model:
    settings = {CNNLSTMForecastModel: SMALL_NETWORK, BoostingModel: {"trees": 20}}.get(kind, {})
    return kind(**settings).fit(train)


def weighted(train: pd.DataFrame) -> WeightedCombination:
    model = WeightedCombination([fitted(kind, train) for kind in (AutoCES, BoostingModel)])
    rows = {bucket: {"auto_ces": 0.25, "lightgbm": 0.75} for bucket in BUCKETS} | {
        "4-6": {"auto_ces": 0.4, "lightgbm": 0.6}
    }
    model.learned = pd.DataFrame.from_dict(rows, orient="index").rename_axis("bucket")
    return model


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return pd.concat(
        [training_set(48, regions=2, categories=2), series(np.full(48, 5.0), "A/constant")], ignore_index=True
    )


KINDS = [Naive, SeasonalNaive, LinearModel, BoostingModel, AutoETS, AutoCES, CNNLSTMForecastModel]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_explanation_is_small_json_the_same_each_time_and_survives_saving(kind, train, tmp_path):
    model, again = fitted(kind, train), fitted(kind, train)
    found = model.explanation()
    text = json.dumps(found, allow_nan=False, sort_keys=True)
    assert text == json.dumps(again.explanation(), sort_keys=True) and len(text) < 10_000
    model.save(tmp_path)
    assert models.load(tmp_path).explanation() == found
    page = explanation.inside(kind.name, json.loads(text), 6)
    assert page and not re.search(r"\b(nan|none|null)\b", text_of(page), re.I)


def test_coefficients_are_the_models_largest_first(train):
    model = fitted(LinearModel, train)
    table = model.coefficients().pivot(index="feature", columns="horizon", values="coefficient")
    text = text_of(explanation.inside("linear", model.explanation(), 6))
    order = table.abs().sum(axis=1).sort_values(ascending=False)
    for name in order.index[:5]:
        row = " ".join(
            f"{value:+.3f}".replace("-", "−") if round(value, 3) else "0.000" for value in table.loc[name].round(4)
        )
        assert f"{explanation.feature(name)} {row}" in text
    first, second = (text.index(f" {explanation.feature(name)} ") for name in order.index[:2])
    assert first < second
    best = model.search[model.search["chosen"]].iloc[0]
    assert f"penalty of {best['penalty']:,.0f}" in text


@pytest.mark.parametrize("kind", [BoostingModel, DirectBoostingModel])
def test_importances_add_up_and_the_largest_comes_first(train, kind):
    model = fitted(kind, train)
    table = model.importances()
    text = text_of(explanation.inside(kind.name, model.explanation(), 6))
    words = [explanation.feature(name) for name in table["feature"]]
    assert not {name.replace("_", " ") for name in table["feature"]} & set(words) and len(set(words)) == len(words)
    assert not any(re.search(r"\b(1 (months|years)|0 )", one) for one in words)
    top = table.iloc[0]
    assert f"Importance {explanation.feature(top['feature'])} {100 * round(top['importance'], 4):.1f} %" in text
    assert sum(model.explanation()["importances"].values()) == pytest.approx(1, abs=0.01)
    untrained = fitted(kind, series([1.0, 2.0, 3.0]))
    assert "No trees were grown" in explanation.inside(kind.name, untrained.explanation(), 6)


def test_the_methods_of_single_series_are_counted(train):
    model = fitted(AutoETS, train)
    methods = model.explanation()["methods"]
    assert sum(methods.values()) == train["unique_id"].nunique() and methods["constant"] == 1
    names = [one.model.model_["method"] for one in model.estimates.values()]
    assert {name: names.count(name) for name in names} == {k: v for k, v in methods.items() if k != "constant"}
    text = text_of(explanation.inside("auto_ets", {"methods": methods}, 6))
    assert "no change: the last month, repeated 1 " in text and "Ad a damped trend" in text
    assert AutoARIMA.method({"arma": (1, 2, 0, 1, 12, 1, 1)}) == "ARIMA(1,1,2)(0,1,1)[12]"
    assert AutoARIMA.method({"arma": (0, 1, 0, 0, 1, 0, 0)}) == "ARIMA(0,0,1)"


def test_weights_are_shown_as_far_as_the_forecast_reaches(train, tmp_path):
    model = weighted(train)
    model.save(tmp_path)
    found = models.load(tmp_path).explanation()
    text = text_of(explanation.inside("weighted", json.loads(json.dumps(found, sort_keys=True)), 6))
    assert "Model 1 to 3 months ahead 4 to 6 months ahead LightGBM 75.0 % 60.0 % AutoCES 25.0 % 40.0 %" in text
    assert "7 to 12" not in text and "Inside it: LightGBM" in text and "Importances:" in text and "CES(" in text
    assert "4 to 6" not in text_of(explanation.weights(found, 3))
    median = MedianCombination(model.members).explanation()
    assert "Inside it: AutoCES" in text_of(explanation.inside("median", median, 6))


@pytest.mark.parametrize(
    ("variant", "says"), [("zero_shot", "it has learned nothing"), ("fine_tuned", "went on learning for 5 steps")]
)
def test_what_was_done_with_the_network_that_comes_with_the_project_is_said(train, variant, says):
    model = CNNLSTMForecastModel(variant=variant, tuning_steps=5).fit(train)
    text = text_of(explanation.inside("cnn_lstm", json.loads(json.dumps(model.explanation())), 6))
    assert "has learned from public and made monthly series" in text and says in text


def test_the_training_of_a_network_is_shown(train):
    model = CNNLSTMForecastModel(variant="from_scratch", networks=2, steps=100, channels=4, hidden=4, batch=64).fit(
        train
    )
    text = text_of(explanation.inside("cnn_lstm", model.explanation(), 6))
    for seed, curve in model.curve.groupby("seed"):
        checked = curve.dropna(subset=["validation_loss"])
        best = checked.loc[checked["validation_loss"].idxmin()]
        losses = (best["validation_loss"], curve["training_loss"].iloc[-1])
        validation, training = (f"{round(loss, 4):.3f}" for loss in losses)  # a model card keeps four places
        line = f"{seed} {curve['step'].max()} {best['step']} {validation} {training}"
        assert line in text


def test_every_feature_has_words(train):
    """Also one that is new: its name without underscores."""
    names = list(fitted(LinearModel, train).names) + [column for column in lag_features().ts.transforms]
    words = [explanation.feature(name) for name in names]
    assert not any("_" in text for text in words) and len(set(words)) == len(set(names))
    assert explanation.feature("month_03_growth") == "March, in % of last year"
    assert explanation.feature("growth_1m") == "growth on the year over the last month"
    assert explanation.feature("brand_new") == "brand new"


def test_baselines_have_nothing_inside():
    assert "nothing to learn" in explanation.inside("seasonal_naive", {}, 6)
    assert "did not write down" in explanation.inside("linear", {}, 6)


def test_the_page_executed_twice_has_the_same_outputs(path):
    first, second = (executed(REPORTS / "model_card.ipynb", published=str(path)) for _ in range(2))
    assert [cell.get("outputs") for cell in first.cells] == [cell.get("outputs") for cell in second.cells]
