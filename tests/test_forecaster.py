"""SalesForecaster: notebook 40's numbers from what is published alone, one series at a time, and champions that come and go."""

import dataclasses
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import models
from forecasting.contracts import BOUNDS, FORECAST_COLUMNS, QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.ledger import NothingPublished, Published, Unknown
from forecasting.models.combination import MedianCombination
from forecasting.registry import store
from forecasting.registry import versions as registry
from forecasting.serving import forecaster
from forecasting.serving.forecaster import SalesForecaster
from forecasting.serving.series_input import SeriesError, checked_series
from forecasting.serving.served_model import Series, ServedModel
from served_company import ServedCompany
from synthetic import series

FAMILIES = ("linear", "lightgbm", "lightgbm_direct", "cnn_lstm", "auto_ets", "weighted")
TEXT = st.text(max_size=8)


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> ServedCompany:
    """A company with a model of every family; the linear one's series and sums are reconciled by projection."""
    found = ServedCompany.made(tmp_path_factory.mktemp("company"))
    found.fit(*FAMILIES)
    found.calibrate("linear", dataclasses.replace(found.calibrations["linear"], reconciliation="ols"))
    return found


@pytest.fixture(scope="module")
def served(company) -> dict[str, ServedModel]:
    """Each model as a forecaster of its folder serves it."""
    return {
        name: SalesForecaster.of_folder(
            company.runs / "models" / name, "sales", company.calibrations[name], company.allow_negative
        ).served
        for name in FAMILIES
    }


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch):
    """Every use looks at the files, though a second has not passed."""
    monkeypatch.setattr(forecaster, "LOOK_EVERY", 0.0)


def notebook_40(company: ServedCompany, root: Path, name: str) -> pd.DataFrame:
    """Execute notebook 40 with a champion and return what it would publish."""
    company.write("champion", {"name": name, "reason": "It was the best.", "models": [name]})
    company.write("facts", {"measure": "net amount"})
    company.write("run", {"domain": "sales", "workspace": "acme", "experiment": "sales", "steps": {}})
    company.fit(*{"seasonal_naive"} - company.fitted.keys())
    space: dict = {}
    names = {"run_dir": str(company.runs), "tracking_dir": str(company.data), "allow_negative": company.allow_negative}
    for cell in json.loads((root / "notebooks" / "40_forecast.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), space)
        if "parameters" in cell["metadata"].get("tags", []):
            space.update(names)
    rows = pd.read_parquet(company.runs / "forecasts.parquet")
    return rows[rows["status"] == "published"].reset_index(drop=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_champion_gives_the_numbers_of_notebook_40_to_the_last_digit(company, root, tmp_path, name):
    """From a copy of data/ alone, at another place: the run folder may be deleted and the project moved."""
    expected = notebook_40(company, root, name)
    run_id = company.publish(name, forecasts=expected)
    moved = shutil.copytree(company.data, tmp_path / "moved")
    serving = SalesForecaster.champion(moved, "sales")
    found = serving.forecast(serving.training_set())
    pd.testing.assert_frame_equal(found, expected[FORECAST_COLUMNS], check_exact=True)
    assert serving.served.origin.run_id == run_id and serving.problem is None
    stored = Published(moved / "published.duckdb").forecasts(run_id, 6)
    assert stored["predicted_value"].tolist() == expected["predicted_value"].tolist()
    by_id = SalesForecaster.of_run(moved, run_id)
    pd.testing.assert_frame_equal(by_id.forecast(by_id.training_set()), found, check_exact=True)


HISTORIES = {
    "usual": [100.0 + 3.0 * month + 20.0 * (month % 12 == 11) for month in range(40)],
    "both signs": [(-1.0) ** month * (50.0 + month) for month in range(30)],
    "falling to nothing": [max(0.0, 400.0 - 12.0 * month) for month in range(36)],
    "constant": [7.0] * 30,
    "zeros": [0.0] * 30,
    "ended": [5.0] * 20 + [0.0] * 12,
    "too short": [10.0, 12.0, 11.0],
    "one month": [10.0],
    "huge": [1e14 + 1e12 * month for month in range(30)],
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("kind", "allow_negative"), [*((kind, False) for kind in HISTORIES), ("both signs", True)])
def test_one_series_is_forecast_as_a_company_that_has_no_other(served, name, kind, allow_negative):
    """The short way without tables against the long way of notebook 40."""
    model = dataclasses.replace(served[name], allow_negative=allow_negative)
    train = series(HISTORIES[kind])
    long = model.forecast(train, 6).query("aggregation == 'series'").reset_index(drop=True)
    short = model.forecast_series([checked_series(train["ds"].dt.strftime("%Y-%m").tolist(), train["y"].tolist())], 6)[
        0
    ]
    assert short.months.tolist() == long["ds"].to_numpy().tolist()
    assert short.points.tolist() == long["predicted_value"].tolist()
    for bound, quantile in BOUNDS.items():
        assert short.quantiles[:, QUANTILE_COLUMNS.index(quantile)].tolist() == long[bound].tolist()
    assert short.is_fallback == long["is_fallback"].all() == long["is_fallback"].any()
    assert short.interval_n.tolist() == long["interval_n"].tolist()
    assert short.interval_pool.tolist() == long["interval_pool"].tolist()


def test_every_family_gives_each_series_of_many_the_bits_it_has_alone(served, company):
    company.fit("seasonal_naive")
    quick = {model.name for family in models.families() for model in models.family_models(family) if model.quick}
    assert quick == {"linear", "naive", "seasonal_naive", "tsb"}
    folder = SalesForecaster.of_folder(
        company.runs / "models" / "seasonal_naive", "sales", company.calibrations["seasonal_naive"]
    )
    plain = {"linear": served["linear"], "seasonal_naive": folder.served}
    costly = {name: served[name] for name in FAMILIES if name != "linear"}
    members = served["weighted"].model.members
    costly["median"] = dataclasses.replace(served["weighted"], model=MedianCombination(members))
    for found, examples, most in ((plain, 15, 64), (costly, 4, 9)):
        kinds = st.just(found), st.integers(0, 2**32 - 1), st.integers(2, most), st.integers(12, 40), st.integers(1, 6)

        @settings(max_examples=examples)
        @given(*kinds)
        def check(found: dict[str, ServedModel], seed: int, many: int, months: int, horizon: int) -> None:
            rng = np.random.default_rng(seed)
            values = rng.normal(rng.normal(size=(many, 1)), 1.0, (many, months))
            values *= 10.0 ** rng.integers(-3, 9, (many, 1))
            values[rng.random((many, months)) < 0.05] = 0.0
            values[0] = 0.0
            asked = [Series(row, int(last)) for row, last in zip(values, rng.integers(500, 700, many), strict=True)]
            for name, model in found.items():
                for together, one in zip(model.forecast_series(asked, horizon), asked, strict=True):
                    alone = model.forecast_series([one], horizon)[0]
                    assert together.quantiles.tobytes() == alone.quantiles.tobytes(), name
                    assert together.is_fallback == alone.is_fallback and np.array_equal(together.months, alone.months)

        check()


def test_threads_do_not_disturb_each_other(served, company):
    rng = np.random.default_rng(1)
    asked = [(name, Series(rng.normal(100.0, 20.0, 48), 640 + turn)) for turn in range(4) for name in FAMILIES]
    alone = [served[name].forecast_series([one], 6)[0] for name, one in asked]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda each: served[each[0]].forecast_series([each[1]], 6)[0], asked))
    for one, other in zip(alone, together, strict=True):
        assert one.quantiles.tobytes() == other.quantiles.tobytes()


def test_a_combination_needs_what_its_least_demanding_member_does(served):
    assert served["weighted"].min_history == 13 and served["weighted"].window_size is None
    short, enough = (Series(np.arange(1.0, months + 1.0), 640) for months in (12, 13))
    assert served["linear"].forecast_series([short], 6)[0].is_fallback
    assert not served["weighted"].forecast_series([enough], 6)[0].is_fallback


def test_a_folder_without_calibration_has_the_models_own_quantiles(company):
    point = SalesForecaster.of_folder(company.runs / "models" / "linear", "sales").forecast_series(
        [f"{2020 + month // 12}-{month % 12 + 1:02d}" for month in range(36)], [100.0 + month for month in range(36)], 3
    )
    assert (point.quantiles == point.points[:, None]).all() and point.interval_n.tolist() == [0, 0, 0]
    wide = SalesForecaster.of_folder(company.runs / "models" / "cnn_lstm", "sales").forecast_series(
        ["2024-01"] + [f"2024-{month:02d}" for month in range(2, 13)] + ["2025-01"],
        [float(month) for month in range(1, 14)],
        3,
    )
    assert (wide.quantiles[:, 0] < wide.quantiles[:, -1]).all()
    with pytest.raises(UserError, match="no training set"):
        SalesForecaster.of_folder(company.runs / "models" / "linear", "sales").training_set()


# --- which model is in force


def test_a_new_champion_is_picked_up_and_who_has_begun_goes_on(company):
    company.publish("linear")
    serving = SalesForecaster.champion(company.data, "sales")
    before, train = serving.served, serving.training_set()
    expected = before.forecast(train, 6)
    assert serving.served is before  # loaded once
    second = company.publish("lightgbm")
    assert serving.served.name == "lightgbm" and serving.served.origin.run_id == second
    pd.testing.assert_frame_equal(before.forecast(train, 6), expected, check_exact=True)


def test_a_promotion_moves_the_alias_alone(company):
    run_id = company.publish("linear")
    serving = SalesForecaster.champion(company.data, "sales")
    assert serving.served.name == "linear"
    company.register("auto_ets", run_id)
    assert serving.served.name == "auto_ets" and serving.served.origin.run_id == run_id
    assert SalesForecaster.of_run(company.data, run_id).served.name == "linear"


def test_the_same_model_published_again_is_kept(company):
    run_id = company.publish("linear")
    serving = SalesForecaster.champion(company.data, "sales")
    model, at = serving.served.model, serving.served.origin.published_at
    company.publish("linear", run_id)
    assert serving.served.model is model and serving.served.origin.published_at > at


DAMAGE = {
    "a missing folder": ("linear", "", None, "is missing: .* holds no saved model"),
    "half a model.json": ("linear", "model.json", lambda text: text[: len(text) // 2], "is damaged"),
    "weights of another size": ("linear", "model.json", lambda text: text.replace(b"weights", b"weight"), "is damaged"),
    "half a model.ckpt": (
        "cnn_lstm",
        "model.ckpt",
        lambda text: text[: len(text) // 2],
        "model.ckpt or normalization.json",
    ),
    "no normalization.json": ("cnn_lstm", "normalization.json", None, "model.ckpt or normalization.json"),
    "a set of trees that is gone": ("lightgbm_direct", "size.txt", None, "is damaged|is missing"),
    "trees that are none": ("lightgbm", "model.txt", lambda text: b"trees\n" + text[200:900], "is damaged"),
    "a member that is not there": ("weighted", "members/auto_ets/model.json", None, "is missing"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_model_is_named_and_the_one_before_goes_on(company, kind):
    name, file, spoil, words = DAMAGE[kind]
    company.publish("linear" if name != "linear" else "auto_ets")
    serving = SalesForecaster.champion(company.data, "sales")
    before = serving.served
    run_id = company.publish(name)
    folder = registry.champion(company.data, "sales").folder
    kept = shutil.copytree(folder, company.runs / "kept", dirs_exist_ok=False)
    try:
        damage(folder / file, spoil)
        assert serving.served is before
        with pytest.raises(UserError, match=words):
            raise serving.problem
        with pytest.raises(UserError, match=words):
            SalesForecaster.champion(company.data, "sales").served  # noqa: B018
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder)
        assert serving.served.origin.run_id == run_id and serving.problem is None
    finally:
        shutil.rmtree(kept)


def damage(path: Path, spoil) -> None:
    """Remove a file or folder, or spoil its content."""
    if spoil is not None:
        path.write_bytes(spoil(path.read_bytes()))
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def test_what_broke_is_tried_again_though_no_file_has_changed(company, monkeypatch):
    company.publish("linear")
    serving = SalesForecaster.champion(company.data, "sales")
    with monkeypatch.context() as patch:
        patch.setattr("forecasting.registry.champion", lambda *_: 1 / 0)
        with pytest.raises(UserError, match="could not be loaded .ZeroDivisionError"):
            serving.served  # noqa: B018
    with pytest.raises(UserError):
        serving.served  # noqa: B018
    monkeypatch.setattr(forecaster, "TRY_AGAIN", 0.0)
    assert serving.served.name == "linear"


def test_nothing_published_is_said_in_words(company, tmp_path):
    with pytest.raises(NothingPublished, match="Nothing has been published yet"):
        SalesForecaster.champion(tmp_path / "none", "sales").served  # noqa: B018
    company.publish("linear")
    with pytest.raises(NothingPublished, match="Nothing of profit has been published yet"):
        SalesForecaster.champion(company.data, "profit").served  # noqa: B018
    with pytest.raises(Unknown, match="There is no run sales-2001"):
        SalesForecaster.of_run(company.data, "sales-2001").served  # noqa: B018
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(company.data / "published.duckdb", bare)
    with pytest.raises(UserError, match=r"mlflow\.db is not there yet"):
        SalesForecaster.champion(bare, "sales").served  # noqa: B018
    assert not (bare / "mlflow.db").exists()  # asking makes nothing


def test_a_run_from_before_calibrations_were_published_asks_for_another(company):
    rows, kept = company.forecasts("linear").rows, company.calibrations
    company.calibrations = {}
    try:
        company.publish("linear", forecasts=rows)
    finally:
        company.calibrations = kept
    with pytest.raises(UserError, match="without the calibration of linear: run `make report` once more"):
        SalesForecaster.champion(company.data, "sales").served  # noqa: B018


def test_asking_changes_nothing_of_mlflows_own_state(company):
    company.publish("linear")
    store.open_store(company.data, "profit")
    before = mlflow.get_tracking_uri(), (company.data / "mlflow.db").read_bytes()
    assert SalesForecaster.champion(company.data, "sales").served
    assert (mlflow.get_tracking_uri(), (company.data / "mlflow.db").read_bytes()) == before


# --- what was published


def test_published_forecasts_of_a_day_are_those_in_force_at_its_end(company):
    published = Published(company.data / "published.duckdb")
    runs = [company.publish(name) for name in ("linear", "lightgbm")]
    first = published.run(runs[0]).published_at
    assert first.tzinfo is not None and published.in_force_of("sales") == runs[1]
    assert published.in_force_of("sales", first.date()) == runs[0]
    with pytest.raises(NothingPublished, match="Nothing of sales had been published by 2001-01-01"):
        published.in_force_of("sales", pd.Timestamp("2001-01-01").date())


def test_an_unknown_region_or_category_lists_those_there_are(company):
    run_id = company.publish("linear")
    published = Published(company.data / "published.duckdb")
    with pytest.raises(Unknown, match=r"There is no region 'Nord'; there are All, R0, R1\."):
        published.forecasts(run_id, 6, region="Nord")
    with pytest.raises(Unknown, match=r"There is no category 'Bikes'; there are All, C0, C1, C2\."):
        published.forecasts(run_id, 6, category="Bikes")
    with pytest.raises(Unknown, match="There is no domain 'x; drop table runs'"):
        published.training_set("x; drop table runs")


# --- a series that somebody brings


def test_months_may_be_written_in_either_way():
    expected = checked_series(["2024-11", "2024-12", "2025-01"], [1.0, 2, np.float32(3.0)])
    assert expected.last == 12 * 55 and expected.values.tolist() == [1.0, 2.0, 3.0]
    for months in (["2024-11-01", "2024-12-01", "2025-01-01"], ["2024-11", "2024-12-01", "2025-01"]):
        found = checked_series(months, [1.0, 2.0, 3.0])
        assert (found.values.tolist(), found.last) == (expected.values.tolist(), expected.last)


@pytest.mark.parametrize(
    ("months", "values", "where", "words"),
    [
        ([], [], "history", "is empty"),
        (["2024-01"], [1.0, 2.0], "months", "1 months for 2 values"),
        (["2024-01", "2024-01"], [1.0, 2.0], "months.1", "2024-01 stands there twice"),
        (["2024-01", "2024-01-01"], [1.0, 2.0], "months.1", "2024-01-01 stands there twice"),
        (["2024-01", "2024-03"], [1.0, 2.0], "months.1", "1 month is missing between 2024-01 and 2024-03"),
        (["2023-01", "2024-01"], [1.0, 2.0], "months.1", "11 months are missing"),
        (["2024-02", "2024-01"], [1.0, 2.0], "months.1", "2024-01 comes after 2024-02"),
        (["2024-01-15"], [1.0], "months.0", "'2024-01-15' is no month"),
        (["2024-13"], [1.0], "months.0", "is no month"),
        (["2024-01\n"], [1.0], "months.0", "is no month"),
        (["2024-01", "2024-00"], [1.0, 2.0], "months.1", "is no month"),
        ([202401], [1.0], "months.0", "202401 is no month"),
        ([["2024-01"]], [1.0], "months.0", "is no month"),
        (["2024-01", "2024-02"], [1.0, float("nan")], "history.1", "nan is no usable number"),
        (["2024-01"], [float("inf")], "history.0", "inf is no usable number"),
        (["2024-01"], ["1"], "history.0", "'1' is no usable number"),
        (["2024-01"], [None], "history.0", "None is no usable number"),
        (["2024-01"], [True], "history.0", "True is no usable number"),
        (["2024-01"], [10**400], "history.0", "is no usable number"),
        (["2024-01"], [-2e15], "history.0", "at most 1e"),
    ],
)
def test_a_faulty_series_is_refused_with_the_place_and_what_is_wrong(months, values, where, words):
    with pytest.raises(SeriesError, match=words) as found:
        checked_series(months, values)
    assert found.value.where == where


@given(st.lists(st.one_of(TEXT, st.integers(), st.none(), st.from_regex(r"\A20[0-9]{2}-[01][0-9]\Z")), max_size=5),
       st.lists(st.one_of(st.floats(), st.integers(), TEXT, st.booleans(), st.none()), max_size=5))  # fmt: skip
def test_whatever_is_brought_is_a_series_or_refused(months, values):
    try:
        found = checked_series(months, values)
    except SeriesError:
        return
    assert np.isfinite(found.values).all() and len(found.values) == len(months) > 0


def test_the_manifest_holds_the_calibrations_of_the_runs_own_models(company, tmp_path):
    from forecasting.ledger.finished_run import calibrations
    from forecasting.run.folder import RunFolder

    company.write("run", {"domain": "sales", "workspace": "acme", "experiment": "sales", "steps": {}})
    found = calibrations(RunFolder.open(company.runs), ["linear", "cnn_lstm", "never_calibrated"])
    assert found == {
        name: json.loads(json.dumps(company.calibrations[name].to_json())) for name in ("linear", "cnn_lstm")
    }
