"""What came due, judged: against loops, on simulated quiet months and on breaks put in by hand."""

import json
import math
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import measure_monitor as made
from dbt_sql import macros, model
from forecasting import __main__ as command
from forecasting import monitor
from forecasting.contracts import BOUNDS, POINT, QUANTILE_COLUMNS
from forecasting.evaluation import metrics
from forecasting.files import write_if_changed
from forecasting.ledger import Published
from forecasting.ledger.publishing import add_verdict, insert
from forecasting.monitor import alerts, changes, signals
from forecasting.monitor.came_due import Due, came_due
from forecasting.monitor.errors import MOST, Errors, breadth
from forecasting.monitor.limits import RULES, Limits, simulate
from forecasting.monitor.verdicts import ASK, OK, RETRAIN, VERDICTS, WATCH, Measure
from forecasting.report import monitoring
from forecasting.run import Manifest, Monitoring, Trained, Workspace
from forecasting.series import NODE
from synthetic import company, series

LAST = pd.Timestamp("2023-12-01")
FILES = ("due.parquet", "quiet.parquet", "known.parquet", "before.json")


# --- signals against loops

errors = st.lists(
    st.one_of(st.none(), st.floats(-100, 100).filter(lambda x: x == 0 or abs(x) > 1e-3)), min_size=1, max_size=12
)


@given(errors)
def test_the_tracking_signal_is_that_of_a_loop_and_of_the_measures(found):
    known = [each for each in found if each is not None]
    signal = float(signals.tracking(np.array([math.nan if each is None else each for each in found])))
    if not any(known):
        assert math.isnan(signal)
        return
    assert signal == pytest.approx(math.fsum(known) / (math.fsum(map(abs, known)) / len(known)), abs=1e-9)
    assert signal == pytest.approx(metrics.tracking_signal(pd.DataFrame({POINT: known, "y": 0.0})), abs=1e-9)


def test_coverage_and_loss_of_a_window_are_those_of_a_loop():
    rng = np.random.default_rng(3)
    rows, naive = due_rows(made.invented(3, 48), rng)
    found = Errors.of(rows, naive)
    assert list(found.months) == sorted(rows["ds"].unique())
    for number, month in enumerate(found.months):
        for ahead in range(1, 7):
            mine = rows[(rows["ds"] == month) & (rows["horizon"] == ahead) & (rows["aggregation"] == "series")]
            if mine.empty:
                assert np.isnan(found.loss[number, ahead - 1])
                continue
            inside = sum(row.lo_80 <= row.actual <= row.hi_80 for row in mine.itertuples())
            missed = sum(abs(row.predicted_value - row.actual) for row in mine.itertuples())
            assert found.inside[0, number, ahead - 1] == pytest.approx(inside / len(mine))
            assert found.loss[number, ahead - 1] == pytest.approx(missed / mine["scale"].sum())
            total = rows[(rows["ds"] == month) & (rows["horizon"] == ahead) & (rows["aggregation"] == "total")].iloc[0]
            error = (total["predicted_value"] - total["actual"]) / total["scale"]
            assert found.total[number, ahead - 1] == pytest.approx(error)


def test_breadth_is_that_of_a_loop_over_the_series_that_both_know():
    rows, naive = due_rows(made.invented(4, 48), np.random.default_rng(4))
    first, *_, last = sorted(rows.loc[rows["aggregation"] == "series", "unique_id"].unique())
    due, quiet = (
        Errors.of(rows[rows["unique_id"] != gone].sample(frac=1.0, random_state=0), naive) for gone in (first, last)
    )
    both = [node for node in due.nodes if node[0] == "series" and node[1] not in (first, last)]
    assert len(both) >= 2
    found = breadth(due, quiet)
    for month in range(len(due.months)):
        for ahead in range(6):
            cut = []
            for node in both:
                usual = max(np.nanmean(np.abs(quiet.of_node(node)[:, sooner])) for sooner in range(ahead + 1))
                cut.append(np.clip(due.of_node(node)[month, ahead] / usual, -MOST, MOST))
            assert found[month, ahead] == pytest.approx(np.mean(cut), nan_ok=True)


def due_rows(train: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the quick model and the seasonal naive said, with bounds of any width."""
    rows = made.walked(train)
    width = rng.uniform(0, 2, len(rows)) * rows["scale"]
    rows = rows.assign(
        **{name: rows["predicted_value"] + (width if name.startswith("hi") else -width) for name in BOUNDS}
    )
    return rows[rows["model_name"] == "quick"], rows[rows["model_name"] == "seasonal_naive"]


# --- the verdict

measure = st.builds(
    Measure,
    code=st.sampled_from(["a", "b", "c"]),
    value=st.one_of(st.none(), st.floats(0, 10)),
    limit=st.one_of(st.none(), st.floats(0, 10)),
    watch=st.one_of(st.none(), st.floats(0, 10)),
    asks=st.sampled_from(VERDICTS[1:]),
    trigger=st.sampled_from(["accuracy", "drift", "new_data", ""]),
    text=st.just("What was found."),
)


@given(st.lists(measure, max_size=6), st.data())
def test_more_never_makes_the_verdict_milder(measures, data):
    before = VERDICTS.index(monitor.verdict(measures)[0])
    assert VERDICTS.index(monitor.verdict([*measures, data.draw(measure)])[0]) >= before
    if measures:
        place = data.draw(st.integers(0, len(measures) - 1))
        if (value := measures[place].value) is not None:
            measures[place] = replace(measures[place], value=value + data.draw(st.floats(0, 10)))
            assert VERDICTS.index(monitor.verdict(measures)[0]) >= before


@given(st.lists(measure, max_size=6))
def test_every_verdict_but_ok_has_a_reason_and_the_gravest_comes_first(measures):
    found, reasons = monitor.verdict(measures)
    assert (found == OK) == (not reasons) and found in VERDICTS
    assert len(reasons) == sum(each.verdict != OK for each in measures)
    assert all(reason["text"] and reason["trigger"] in ("accuracy", "drift", "new_data", "") for reason in reasons)
    assert found == OK or reasons[0]["code"] in {each.code for each in measures if each.verdict == found}


# --- limits


def quiet_errors(rng: np.random.Generator, months: int, draws: int) -> np.ndarray:
    """Errors that carry over to the next month and are alike over the horizons [draws, months, 6]."""
    month = np.stack([made.carried(rng.standard_normal(months), 0.3) for _ in range(draws)])
    return 0.8 * month[:, :, None] + 0.6 * rng.standard_normal((draws, months, 6))


def as_errors(total: np.ndarray, loss: np.ndarray, naive: np.ndarray) -> Errors:
    """Errors [months, 6] of a company of which only the total is known by itself."""
    months = pd.date_range("2020-01-01", periods=len(total), freq="MS")
    nodes = pd.MultiIndex.from_tuples([("total", "All/All")], names=NODE)
    return Errors(months, nodes, total[None], loss, naive, np.full((2, *total.shape), 0.9))


def test_in_quiet_months_the_rules_ask_for_new_models_as_seldom_as_is_stated():
    """100 histories that the limits have not seen: 20 months of back-tests, then a year that came due."""
    rng, stated = np.random.default_rng(8), 2  # months: so often that 100 histories can tell
    total = quiet_errors(rng, 32, 100)
    loss = np.exp(0.2 * quiet_errors(rng, 32, 100))
    naive = 1.3 * np.exp(0.2 * quiet_errors(rng, 32, 100))
    alarms = 0
    for history in zip(total, loss, naive, strict=True):
        taught, due = (as_errors(*(part[months] for part in history)) for months in (slice(20), slice(20, None)))
        limits = simulate(taught, due, stated, draws=200)
        alarms += any(each.verdict == RETRAIN for each in judged(due, taught, limits))
    rate = limits.rate  # of one domain: 1 / (2 months × 3 domains)
    assert rate == pytest.approx(1 / 6)
    assert alarms <= 100 * rate + 3 * math.sqrt(100 * rate * (1 - rate))
    assert alarms > 0 and sum(RULES.values()) == pytest.approx(1)


def judged(due: Errors, quiet: Errors, limits: Limits) -> list[Measure]:
    """The measures of errors that have no rows behind them."""
    row = {
        "aggregation": "total",
        "unique_id": "All/All",
        "ds": LAST,
        "horizon": 1,
        "actual": 1.0,
        "predicted_value": 1.0,
    }
    found = Due(pd.DataFrame([row]), due, quiet)
    from forecasting.monitor import came_due as rules

    each = (rules.level_shift, rules.loss, rules.tracking_signal, rules.worse_than_naive)
    return [measured for rule in each if (measured := rule(found, limits)) is not None]


@pytest.mark.parametrize("what", made.BREAKS[:2])
def test_a_change_of_level_asks_for_new_models_within_three_months(what):
    assert made.found(made.invented(3), what, 104)


def test_without_back_tests_nothing_is_judged():
    rows = made.walked(made.invented(2, 60))
    rows = rows[rows["cutoff"] >= rows["cutoff"].max() - pd.DateOffset(months=3)]
    measures, limits = came_due(Due.of(rows, rows.head(0), "quick", []), 36)
    assert [each.code for each in measures] == ["not_judged"] and limits == {}
    assert came_due(Due.of(rows.head(0), rows.head(0), "quick", []), 36) == ([], {})


def test_after_an_alarm_only_forecasts_of_the_new_models_count():
    rows = made.walked(made.invented(2, 60))
    last = rows["ds"].max()
    alarm = last - pd.DateOffset(months=2)
    found = Due.of(rows, rows, "quick", [f"{alarm:%Y-%m-%d}"])
    assert set(found.rows["cutoff"]) == {alarm, alarm + pd.DateOffset(months=1)}
    assert found.errors.months[0] == alarm + pd.DateOffset(months=1)


# --- what was published before


REASONS = '[{"code": "quiet", "trigger": "", "text": "All is as usual."}]'


def published(place: Workspace, train: pd.DataFrame, cutoffs: list[pd.Timestamp], verdict: str = OK) -> None:
    """Write a published file with a run for each cutoff, as the ledger has them."""
    place.data.mkdir(parents=True, exist_ok=True)
    place.published.unlink(missing_ok=True)
    rows = made.walked(train).assign(domain="sales", interval_pool="", interval_n=40)
    made_of = macros("ledger")
    with duckdb.connect(str(place.published)) as connection:
        for version in (made_of.ledger_version_1, made_of.ledger_version_2, made_of.ledger_version_3):
            connection.execute(version())
        connection.execute(f"create view counted_forecasts as {model('marts/counted_forecasts')}")
        latest = "select domain, run_id from publications qualify published_at = max(published_at) over ()"
        connection.execute(f"create view latest_runs as {latest}")
        known: pd.Series | None = None
        for n, cutoff in enumerate(cutoffs):
            run = f"sales-{cutoff:%Y-%m-%d}-0123456789"
            at = pd.Timestamp("2030-01-01") + pd.DateOffset(days=n)
            told = {"run_id": run, "domain": "sales", "cutoff": cutoff}
            said = rows[rows["cutoff"] == cutoff].assign(run_id=run, model_version="1", prediction_time=at)
            insert(connection, "forecasts", said.drop(columns="actual"))
            past = rows[(rows["cutoff"] < cutoff) & (rows["ds"] <= cutoff)].assign(run_id=run, evaluation_set="choice")
            past = past.assign(**dict.fromkeys(QUANTILE_COLUMNS, past["predicted_value"]))
            insert(connection, "backtests", past[columns(connection, "backtests")])
            facts = {"last_fact": f"{month_end(cutoff):%Y-%m-%d}"}
            manifest = json.dumps({"domain": "sales", "cutoff": f"{cutoff:%Y-%m-%d}", "facts": facts})
            insert(
                connection,
                "runs",
                pd.DataFrame([told | {"champion": "quick", "manifest": manifest, "published_at": at}]),
            )
            insert(connection, "publications", pd.DataFrame([{"domain": "sales", "run_id": run, "published_at": at}]))
            reasons = REASONS.replace('"trigger": ""', '"trigger": "drift"') if verdict == RETRAIN else REASONS
            judged_so = {"verdict": verdict, "reasons": reasons, "measures": "[]", "limits": "{}", "judged_at": at}
            insert(connection, "verdicts", pd.DataFrame([told | judged_so]))
            now = train[train["ds"] <= cutoff].set_index(["unique_id", "ds"])["y"]
            new = now if known is None else now[~now.index.isin(known.index)]
            insert(connection, "actuals", new.reset_index().assign(domain="sales", as_of=month_end(cutoff)))
            known = now


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [name for name, *_ in connection.execute(f"describe {table}").fetchall()]


def month_end(month: pd.Timestamp) -> pd.Timestamp:
    return month + pd.offsets.MonthEnd()


def workspace(folder: Path, train: pd.DataFrame) -> Workspace:
    """A workspace whose training set is built, and nothing is published."""
    place = Workspace(folder, "acme", "csv", "facts")
    run = place.runs / "sales"
    (place.runs / "stamps").mkdir(parents=True)
    run.mkdir()
    train.to_parquet(run / "train_sales.parquet", index=False)
    (run / "run.json").write_text(
        json.dumps({"domain": "sales", "workspace": "acme", "experiment": "sales", "steps": {}})
    )
    write_if_changed(
        run / "facts.json",
        json.dumps({"measure": "net amount", "last_fact": f"{month_end(train['ds'].max()):%Y-%m-%d}"}),
    )
    return place


SETTINGS = {"as_of": None, "currency": None}


@pytest.fixture
def train() -> pd.DataFrame:
    found = company(60, seed=4)
    return found[found["product_category"] != "C2"]  # it begins half-way


def test_before_anything_is_published_there_is_nothing_to_judge(tmp_path, train):
    place = workspace(tmp_path, train)
    monitor.write_before(place, "sales", SETTINGS, True)
    found = assessed(place)
    assert found.verdict == OK and [reason["code"] for reason in found.reasons] == ["nothing_due"]
    assert "nothing has come due yet" in found.reasons[0]["text"].lower()


def assessed(place: Workspace) -> monitor.Assessment:
    from forecasting.run import RunFolder

    return monitor.assess(RunFolder.open(place.runs / "sales"))


@pytest.mark.parametrize("rebuilt", [True, False])
def test_publishing_the_present_month_changes_no_file(tmp_path, train, rebuilt):
    place = workspace(tmp_path, train)
    earlier = [LAST - pd.DateOffset(months=n) for n in (3, 2, 1)]
    published(place, train, earlier)
    monitor.write_before(place, "sales", SETTINGS, True)
    files = [place.runs / "sales" / name for name in FILES]
    before = [(file.stat().st_mtime_ns, file.read_bytes()) for file in files]
    published(place, train, [*earlier, LAST])
    monitor.write_before(place, "sales", SETTINGS, rebuilt)
    assert [(file.stat().st_mtime_ns, file.read_bytes()) for file in files] == before


def test_what_came_due_is_what_was_published_for_earlier_months(tmp_path, train):
    place = workspace(tmp_path, train)
    cutoffs = [LAST - pd.DateOffset(months=n) for n in (3, 1)]
    published(place, train, [*cutoffs, LAST])
    monitor.write_before(place, "sales", SETTINGS, True)
    due = pd.read_parquet(place.runs / "sales" / "due.parquet")
    assert {(row.cutoff, row.horizon) for row in due.itertuples()} == {
        (cutoffs[0], 1),
        (cutoffs[0], 2),
        (cutoffs[0], 3),
        (cutoffs[1], 1),
    }
    y = train.set_index(["unique_id", "ds"])["y"]
    rows = due[due["aggregation"] == "series"]
    assert rows["actual"].to_numpy() == pytest.approx([y[row.unique_id, row.ds] for row in rows.itertuples()])
    total = due[due["aggregation"] == "total"]
    assert total["actual"].to_numpy() == pytest.approx(train.groupby("ds")["y"].sum()[total["ds"]].to_numpy())
    before = json.loads((place.runs / "sales" / "before.json").read_text())
    assert before["run"]["cutoff"] == f"{cutoffs[1]:%Y-%m-%d}" and before["run"]["n_published"] == 2
    assert before["alarms"] == []


def test_of_single_series_the_months_that_are_judged_are_kept(tmp_path, train):
    place = workspace(tmp_path, train)
    cutoffs = [LAST - pd.DateOffset(months=n) for n in (15, 13, 1)]
    published(place, train, cutoffs)
    monitor.write_before(place, "sales", SETTINGS, True)
    due = pd.read_parquet(place.runs / "sales" / "due.parquet")
    came = {level: sorted(set(rows["ds"])) for level, rows in due.groupby("aggregation")}
    assert came["series"][0] == LAST - pd.DateOffset(months=11) and came["series"][-1] == LAST
    assert came["total"][0] == LAST - pd.DateOffset(months=14)


def test_a_sum_that_cannot_be_compared_stays_out_however_old_it_is(tmp_path, train):
    place = workspace(tmp_path, train)
    published(place, train, [LAST - pd.DateOffset(months=n) for n in (15, 13, 1)])
    gap = (train["unique_id"] == "R0/C1") & (train["ds"] == LAST - pd.DateOffset(months=13))
    train[~gap].to_parquet(place.runs / "sales" / "train_sales.parquet", index=False)
    monitor.write_before(place, "sales", SETTINGS, True)
    due = pd.read_parquet(place.runs / "sales" / "due.parquet")
    at_gap = due[due["ds"] == LAST - pd.DateOffset(months=13)]
    assert len(at_gap) and not {"total"} & set(at_gap["aggregation"]) and "R0/All" not in set(at_gap["unique_id"])


def test_a_run_without_back_tests_is_shown_and_not_judged(tmp_path, train):
    place = workspace(tmp_path, train)
    published(place, train, [LAST - pd.DateOffset(months=1), LAST])
    with duckdb.connect(str(place.published)) as connection:
        connection.execute("delete from backtests")
    monitor.write_before(place, "sales", SETTINGS, True)
    assert "not_judged" in set(assessed(place).table["code"])


def test_a_restated_past_keeps_what_was_first_known_and_asks_a_person(tmp_path, train):
    tripled = (train["unique_id"] == "R0/C0") & (train["ds"] <= LAST - pd.DateOffset(months=1))
    other = train.assign(y=train["y"].where(~tripled, 3 * train["y"]))
    place = workspace(tmp_path, other)
    published(place, train, [LAST - pd.DateOffset(months=n) for n in (2, 1)])
    monitor.write_before(place, "sales", SETTINGS, True)
    due = pd.read_parquet(place.runs / "sales" / "due.parquet")
    moved = due[(due["unique_id"] == "R0/C0") & (due["ds"] == LAST - pd.DateOffset(months=1))]
    assert moved["actual"].to_numpy() == pytest.approx(3 * moved["first_known"].to_numpy())
    found = assessed(place)
    measure = next(each for each in found.measures if each.code == "restated")
    recent = train[(train["ds"] > LAST - pd.DateOffset(months=25)) & (train["ds"] <= LAST - pd.DateOffset(months=1))]
    mine = recent[(recent["unique_id"] == "R0/C0")]["y"]
    assert measure.value == pytest.approx(2 * mine.sum() / recent["y"].sum(), rel=1e-9)
    assert found.verdict == (ASK if measure.value > measure.limit else found.verdict)
    assert any(reason["code"] == "restated" for reason in found.reasons)


def test_an_alarm_is_remembered(tmp_path, train):
    place = workspace(tmp_path, train)
    published(place, train, [LAST - pd.DateOffset(months=n) for n in (2, 1)], verdict=RETRAIN)
    monitor.write_before(place, "sales", SETTINGS, True)
    before = json.loads((place.runs / "sales" / "before.json").read_text())
    assert before["alarms"] == ["2023-10-01", "2023-11-01"]


# --- names

BEFORE = {"cutoff": "2023-11-01", "trained": "2023-06-01", "unit": "", "unit_now": ""}


def renamed(train: pd.DataFrame, old: str, new: str, since: str | None) -> pd.DataFrame:
    """A series that bears another name from a month on, the old one being 0 there; without one, in all its months."""
    region, category = new.split("/")
    mine = train["unique_id"] == old
    moved = train[mine & (train["ds"] >= (since or "1900-01-01"))].assign(
        unique_id=new, region=region, product_category=category
    )
    left = train[~mine] if since is None else train.assign(y=train["y"].where(~mine | (train["ds"] < since), 0.0))
    return pd.concat([left, moved], ignore_index=True)


def changed(now: pd.DataFrame, then: pd.DataFrame) -> dict[str, Measure]:
    """The measures of what changed since November 2023, by their codes."""
    past = then[then["ds"] <= BEFORE["cutoff"]]
    known = past.rename(columns={"y": "known_before"})[["unique_id", "ds", "known_before"]].assign(
        first_known=past["y"]
    )
    rows = then[["unique_id", "region", "product_category"]].drop_duplicates().to_dict("records")
    return {each.code: each for each in changes.changes(now, known, BEFORE | {"series": rows})}


@pytest.mark.parametrize("since", [None, "2023-12-01"])
def test_a_renamed_series_is_told_from_one_that_ended_and_one_that_began(train, since):
    found = changed(renamed(train, "R0/C1", "R0/Bikes", since), train)
    assert found["renamed"].n == 1 and "R0/C1 became R0/Bikes" in found["renamed"].text
    assert found["renamed"].verdict == ASK and found["new_series"].n == 0 and found["gone"].verdict == OK


def apart(was: pd.Series, now: pd.Series, since: pd.Timestamp) -> float:
    """How far apart two levels are, by a loop over months; 0 for two histories that are one."""
    both = [(was[month], now[month]) for month in was.index if month in now.index]
    size = math.fsum(abs(old) for old, _ in both)
    if len(both) >= 3 and size and math.fsum(abs(old - new) for old, new in both) / size <= changes.SAME_VALUES:
        return 0.0
    came = {month: abs(value) for month, value in now.items() if month > since and value != 0}
    ago = [abs(was[day]) for day in (month - pd.DateOffset(years=1) for month in came) if day in was.index]
    levels = [np.mean(values) for values in (ago, was.abs().iloc[-3:]) if len(values)]
    return min((abs(math.log(np.mean([*came.values()]) / level)) for level in levels if level > 0), default=math.inf)


@given(st.integers(0, 2**32 - 1))
def test_how_far_levels_are_apart_is_what_a_loop_says(seed):
    rng, months, cutoff = np.random.default_rng(seed), pd.date_range("2021-01-01", periods=30, freq="MS"), 26
    values = np.round(rng.normal(rng.choice([0.0, 5.0]), 2.0, (4, 30)), 1)
    values[1] = values[0] * rng.choice([1.0, 1.01, 1.2])
    values[rng.random(values.shape) < rng.choice([0.0, 0.3])] = np.nan
    values[0, cutoff:] = np.nan
    values[2:, :cutoff] = np.where(rng.random(2)[:, None] < 0.5, np.nan, values[2:, :cutoff])
    values[1:, 29] = np.where(
        np.isfinite(values[1:, 29]) & (values[1:, 29] != 0), values[1:, 29], 1.0
    )  # they have come
    if not np.isfinite(values[0]).any():
        return
    table = pd.DataFrame(values.T, months, list("abcd")).rename_axis("ds").rename_axis(columns="unique_id")
    rows = table.stack().rename("y").reset_index().assign(region="R", product_category="C")
    known = rows[rows["ds"] <= months[cutoff - 1]].rename(columns={"y": "known_before"})
    before = {"cutoff": str(months[cutoff - 1]), "series": [{"unique_id": "a", "region": "R", "product_category": "C"}]}
    levels, others = changes.Levels(rows, known, before), pd.Index(["b", "c", "d"])
    found = levels._apart("a", others)
    for name, each in zip(others, found, strict=True):
        now = table[name].dropna()
        now = pd.concat([now[now.index < months[cutoff]], table[name][table.index >= months[cutoff]].fillna(0.0)])
        assert each == pytest.approx(apart(table["a"].dropna(), now, months[cutoff - 1]))


def test_of_very_many_the_largest_are_looked_at_and_stand_for_the_others(train, monkeypatch):
    now = renamed(renamed(train, "R0/C1", "R0/Bikes", None), "R1/C1", "R1/Bikes", None)
    whole = changed(now, train)
    monkeypatch.setattr(changes, "LOOKED_AT", 1)
    year = train[train["ds"].between("2022-12-01", "2023-11-01")].groupby("unique_id")["y"].sum()
    larger = max(("R0/C1", "R1/C1"), key=year.get)
    found = changed(now, train)
    assert found["renamed"].n == 1 and "Of the 1 largest that went, 1\xa0series went" in found["renamed"].text
    assert f"{larger} became" in found["renamed"].text and found["renamed"].verdict == ASK
    assert found["renamed"].value == pytest.approx(whole["renamed"].value)
    assert found["new_series"].value == whole["new_series"].value == 0.0


def test_a_series_of_another_place_or_level_is_no_new_name(train):
    elsewhere = changed(renamed(train, "R0/C1", "R7/Bikes", "2023-12-01"), train)
    assert elsewhere["renamed"].value == 0 and elsewhere["new_series"].n == 1 and elsewhere["gone"].verdict == WATCH
    now = renamed(train, "R0/C1", "R0/Bikes", "2023-12-01")
    now["y"] = now["y"].where(now["unique_id"] != "R0/Bikes", now["y"] * 9)
    assert changed(now, train)["renamed"].value == 0


def test_half_of_the_series_gone_is_a_matter_for_a_person_and_nothing_gone_is_not(train):
    gone = train.assign(y=train["y"].where((train["ds"] <= BEFORE["cutoff"]) | (train["region"] == "R1"), 0.0))
    assert (
        changed(gone, train)["vanished"].n == 2 and changed(gone, train)["vanished"].verdict == WATCH
    )  # half, not more
    assert (
        changed(gone.assign(y=gone["y"].where((gone["ds"] <= BEFORE["cutoff"]), 0.0)), train)["vanished"].verdict == ASK
    )
    assert all(each.verdict == OK for each in changed(train, train).values())


def test_another_unit_is_a_matter_for_a_person():
    assert changes.unit(BEFORE | {"unit_now": "EUR"}).verdict == ASK
    assert changes.unit(BEFORE).verdict == OK


# --- alerts


@pytest.fixture
def alarmed(tmp_path, train) -> Workspace:
    place = workspace(tmp_path, train)
    published(place, train, [LAST], verdict=RETRAIN)
    return place


def test_a_command_is_handed_each_alert_once(alarmed):
    note = alarmed.runs / "handed over"
    script = alarmed.runs / "it is.py"
    script.write_text(
        f"import sys, shutil; shutil.copy(sys.argv[-1], {str(note)!r}); open({str(note)!r} + '.n', 'a').write('x')"
    )
    told = f"{sys.executable} '{script}'"
    for _ in range(2):
        monitor.alert(alarmed, told)
    assert (alarmed.runs / "handed over.n").read_text() == "x"
    found = json.loads(note.read_text())
    assert found == json.loads((alarmed.runs / "alerts.json").read_text())
    assert found["workspace"] == "acme" and found["verdict"] == RETRAIN
    (domain,) = found["domains"]
    assert (
        domain["domain"] == "sales"
        and domain["run_id"].startswith("sales-2023-12-01")
        and domain["cutoff"] == "2023-12-01"
    )


@pytest.mark.parametrize("told", [f"{sys.executable} -c 'import sys; sys.exit(7)'", "no-such-program-anywhere"])
def test_a_command_that_fails_is_reported_and_asked_again(alarmed, told, capfd):
    for _ in range(2):
        monitor.alert(alarmed, told)
        assert "on_alert" in capfd.readouterr().err
    assert not (alarmed.data / "alerted.json").exists()


@pytest.mark.parametrize(("verdict", "code"), [(OK, 0), (WATCH, 0), ("recalibrate", 0), (RETRAIN, 3), (ASK, 3)])
def test_the_exit_code_says_whether_somebody_must_act(tmp_path, train, verdict, code, capsys):
    place = workspace(tmp_path, train)
    assert command.alerts(place, None) == 0 and "Nothing has been published" in capsys.readouterr().out
    published(place, train, [LAST], verdict=verdict)
    assert command.alerts(place, None) == code
    assert f"sales      {verdict}: All is as usual." in capsys.readouterr().out


def test_nobody_need_act_where_the_new_models_were_trained_at_once():
    domain = {"domain": "sales", "verdict": RETRAIN, "retrained": True, "reasons": [{"text": "The level has changed."}]}
    found = {"verdict": RETRAIN, "domains": [domain]}
    assert not alerts.needs_action(found) and "were trained in this run" in alerts.in_words(found)[0]
    assert alerts.needs_action(found | {"domains": [domain | {"retrained": False}]})
    assert alerts.needs_action(found | {"domains": [domain | {"verdict": ASK}]})


# --- the report


def text_of(markup: str) -> str:
    """Return HTML as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup)).replace(" ", " ")


def test_the_first_page_says_the_verdict_and_why(tmp_path, train):
    place = workspace(tmp_path, train)
    published(place, train, [LAST - pd.DateOffset(months=1)], verdict=RETRAIN)
    found = Published(place.published).judgement("sales")
    assert found.verdict == RETRAIN and found.reasons[0]["text"] == "All is as usual."
    months = {"n": 3, "first_month": "2023-09", "last_month": "2023-11"}
    measured = [Measure("loss", 7.0, 5.0, 4.0, RETRAIN, "accuracy", "The series missed more.", **months)]
    domain = Shown(replace(found, measures=[vars(each) | {"verdict": each.verdict} for each in measured]))
    text = text_of(monitoring.section({"sales": domain}))
    assert "Sales: retrain. New models are to be trained." in text and "All is as usual." in text
    retrained = text_of(monitoring.section({"sales": Shown(domain.monitor, domain.manifest.run_id)}))
    assert "Sales: retrain. New models were trained in this run." in retrained and "are to be trained" not in retrained
    table = text_of(monitoring.measures({"sales": domain}))
    assert "7.00" in table and "5.00" in table and "retrain" in table
    assert monitoring.section({"sales": Shown(found)}) == ""  # nothing has come due yet
    assert monitoring.section({"sales": None}) == "" and monitoring.measures({"sales": Shown(found)}) == ""


class Shown:
    """What the pages ask of a domain."""

    name, title, last_month = "sales", "Sales", LAST

    def __init__(self, found: object, trained_by: str = "sales-2023-06-01-a") -> None:
        self.monitor = found
        self.manifest = Manifest(run_id="sales-2023-12-01-a", trained=Trained(run_id=trained_by))


def test_a_series_alone_is_judged_too(tmp_path):
    train = series(100 * (1 + 0.2 * np.sin(np.arange(72) * 2 * np.pi / 12)) + np.random.default_rng(1).normal(0, 3, 72))
    place = workspace(tmp_path, train)
    published(place, train, [LAST - pd.DateOffset(months=n) for n in (4, 3, 2, 1)])
    monitor.write_before(place, "sales", SETTINGS, True)
    found = assessed(place)
    assert {"level_shift", "loss"} <= {each.code for each in found.measures}
    assert json.loads(json.dumps(found.as_json(), allow_nan=False)) == found.as_json()


# --- what publishing keeps


def test_a_verdict_is_kept_once_and_again_only_where_it_changed(tmp_path):
    made_of = macros("ledger")
    said = [
        Monitoring(),
        Monitoring(),
        Monitoring("watch", [{"code": "gone", "trigger": "", "text": "One."}]),
        Monitoring(),
    ]
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute(made_of.ledger_version_3())
        for day, found in enumerate(said):
            run = SimpleNamespace(
                run_id="sales-2023-12-01-a", domain="sales", manifest=Manifest(cutoff="2023-12-01", monitor=found)
            )
            add_verdict(connection, run, pd.Timestamp("2030-01-01") + pd.DateOffset(days=day))
        rows = connection.execute("select verdict from verdicts order by judged_at").fetchall()
    assert rows == [("ok",), ("watch",), ("ok",)]
