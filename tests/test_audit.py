"""Where a number comes from, and whether it can be made again: what is said is what ledger, store and files hold."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audited_company import TABLES, AuditedCompany, published_company
from forecasting import audit
from forecasting.__main__ import main
from forecasting.audit import differing, knowing, record, rerunning
from forecasting.contracts import TRAIN_COLUMNS
from forecasting.errors import UserError
from forecasting.ledger import Published, publishing
from forecasting.run import Manifest, RunFolder, identity, train_fingerprint
from ledger_by_macros import create_views, migrate
from parquet_files import parquet_file
from synthetic import company as made_up


@pytest.fixture(scope="module")
def company(root, tmp_path_factory) -> AuditedCompany:
    return published_company(root, tmp_path_factory.mktemp("audit") / "project")


@pytest.fixture
def runs(company) -> list[str]:
    """Its two runs, the first one first."""
    return Published(company.place.published).known_runs()["run_id"].tolist()


def value_of(text: str, name: str) -> str:
    """What stands beside a name."""
    (line,) = (line for line in text.splitlines() if line.strip().startswith(f"{name}  "))
    return line.strip().removeprefix(name).strip()


def test_a_run_is_explained_by_what_was_written(company, runs):
    first, second = runs
    text, known = audit.explain(company.place, first), json.loads(audit.explain(company.place, first, as_json=True))
    with duckdb.connect(str(company.place.published), read_only=True) as connection:
        (manifest,) = connection.execute("select manifest from runs where run_id = ?", [first]).fetchone()
        times = connection.execute("select published_at from publications where run_id = ?", [first]).fetchall()
        version = connection.execute("select max(model_version) from forecasts where run_id = ?", [first]).fetchone()
    said = json.loads(manifest)
    assert known["data"]["fingerprint"] == said["fingerprint"] and value_of(text, "fingerprint") == said["fingerprint"]
    assert known["publications"] == [f"{at:%Y-%m-%dT%H:%M:%SZ}" for (at,) in times] and not known["in_force"]
    assert known["parameters"] == said["params"] and known["model"]["mlflow_runs"] == said["mlflow"]
    assert known["parameters_not_default"]["currency"] == {"value": "EUR", "default": None}
    assert "currency: EUR (default: null)" in text and "cnn_lstm_seed: 1" in value_of(text, "seeds")
    assert known["gate"]["reason"] == said["champion"]["reason"] == value_of(text, "reason")
    assert {row["status"] for row in known["rows"]} == {"published", "baseline"}
    (champion,) = (each for each in known["model"]["registered"] if each["model_name"] == "linear")
    assert (champion["version"],) == version and champion["is_there"]
    assert (company.place.data / champion["folder"]).is_dir()
    assert value_of(text, "trained by") == "this run" and "not in force now" in value_of(text, "published")
    (restated,) = known["restated_since"]
    assert (restated["run_id"], restated["n"], restated["first_month"]) == (second, 1, "2021-05-01")
    assert restated["change"] == pytest.approx(0.5 * (100 + 16 % 12))
    assert f"found by {second}" in value_of(text, "facts restated")
    assert value_of(audit.explain(company.place, second), "facts restated") == "no month that it knew"
    assert audit.explain(company.place, domain="sales") == audit.explain(company.place, second)  # the run in force
    assert f"linear, of run {first}" in value_of(audit.explain(company.place, second), "champion before")


def test_a_number_leads_to_its_run(company, runs):
    text = audit.explain(company.place, domain="sales", region="North", category="Bikes", month="2024-02")
    assert f"Run {runs[1]}" in text and "[in force, counts for its cutoff]" in text.splitlines()[1]
    found = json.loads(audit.explain(company.place, "", "sales", "North", "Bikes", "2024-01", as_json=True))
    assert found["run_id"] == runs[0] and [each["predicted_value"] for each in found["numbers"]] == [100.0]
    with pytest.raises(UserError, match=r"Regions: All, North; categories: All, Bikes"):
        audit.explain(company.place, domain="sales", region="South", month="2024-01")
    with pytest.raises(UserError, match="is no month"):
        audit.explain(company.place, domain="sales", month="January")
    with pytest.raises(UserError, match="needs RUN="):
        audit.explain(company.place, domain="wine", month="2024-01")
    with pytest.raises(UserError, match="Nothing of wine has been published"):
        audit.explain(company.place, domain="wine")
    with pytest.raises(UserError, match="needs RUN="):
        audit.explain(company.place)


def test_an_unknown_run_names_the_nearest(company, runs, monkeypatch, capsys):
    monkeypatch.setattr("forecasting.__main__.ROOT", company.place.root)
    assert main(["explain", "--name", "acme", "--run-id", runs[0][:-1]]) == 2
    assert main(["rerun", "--name", "acme", "--run-id", "nothing like it"]) == 2
    assert runs[0] in capsys.readouterr().err
    assert main(["explain", "--name", "acme", "--run-id", runs[0], "--json", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == runs[0]


def test_what_is_gone_from_the_store_is_said(company, runs):
    known = record.record(company.place, runs[0])
    folder = company.place.data / known["model"]["registered"][0]["folder"]
    folder.rename(folder.with_name("elsewhere"))
    store = company.place.data / "mlflow.db"
    try:
        assert "(NOT THERE)" in audit.explain(company.place, runs[0])
        store.rename(store.with_name("kept.db"))
        text = audit.explain(company.place, runs[0])
        assert value_of(text, "sales_monthly") == "not registered" and "NOT in the store any more" in text
    finally:
        store.with_name("kept.db").rename(store)
        folder.with_name("elsewhere").rename(folder)


FACTS = {"domain": "sales", "measure": "net amount", "grain": "daily", "first_fact": "2019-01-01", "last_fact": "2024-01-31", "n_facts": 9,
         "first_month": "2019-01-01", "last_month": "2023-12-01", "n_months": 60, "left_out": [{"ds": "2024-01-01"}], "notes": [],
         "doubts": []}  # fmt: skip


@pytest.mark.parametrize("missing", [{}, {"profit": "no costs"}])
def test_the_id_of_a_run_vouches_for_its_manifest(missing):
    """What the ledger holds of a run hashes to its id, as `publish` writes it; a change of any of it does not."""
    facts = FACTS | ({"missing": missing} if missing else {})
    made_of = ("2023-12-01", "f" * 64, facts, {"30_evaluate": "a"}, {"name": None, "run_id": None, "decision": None})
    run_id = identity.run_id("sales", *made_of)
    names = ("cutoff", "fingerprint", "facts", "steps", "incumbent")
    said = asdict(Manifest.from_json({"run_id": run_id, "domain": "sales", **dict(zip(names, made_of, strict=True))}))
    assert record.follows(json.loads(json.dumps(said)))
    others = {"cutoff": "2023-11-01", "fingerprint": "e" * 64, "facts": said["facts"] | {"n_facts": 10}, "steps": {"30_evaluate": "b"},
              "incumbent": said["incumbent"] | {"name": "linear"}}  # fmt: skip
    assert not any(record.follows(said | {name: other}) for name, other in others.items())


TRAIN = made_up(30, regions=1, categories=3)
CHANGE = st.tuples(st.sampled_from(sorted(TRAIN["unique_id"].unique())), st.integers(0, 29), st.floats(0.1, 5.0))


@settings(max_examples=5)
@given(
    changes=st.lists(st.lists(CHANGE, max_size=3), min_size=1, max_size=3),
    gone=st.booleans(),
    keeps=st.booleans(),
)
def test_what_a_run_knew_is_found_again(tmp_path_factory, changes, gone, keeps):
    """Months restated by any later run, a series that went, months that came: each run's training set comes back to the last bit, also
    where the ledger did not keep it yet (`keeps`) and knows only each value's date."""
    months = sorted(TRAIN["ds"].unique())
    known = [TRAIN[TRAIN["ds"] <= months[-4]].reset_index(drop=True)]
    for number, restated in enumerate(changes):
        train = TRAIN[TRAIN["ds"] <= months[number - 3]].reset_index(drop=True).merge(
            known[-1][["unique_id", "ds", "y"]], on=["unique_id", "ds"], how="left", suffixes=("", "_before"))  # fmt: skip
        train["y"] = train.pop("y_before").fillna(train["y"])
        for series, month, factor in restated:
            train.loc[(train["unique_id"] == series) & (train["ds"] == months[month]), "y"] *= factor
        last = number == len(changes) - 1
        known.append(train[train["unique_id"] != "R0/C1"].reset_index(drop=True) if gone and last else train)
    folder = tmp_path_factory.mktemp("known")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "PUBLISHED", TABLES)
        migrate(connection)
        create_views(connection)
        manifests = [publish(connection, train, f"run-{number}") for number, train in enumerate(known)]
        newest = known[-1]
        assert len(newest)
        connection.execute("create table ml_train_sales_monthly as select * replace (ds::date as ds) from newest")
        if not keeps:
            connection.execute("delete from training_changes")
        publishing.publish_copy(connection, folder / "published.duckdb")
    published = Published(folder / "published.duckdb")
    for train, manifest in zip(known, manifests, strict=True):
        found = knowing.training_set_of(published, json.loads(json.dumps(asdict(manifest))))
        assert found.is_same
        pd.testing.assert_frame_equal(
            found.train, train[TRAIN_COLUMNS].sort_values(["unique_id", "ds"], ignore_index=True), check_exact=True
        )
        now = newest[newest["ds"] <= manifest.cutoff]
        both = train.merge(now, on=["unique_id", "ds"], how="outer", suffixes=("_then", "_now"))
        assert len(found.changed) == (both["y_then"].ne(both["y_now"])).sum()


def publish(connection: duckdb.DuckDBPyConnection, train: pd.DataFrame, run_id: str) -> Manifest:
    """Publish a run that knows a training set and forecasts nothing; its facts end in the middle of the month after."""
    last = train["ds"].max()
    manifest = Manifest.from_json({
        "run_id": run_id, "domain": "sales", "cutoff": f"{last:%Y-%m-%d}", "fingerprint": train_fingerprint(train), "unit": "EUR",
        "params": {"as_of": None}, "facts": {"last_fact": f"{last + pd.DateOffset(days=45):%Y-%m-%d}"},
    })  # fmt: skip
    columns = {
        table: connection.execute(f"describe {table}").df()["column_name"].drop(0)
        for table in ("forecasts", "backtests")
    }
    empty = {table: pd.DataFrame(columns=names).drop(columns=["model_version", "prediction_time"], errors="ignore")
             for table, names in columns.items()}  # fmt: skip
    run = SimpleNamespace(
        domain="sales", run_id=run_id, manifest=manifest, train=parquet_file(train), restated=pd.DataFrame(),
        forecasts=empty["forecasts"], backtests=parquet_file(empty["backtests"]),
    )  # fmt: skip
    publishing.add_to_ledger(connection, [run], {"sales": "1"})
    return manifest


def test_a_training_set_that_cannot_be_had_is_said_to_be_another(company, runs):
    published = Published(company.place.published)
    said = json.loads(published.written_down(runs[0]).loc[0, "manifest"]) | {"fingerprint": "0" * 64}
    found = knowing.training_set_of(published, said)
    assert not found.is_same and len(found.train) == 48 and len(found.changed) == 1
    text = "\n".join(rerunning.about(rerunning.about_data(found)))
    assert "NOT the same" in text and "North/Bikes 2021-05: 104.00 then, 156.00 now" in text


VALUE = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan))
ROW = st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 3))


ROWS = st.dictionaries(ROW, st.lists(VALUE, min_size=5, max_size=5), max_size=4)


def gap(a: float, b: float) -> float:
    """How far two numbers are apart, in proportion to the larger; what is missing on one side alone is infinitely far."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    return math.inf if math.isnan(a) or math.isnan(b) else abs(a - b) / max(abs(a), abs(b))


@settings(max_examples=40)
@given(ROWS, ROWS, st.booleans())
def test_how_far_forecasts_are_apart(then, other, same):
    now = then if same else other
    found = differing.apart(table(then), table(now))
    shared = sorted({*then} & {*now})
    gaps = {key: max(map(gap, then[key], now[key])) for key in shared}
    assert (found.n, found.only_then, found.only_now) == (len(shared), len({*then} - {*now}), len({*now} - {*then}))
    assert found.n_other == sum(each > 0 for each in gaps.values())
    assert found.largest == max(gaps.values(), default=0.0)
    assert found.is_same == (not (found.n_other or {*then} ^ {*now}))
    if found.where:
        assert gaps[(found.where["unique_id"], found.where["horizon"])] == found.largest


def table(rows: dict) -> pd.DataFrame:
    """Forecasts from unique_id and horizon to point and bounds."""
    made = [["series", name, "linear", horizon, *values] for (name, horizon), values in rows.items()]
    return pd.DataFrame(made, columns=[*differing.KEY, *differing.VALUES]).astype({"horizon": int})


def test_what_differs_of_the_code_is_named_exactly(company, runs):
    said = json.loads(Published(company.place.published).written_down(runs[0]).loc[0, "manifest"])
    assert differing.code_differences(company.place, said) == []
    said["versions"]["pandas"] = "1.5.3"
    said["versions"]["gone"] = "1"
    said["steps"]["20_train_naive"] = "0" * 64
    said["steps"]["20_train_prophet"] = "1" * 64
    said["git_commit"] = "abc"
    named = {each["what"]: (each["then"], each["now"]) for each in differing.code_differences(company.place, said)}
    assert set(named) == {
        "git commit",
        "package pandas",
        "package gone",
        "step 20_train_naive",
        "step 20_train_prophet",
    }
    assert named["package pandas"] == ("1.5.3", pd.__version__) and named["package gone"] == ("1", None)
    assert named["step 20_train_prophet"][1] is None and named["git commit"] == ("abc", None)
    said["params"]["linear_penalties"] = [1.0]
    steps = {each["what"] for each in differing.code_differences(company.place, said)} - set(named)
    assert steps == {"step 20_train_linear"}  # a setting counts where a notebook declares it
    assert [each["what"] for each in differing.setting_differences(company.place, said)] == ["setting linear_penalties"]


@pytest.fixture
def notebooks(company, runs, monkeypatch) -> SimpleNamespace:
    """Notebooks that are not executed: the last leaves what the ledger holds, changed as a test says."""
    found = SimpleNamespace(change=lambda rows: rows, seen=[], champion="linear")

    def step(folder: Path, workspace, name: str, values: dict, store: Path) -> None:
        run = RunFolder.open(folder)
        found.seen.append((name, values, train_fingerprint(run.training_set()), run.read_json("incumbent"), store))
        if name == "40_forecast":
            run.write_table("forecasts", found.change(Published(workspace.published).stored(found.run_id)))
            run.write_json("champion", {"name": found.champion})

    monkeypatch.setattr(rerunning.pipeline, "run_step_in", step)
    return found


def untouched(company: AuditedCompany) -> dict[str, bytes]:
    files = (
        path for folder in (company.place.data, company.folder) for path in sorted(folder.rglob("*")) if path.is_file()
    )
    return {str(path): path.read_bytes() for path in files if path.name != ".lock"}


def test_a_run_is_made_again_with_what_it_had(company, runs, notebooks):
    before, said = (
        untouched(company),
        json.loads(Published(company.place.published).written_down(runs[0]).loc[0, "manifest"]),
    )
    notebooks.run_id = runs[0]
    found = audit.rerun(company.place, runs[0])
    assert found["reproduced"] and "the same, bit for bit" in audit.as_text(found)
    assert [name for name, *_ in notebooks.seen] == [
        step for step in sorted(said["steps"]) if not step.startswith("50_")
    ]
    for _, values, fingerprint, incumbent, store in notebooks.seen:
        assert (values, fingerprint, incumbent) == (said["params"], said["fingerprint"], said["incumbent"])
        assert not store.is_relative_to(company.place.data)
    assert found["data"]["is_same"] and found["data"]["n_restated"] == 1
    assert "North/Bikes 2021-05: 104.00 then, 156.00 now" in audit.as_text(found)
    assert untouched(company) == before
    kept = company.place.runs / "rerun"
    assert [path.name for path in kept.iterdir()] == [runs[0]] and (kept / runs[0] / "store" / "mlflow.db").exists()


def test_a_run_that_comes_out_otherwise_says_how_far(company, runs, notebooks, monkeypatch, capsys):
    notebooks.run_id, notebooks.champion = runs[1], "naive"
    first = {
        "predicted_value": lambda rows: np.where(
            np.arange(len(rows)) == 0, rows["predicted_value"] * 1.02, rows["predicted_value"]
        )
    }
    notebooks.change = lambda rows: rows.assign(**first)
    monkeypatch.setattr("forecasting.__main__.ROOT", company.place.root)
    assert main(["rerun", "--name", "acme", "--run-id", runs[1]]) == 3
    said = capsys.readouterr().out
    assert "NOT reproduced: of 2 forecasts 1 differ, by at most 1.96 %" in said and "100.00 then, 102.00 now" in said
    assert "the gate chose linear then and naive now" in said
    notebooks.change = lambda rows: rows.iloc[1:]
    found = audit.rerun(company.place, runs[1])
    assert not found["reproduced"] and found["forecasts"]["only_then"] == 1


def test_a_rerun_that_is_stopped_leaves_nothing(company, runs, notebooks, monkeypatch):
    before = untouched(company)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    notebooks.run_id, notebooks.change = runs[1], stop
    there = sorted((company.place.runs / "rerun").glob("*"))
    with pytest.raises(KeyboardInterrupt):
        audit.rerun(company.place, runs[1])
    assert sorted((company.place.runs / "rerun").iterdir()) == there and untouched(company) == before


def test_a_notebook_that_is_gone_is_named(company, runs, monkeypatch):
    written = Published.written_down

    def with_another_step(self: Published, run_id: str) -> pd.DataFrame:
        rows = written(self, run_id)
        said = json.loads(rows.loc[0, "manifest"])
        said["steps"]["20_train_prophet"] = "1" * 64
        return rows.assign(manifest=json.dumps(said))

    monkeypatch.setattr(Published, "written_down", with_another_step)
    found = audit.rerun(company.place, runs[1])
    assert found["steps_missing"] == ["20_train_prophet"] and found["forecasts"] is None
    assert "20_train_prophet is no notebook any more" in audit.as_text(found)
