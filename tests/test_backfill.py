"""Filling in past months: the same numbers together and one by one, nothing of what came later, resumed and never counted as published."""

import itertools
import json
import math
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_sql import DBT, environment, macros
from filled_company import SETTINGS, company, rows, training_set
from forecasting import choice, engine, evaluation, ledger, models
from forecasting.backfill import backfill, fill, planning
from forecasting.backfill.known import Group, groups, known_then, up_to
from forecasting.backfill.schedule import month_range, trained_months
from forecasting.errors import UserError
from forecasting.intervals import Calibration, calibrate_backtest, calibrate_forecasts
from forecasting.models.combination import MedianCombination, WeightedCombination
from forecasting.run import RunFolder, Workspace
from forecasting.series import aggregate_actuals, as_nodes

TRAIN = training_set(44)
MONTHS = list(pd.date_range("2022-12-01", "2023-02-01", freq="MS"))
EVERY = 2  # months from one training to the next: December, February
LATER = pd.Timestamp("2023-03-01")
GATE = (
    "gate_metric",
    "gate_min_improvement_pct",
    "gate_max_bias_loss_pct",
    "gate_max_coverage_loss",
    "gate_max_stability_loss",
)
TABLES = ("forecasts", "runs", "publications", "actuals")


def filled(folder: Path, train: pd.DataFrame = TRAIN, months: list = MONTHS) -> Workspace:
    """A company of which some months are filled in."""
    workspace = company(folder, sales=train)
    fill(workspace, "sales", months, EVERY)
    return workspace


def tables(workspace: Workspace) -> dict[str, pd.DataFrame]:
    """The ledger without the times at which it was written."""
    times = {"forecasts": "prediction_time", "runs": "published_at", "publications": "published_at", "actuals": "as_of"}
    return {name: rows(workspace, name, times[name]) for name in TABLES}


def trained_on(workspace: Workspace, domain: str = "sales") -> pd.DataFrame:
    """The training set of a company's last run."""
    return RunFolder.open(workspace.runs / domain).training_set()


def require_same(found: Workspace, expected: Workspace) -> None:
    """Fail unless two ledgers hold the same."""
    for name, table in tables(expected).items():
        pd.testing.assert_frame_equal(tables(found)[name], table)


@pytest.fixture(autouse=True)
def without_dbt(monkeypatch):
    """These companies have no facts: dbt would build what they have."""
    monkeypatch.setattr(planning, "built_at", lambda workspace, domain, month: up_to(trained_on(workspace), month))


def copy_of(workspace: Workspace, folder: Path) -> Workspace:
    """A copy of a company, to change."""
    shutil.copytree(workspace.root, folder, symlinks=True)
    return replace(workspace, root=folder)


@pytest.fixture(scope="module")
def acme(tmp_path_factory) -> Workspace:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "built_at", lambda workspace, domain, month: up_to(trained_on(workspace), month))
        return filled(tmp_path_factory.mktemp("acme") / "project")


def test_months_together_are_the_same_as_one_by_one(acme, tmp_path, monkeypatch):
    def alone(months, trained, sets):
        return [one for month in months for one in groups([month], trained, sets)]

    monkeypatch.setattr(planning, "groups", alone)
    slow = filled(tmp_path / "slow")
    require_same(slow, acme)


def test_what_came_later_changes_nothing_of_a_month(acme, tmp_path):
    month = MONTHS[1]
    other = TRAIN.assign(y=TRAIN["y"].where(TRAIN["ds"] <= month, TRAIN["y"] * 3 + 50))
    later = filled(tmp_path / "later", other)
    for name in ("forecasts", "runs"):
        mine, found = (tables(one)[name] for one in (acme, later))
        same = [table[table["cutoff"] <= month].reset_index(drop=True) for table in (mine, found)]
        pd.testing.assert_frame_equal(*same)
        assert len(same[0]) < len(mine) and not found.equals(mine)


def test_each_month_is_what_its_notebooks_would_have_made(acme):
    """The whole way again, month by month, from the functions that the notebooks call."""
    settings, champion, found = acme.settings("sales"), None, rows(acme)
    for month, trained in trained_months(MONTHS, EVERY, {}).items():
        train = up_to(TRAIN, month)
        cutoffs = evaluation.plan_cutoffs(train["ds"], n_cutoffs=3, n_calibration=1)
        linear = {"penalties": SETTINGS["linear_penalties"]}
        fitted, said, known = {}, {}, as_nodes(evaluation.known_at(up_to(TRAIN, trained), trained))
        for name in ("naive", "seasonal_naive", "linear"):
            plain = models.get(name)(**(linear if name == "linear" else {}))
            before = evaluation.walk_forward(
                plain, up_to(TRAIN, trained), "sales", cutoffs["cutoff"][cutoffs["cutoff"] < trained]
            )
            fitted[name] = models.get(name)(**plain.settings).fit(known)
            said[name] = evaluation.continued(fitted[name], before, train, "sales", trained, cutoffs["cutoff"])
        raw, members = pd.concat(said.values(), ignore_index=True), [*fitted.values()]
        fitted["median"], fitted["weighted"] = MedianCombination(members), WeightedCombination(members)
        said |= {"median": fitted["median"].combine(raw), "weighted": fitted["weighted"].walk_forward(raw, train)}
        made = {name: calibrate_backtest(one, train, "sales", cutoffs, True) for name, one in said.items()}
        tested = pd.concat([one.rows for one in made.values()])
        board, losses = evaluation.leaderboard(tested, train), evaluation.losses(evaluation.scored_rows(tested, train))
        limits = choice.Gate(*(settings[name] for name in GATE))
        chosen = choice.choose_champion(
            board, losses, cutoffs, list(said), {"name": champion, "decision": None}, limits
        )
        champion = chosen["gate_choice"]
        for name in {chosen["name"], "seasonal_naive"}:
            ahead = evaluation.forecast_nodes(fitted[name], evaluation.known_at(train, month), 6, flow=True)
            calibration = Calibration.from_json(made[name].calibration)
            expected = calibrate_forecasts(ahead, train, "sales", name, "backfill", calibration, True).rows
            own = found[(found["cutoff"] == month) & (found["model_name"] == name)]
            keys = ["aggregation", "unique_id", "horizon"]
            both = own.merge(expected, on=keys, suffixes=("", "_expected"))
            assert len(both) == len(own) == len(expected)
            for column in ("predicted_value", "lo_80", "hi_80", "lo_95", "hi_95", "scale"):
                assert np.array_equal(both[column], both[f"{column}_expected"], equal_nan=True)
        assert set(found.loc[found["cutoff"] == month, "model_name"]) == {chosen["name"], "seasonal_naive"}


def test_twice_is_once(acme, tmp_path):
    again = copy_of(acme, tmp_path / "again")
    assert fill(again, "sales", MONTHS, EVERY) == []
    shutil.rmtree(again.runs / "backfill")
    assert fill(again, "sales", MONTHS, EVERY) == []
    require_same(again, acme)


def stopped_after(things: int) -> Callable[..., Iterator[Any]]:
    """Return what works until so many things are done, then is stopped before the next."""
    left = itertools.count(things, -1)

    def mapped(function: Callable, *items: list) -> Iterator[Any]:
        for each in zip(*items, strict=True):
            if next(left) == 0:
                raise KeyboardInterrupt
            yield function(*each)

    return mapped


def test_what_was_stopped_goes_on_where_it_was(acme, tmp_path, monkeypatch):
    stopped = company(tmp_path / "stopped", sales=TRAIN)
    done = {}
    for after in (1, 3, 5, 2):  # in the walk-forward, in the contests, between two months' transactions
        with monkeypatch.context() as here, pytest.raises(KeyboardInterrupt):
            here.setattr(engine, "mapped", stopped_after(after + len(done)))
            fill(stopped, "sales", MONTHS, EVERY)
        kept = {path: path.stat().st_mtime_ns for path in (stopped.runs / "backfill").rglob("*.parquet")}
        assert done.items() <= kept.items()  # nothing is made twice
        done = kept
    fill(stopped, "sales", MONTHS, EVERY)
    require_same(stopped, acme)


def test_a_longer_range_goes_on_from_the_shorter_one(acme, tmp_path):
    longer = company(tmp_path / "longer", sales=TRAIN)
    for months in (MONTHS[:2], MONTHS[2:], MONTHS):
        fill(longer, "sales", months, EVERY)
    require_same(longer, acme)


def test_a_run_says_what_it_is(acme):
    with duckdb.connect(str(acme.warehouse), read_only=True) as connection:
        runs = connection.execute("select cutoff, manifest from runs order by cutoff").fetchall()
    found = [(cutoff, json.loads(text)) for cutoff, text in runs]
    names = [None, *(manifest["champion"]["gate_choice"] for _, manifest in found)]
    for (cutoff, manifest), incumbent in zip(found, names, strict=False):
        assert manifest["backfill"] and manifest["cutoff"] == str(cutoff) and manifest["incumbent"]["name"] == incumbent
        assert manifest["run_id"].startswith(f"sales-{cutoff}-") and manifest["facts"]["last_month"] == str(cutoff)
        assert (
            manifest["champion"]["name"] in manifest["champion"]["models"] and manifest["explanation"]["reconciliation"]
        )
    assert len(rows(acme, "publications", "published_at")) == len(rows(acme, "actuals", "as_of")) == 0


def publish(workspace: Workspace, month: pd.Timestamp) -> str:
    """Publish a run for a month: what was filled in, a tenth higher."""
    run_id = f"sales-{month:%Y-%m-%d}-published"
    with duckdb.connect(str(workspace.warehouse)) as connection:
        (old,) = connection.execute("select run_id from runs where cutoff = ?", [month]).fetchone()
        manifest = {
            "run_id": run_id,
            "cutoff": f"{month:%Y-%m-%d}",
            "champion": {"name": "linear", "gate_choice": "linear"},
        }
        connection.execute(
            "insert into runs values (?, 'sales', ?, 'linear', ?, now())", [run_id, month, json.dumps(manifest)]
        )
        connection.execute("insert into publications values ('sales', ?, now())", [run_id])
        connection.execute(f"""insert into forecasts by name
            select * replace ('{run_id}' as run_id, 1.1 * predicted_value as predicted_value, 'linear' as model_name, 'published' as status)
            from forecasts where run_id = '{old}' and model_name = 'seasonal_naive'
            union all select * replace ('{run_id}' as run_id, 'baseline' as status)
            from forecasts where run_id = '{old}' and model_name = 'seasonal_naive'""")
    return run_id


def test_a_publication_counts_and_what_was_filled_in_does_not(acme, tmp_path):
    other = copy_of(acme, tmp_path / "other")
    run_id = publish(other, MONTHS[1])
    counted = ledger.counted_runs(other, "sales")
    assert [counted[month].is_published for month in MONTHS] == [False, True, False]
    assert counted[MONTHS[1]].run_id == run_id
    new = fill(other, "sales", MONTHS, EVERY)  # the months after it follow from its champion
    assert {name[6:16] for name in new} <= {f"{month:%Y-%m-%d}" for month in MONTHS[2:]}
    assert ledger.counted_runs(other, "sales")[MONTHS[2]].manifest.incumbent.run_id == run_id


def accuracy(workspace: Workspace) -> pd.DataFrame:
    """The mart forecast_accuracy, as dbt makes it from this ledger."""
    found = environment()
    found.globals.update({name: made for name, made in vars(macros("measures")).items() if not name.startswith("_")})
    with duckdb.connect(str(workspace.warehouse)) as connection:
        connection.register("known", aggregate_actuals(TRAIN).assign(domain="sales"))
        for name in ("monthly_actuals", "first_known_actuals"):
            connection.execute(f"create or replace table {name} as select * replace (ds::date as ds) from known")
        for name in ("actual_vs_forecast", "forecast_accuracy"):
            sql = found.from_string((DBT / "models" / "marts" / f"{name}.sql").read_text(encoding="utf-8")).render()
            connection.execute(f"create or replace view {name} as {sql}")
        return connection.execute("select * from forecast_accuracy where aggregation = 'total'").df()


def test_no_figure_mixes_the_kinds(acme, tmp_path):
    other = copy_of(acme, tmp_path / "mixed")
    published = publish(other, MONTHS[1])
    known = aggregate_actuals(TRAIN).query("aggregation == 'total'").set_index("ds")["y"]
    errors = defaultdict(list)
    for row in rows(other).query("aggregation == 'total'").to_dict("records"):
        counts = row["cutoff"] != MONTHS[1] or row["run_id"] == published
        if counts and row["ds"] in known.index:
            kind = "backfill" if row["status"] == "backfill" else "published"
            errors[kind, row["model_name"]].append(abs(row["predicted_value"] - known[row["ds"]]))
    found = accuracy(other).query("horizon_group == 'all'").set_index(["forecast_kind", "model_name"])
    assert set(found.index) == set(errors) and {kind for kind, _ in errors} == {"backfill", "published"}
    for key, own in errors.items():
        assert (found.loc[key, "n"], found.loc[key, "mae"]) == (len(own), pytest.approx(np.mean(own)))
    assert found.loc[("backfill", "seasonal_naive"), "fva"] == pytest.approx(0)


@given(st.integers(1, 24), st.integers(1, 30), st.one_of(st.none(), st.integers(1, 40)))
def test_the_schedule(every, n, since):
    months = list(pd.date_range("2021-05-01", periods=n, freq="MS"))
    known = {} if since is None else {months[0] - pd.DateOffset(months=1): months[0] - pd.DateOffset(months=since)}
    last, expected = next(iter(known.values()), None), []
    for month in months:
        age = None if last is None else (month.year - last.year) * 12 + month.month - last.month
        last = month if age is None or age >= every else last
        expected.append(last)
    assert list(trained_months(months, every, known).values()) == expected
    assert set(trained_months(months, math.inf, known).values()) == {
        expected[0] if since is None else next(iter(known.values()))
    }
    assert planning.scheduled({"retrain_every": every, "retrain_on": ["schedule", "drift"]}) == every
    assert planning.scheduled({"retrain_every": every, "retrain_on": ["drift"]}) == math.inf


FOUR = [*MONTHS, LATER]
CUT = {month: up_to(TRAIN, month) for month in FOUR}


def noted(train: pd.DataFrame, as_of: str) -> pd.DataFrame:
    """Rows of the ledger's actuals: these values, known from a day on."""
    return train.drop(columns="is_imputed").assign(as_of=pd.Timestamp(as_of))


def test_without_restatements_a_month_knew_what_is_known_now():
    for known in (
        noted(TRAIN, "2023-09-02"),
        noted(TRAIN.iloc[:0], "2023-09-02"),
        noted(up_to(TRAIN, FOUR[0]), "2023-01-02"),
    ):
        found = known_then(TRAIN, known, CUT)
        assert all(found[month].equals(up_to(TRAIN, month)) for month in FOUR)
        assert [one.months for one in groups(FOUR, dict.fromkeys(FOUR, FOUR[0]), found)] == [FOUR]


def test_a_restated_month_counts_as_it_was_known_then():
    first = up_to(TRAIN, FOUR[1])
    before = first.assign(y=first["y"].where(first["ds"] < FOUR[0], first["y"] / 2))
    changed = noted(first[first["ds"] >= FOUR[0]], "2023-02-27")
    known = pd.concat([noted(before, "2023-01-30"), changed, noted(TRAIN[TRAIN["ds"] > FOUR[1]], "2023-02-27")])
    found = known_then(TRAIN, known, CUT)
    assert found[FOUR[0]].equals(up_to(before, FOUR[0])) and found[FOUR[1]].equals(before)
    assert found[FOUR[2]].equals(up_to(TRAIN, FOUR[2])) and found[FOUR[3]].equals(up_to(TRAIN, FOUR[3]))
    trained = trained_months(FOUR, EVERY, {})
    shared = groups(FOUR, trained, found)
    assert [one.months for one in shared] == [FOUR[:2], FOUR[2:]]
    kept = groups(FOUR, dict.fromkeys(FOUR, FOUR[0]), found)  # models that learned from what is restated since
    assert [one.months for one in kept] == [FOUR[:2], [FOUR[2]], [FOUR[3]]] and isinstance(kept[1], Group)
    assert kept[1].learned.equals(found[FOUR[0]]) and kept[1].train.equals(found[FOUR[2]])


def test_a_series_that_is_no_longer_there_was_known_then():
    old = TRAIN[TRAIN["unique_id"] == "West/Bikes"].assign(unique_id="West/Bicycles", product_category="Bicycles")
    then = up_to(pd.concat([TRAIN[TRAIN["unique_id"] != "West/Bikes"], old]), FOUR[1])
    renamed = [
        noted(up_to(old, FOUR[1]).assign(y=0.0), "2023-02-27"),
        noted(TRAIN[TRAIN["unique_id"] == "West/Bikes"], "2023-02-27"),
    ]
    rest = TRAIN[(TRAIN["unique_id"] != "West/Bikes") & (TRAIN["ds"] > FOUR[1])]
    found = known_then(TRAIN, pd.concat([noted(then, "2023-01-30"), *renamed, noted(rest, "2023-02-27")]), CUT)
    assert found[FOUR[1]].equals(then.sort_values(["unique_id", "ds"], ignore_index=True))
    assert found[FOUR[2]].equals(up_to(TRAIN, FOUR[2]))


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("", "2023-12", "FROM must be a month like 2023-01"),
        ("2023-01", "2023-13", "TO must be a month like 2023-01, found '2023-13'"),
        ("2023-1", "2023-02", "found '2023-1'"),
        ("2023-01-01", "2023-02", "FROM must be a month"),
        ("2023-05", "2023-04", "FROM=2023-05 is after TO=2023-04"),
        ("2023-05", "2023-09", "2023-09 is not closed; the last closed month is 2023-08"),
        ("2020-11", "2021-04", "only 11 months are known, from 2020-01 on; 13 closed months are needed"),
        ("2019-11", "2021-04", "nothing is known"),
    ],
)
def test_a_range_that_cannot_be_filled_is_refused(acme, first, last, said):
    with pytest.raises(UserError, match=said):
        backfill(acme, first, last)


def test_a_domain_that_is_not_there_is_refused(acme):
    with pytest.raises(UserError, match="There is no domain 'stock'"):
        backfill(acme, "2023-01", "2023-02", "stock")


def test_a_range_is_its_months():
    assert month_range("2022-12", "2023-02") == MONTHS and month_range("2023-02", "2023-02") == MONTHS[-1:]
