"""The monthly cycle: when models are kept and when they learn anew, and four months replayed with kills."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest

from endurance import KILLS, Watched, tables
from forecasting import choice, registry
from forecasting.choice import training
from forecasting.contracts import TRAIN_COLUMNS
from forecasting.ledger import Published
from forecasting.run import Manifest, Trained, Workspace, train_fingerprint
from forecasting.run.records import Facts
from replay import Kill, faults, incomplete, months, replay
from synthetic import company

STAMPS = {"10_check_data": "a", "20_train_linear": "b", "20_train_naive": "c", "25_combine": "d"}
TRAINED = {"20_train_linear": "b", "20_train_naive": "c"}
SETTINGS = {
    "retrain_every": 6,
    "retrain_on": list(choice.TRIGGERS),
    "n_cutoffs": 6,
    "n_calibration": 12,
    "min_train_months": 24,
}
TRAIN = company(48)  # January 2019 to December 2022
LAST, IDS = TRAIN["ds"].max(), tuple(TRAIN["unique_id"].unique())


def folder(
    tmp_path: Path, train: pd.DataFrame = TRAIN, monitor: dict | None = None, measure: str = "net sales"
) -> Workspace:
    """Write what a decision reads of the run folder."""
    place = Workspace(tmp_path, "acme", "sample", None)
    run = place.runs / "sales"
    run.mkdir(parents=True, exist_ok=True)
    train[TRAIN_COLUMNS].to_parquet(run / "train_sales.parquet", index=False)
    (run / "facts.json").write_text(json.dumps({"measure": measure}), encoding="utf-8")
    steps = {"domain": "sales", "workspace": "acme", "experiment": "sales", "steps": STAMPS}
    (run / "run.json").write_text(json.dumps(steps), encoding="utf-8")
    if monitor:
        (run / "monitor.json").write_text(json.dumps(monitor), encoding="utf-8")
    return place


def published(months_ago: int, trained_ago: int, **changes) -> Manifest:
    """The manifest of a run that was published some months ago with models that were trained then or earlier."""
    cutoff, learned = (f"{LAST - pd.DateOffset(months=ago):%Y-%m-%d}" for ago in (months_ago, trained_ago))
    own = trained_ago == months_ago
    trained = Trained(
        "sales-own" if own else "sales-earlier", learned, TRAINED, {"linear": ["linear"]}, {"linear": "mlflow run"}
    )
    facts = Facts(measure="net sales")
    return replace(
        Manifest(run_id="sales-own", cutoff=cutoff, fingerprint="other", params=SETTINGS, facts=facts, trained=trained),
        **changes,
    )


@pytest.fixture
def decide(monkeypatch):
    """Decide for a month, with what is published and whether the store holds the models."""

    def of(
        place,
        runs,
        by=choice.MONTHLY,
        settings=SETTINGS,
        stamps=STAMPS,
        held=True,
        forecast=IDS,
    ):
        monkeypatch.setattr(training, "published_runs", lambda *_: runs)
        monkeypatch.setattr(registry, "can_be_kept", lambda *_: held)
        monkeypatch.setattr(Published, "forecasts", lambda *_, **__: pd.DataFrame({"unique_id": forecast}))
        return choice.decide_training(choice.Month(place, "sales", settings, stamps, by))

    return of


def test_a_month_keeps_the_models_until_the_schedule_has_them_learn_anew(tmp_path, decide):
    for ago in range(1, 10):
        found = decide(folder(tmp_path / str(ago)), [published(1, ago)])
        assert (found.kept is None) == (ago >= 6), found
        assert str(ago) in found.why
        note = tmp_path / str(ago) / "runs" / "acme" / "sales" / "trained.json"
        assert note.exists() == (ago < 6)
        if found.kept:
            assert json.loads(note.read_text(encoding="utf-8"))["cutoff"] == found.kept.cutoff
    never = SETTINGS | {"retrain_on": ["drift"]}
    assert decide(folder(tmp_path / "never"), [published(1, 40)], settings=never).kept


def test_models_learn_anew_where_they_cannot_go_on(tmp_path, decide):
    one = [published(1, 2)]
    names = iter("abcdefghij")
    place = lambda **how: folder(tmp_path / next(names), **how)  # noqa: E731
    assert decide(place(), []).why == "nothing was published before"
    assert "20_train_linear" in decide(place(), one, stamps=STAMPS | {"20_train_linear": "z"}).why
    assert "20_train_trees" in decide(place(), one, stamps=STAMPS | {"20_train_trees": "z"}).why
    assert "walk-forward" in decide(place(), one, settings=SETTINGS | {"n_calibration": 3}).why
    assert decide(place(measure="units"), one).why == "what is measured changed from net sales to units"
    assert "MLflow does not hold" in decide(place(), one, held=False).why
    assert "1 series that were forecast before" in decide(place(), one, forecast=("Gone/All",)).why
    assert "have seen months up to" in decide(place(), [published(-2, -2)]).why
    assert decide(place(), one, by=choice.PERSON).why == "asked for with RETRAIN=1"
    assert decide(place(), one, by=choice.REPORT).why == "the facts are new"


@pytest.mark.parametrize("trigger", ["accuracy", "drift", "new_data"])
def test_the_monitor_brings_a_retrain_about_where_params_let_it(tmp_path, decide, trigger):
    reason = {"code": "tracking_signal", "trigger": trigger, "text": "The errors lean to one side."}
    alarm = {"verdict": "retrain", "reasons": [reason, {"code": "x", "trigger": "", "text": "Something else."}]}
    found = decide(folder(tmp_path / "on", monitor=alarm), [published(1, 2)])
    assert found.kept is None and found.why == reason["text"]
    others = [name for name in choice.TRIGGERS if name != trigger]
    assert decide(
        folder(tmp_path / "off", monitor=alarm), [published(1, 2)], settings=SETTINGS | {"retrain_on": others}
    ).kept
    for verdict in ("ok", "watch", "recalibrate", "ask a person"):
        assert decide(folder(tmp_path / verdict[:3], monitor=alarm | {"verdict": verdict}), [published(1, 2)]).kept


def test_what_was_decided_for_a_month_stays(tmp_path, decide):
    place, fingerprint = folder(tmp_path), train_fingerprint(TRAIN[TRAIN_COLUMNS])
    first = decide(place, [published(1, 2)])
    assert first.kept and decide(place, []) == first  # noted: nothing is asked again
    shutil.rmtree(place.runs / "stamps")
    kept = published(0, 2, fingerprint=fingerprint)
    for by in (choice.MONTHLY, choice.REPORT):
        assert decide(place, [kept], by=by).kept == kept.trained
        shutil.rmtree(place.runs / "stamps")
    assert decide(place, [published(0, 0, fingerprint=fingerprint)]).kept is None
    shutil.rmtree(place.runs / "stamps")
    assert decide(place, [published(1, 2)], by=choice.REPORT).kept is None
    assert decide(place, [published(1, 2)]).kept  # the monthly cycle decides again what a report had begun
    assert decide(place, [published(1, 2)], by=choice.REPORT).kept
    assert decide(place, [published(1, 2)], by=choice.PERSON).kept is None
    assert decide(place, [published(1, 2)]).kept is None


def test_a_manifest_from_before_models_were_kept_trained_its_own():
    old = Manifest.from_json({"run_id": "sales-1", "cutoff": "2022-05-01", "steps": STAMPS})
    assert old.trained == Trained("sales-1", "2022-05-01", TRAINED)
    assert Manifest.read(json.dumps(asdict(old))) == old


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A small company replayed for four months without a disturbance: the company, and what each month did."""
    watched = Watched.new(tmp_path_factory.mktemp("quiet"), ("naive", "linear"))
    rows = replay(watched, months(4))
    yield watched, rows
    shutil.rmtree(watched.temporary)


def test_four_months_in_a_row_keep_the_models_and_are_published_once(quiet):
    watched, rows = quiet
    assert [row["kept"] for row in rows] == [0, 2, 2, 2]  # of two domains
    assert not incomplete(watched.folders[0], months(4))
    manifests = Published(watched.folders[0] / "published.duckdb").manifests("sales")
    assert {manifest.trained.run_id for manifest in manifests} == {manifests[-1].run_id}
    assert [manifest.trained.cutoff for manifest in manifests] == ["2024-09-01"] * 4
    again = replay(watched, months(4)[-1:])
    assert again[0]["kept"] == 2 and not incomplete(watched.folders[0], months(4))


def test_a_replay_that_is_killed_and_begun_again_ends_with_the_same_tables(quiet, tmp_path):
    chosen = months(4)
    kills = [
        Kill(chosen[0], "write runs/acme/sales/said_linear.parquet.running", KILLS[0]),
        Kill(chosen[1], "move to runs/acme/profit/trained.json", KILLS[1]),
        Kill(chosen[2], "sql insert into forecasts by name select * from incoming", KILLS[0]),
    ]
    watched = Watched.new(tmp_path, ("naive", "linear"))
    rows = replay(watched, chosen, kills)
    shutil.rmtree(watched.temporary)
    assert [row["came"] for row in rows if row["kill"]] == [True] * 3
    assert not faults(tables(quiet[0].folders[0]), tables(watched.folders[0])) and not incomplete(
        watched.folders[0], chosen
    )
