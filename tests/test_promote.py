"""Incumbent, registry, promote and rollback: a small workspace that is planned, evaluated and published again and again.

The ledger is dbt's, the store MLflow's, planning and publishing are the real ones; the tables of a run are made up, with a MASE for
each model, so that the gate's choice is known. Tests run in the order they stand here.
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from forecasting import evaluation, models
from forecasting.__main__ import main
from forecasting.choice import gate, incumbent, promotion
from forecasting.contracts import BACKTEST_COLUMNS, FORECAST_COLUMNS, QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.evaluation.cutoffs import plan_cutoffs as plan
from forecasting.ledger import publishing as publish
from forecasting.pipeline import planning as pipeline
from forecasting.registry import store, tracking
from forecasting.registry import versions as registry
from forecasting.run import Champion, Incumbent, Manifest
from forecasting.run.folder import RunFolder
from forecasting.run.workspace import Workspace
from forecasting.training_set import building as dataset
from project_copy import ProjectCopy
from synthetic import series
from test_gate import board_of, losses_of

ORDER = ["naive", "seasonal_naive", "linear"]
NAIVE_BETTER = {"naive": 0.6, "seasonal_naive": 1.0, "linear": 0.8}
LINEAR_BETTER = {"naive": 1.2, "seasonal_naive": 1.0, "linear": 0.8}


@dataclass
class Company:
    """A workspace with one domain, sales. `mase` is what each model scores in the next run."""

    place: Workspace
    mase: dict[str, float] = field(default_factory=lambda: LINEAR_BETTER)
    months: int = 48

    @property
    def folder(self) -> Path:
        return self.place.runs / "sales"

    def plan(self) -> dict:
        """Do what `make data` does after dbt, and return `incumbent.json`."""
        train = series([100.0 + m % 12 for m in range(self.months)], end=f"{pd.Period('2020-01') + self.months - 1}-01")
        self.folder.mkdir(parents=True, exist_ok=True)
        train.to_parquet(self.folder / "train_sales.parquet", index=False)
        facts = {"measure": "net amount", "last_fact": f"{train['ds'].max():%Y-%m-%d}"}
        (self.folder / "facts.json").write_text(json.dumps(facts))
        pipeline.plan(self.place, rebuilt=False)
        return json.loads((self.folder / "incumbent.json").read_text())

    def run(self) -> Manifest:
        """Plan, make a run's files up, publish, and return the manifest of the run in force."""
        self.plan()
        run = RunFolder.open(self.folder)
        train = run.training_set()
        run.write_table("cutoffs", plan(train["ds"]))
        board = board_of(self.mase)
        champion = gate.choose_champion(
            board, losses_of(board), run.cutoffs(), ORDER, run.read_json("incumbent"), gate.Gate()
        )
        run.write_json("champion", champion)
        write_tables(run, train, champion["name"])
        log_models(run, self.place.data, train)
        publish.publish(self.place)
        return promotion.in_force(self.place, "sales")

    def aliases(self) -> dict[str, str]:
        """Return the name of the model behind each alias."""
        client = store.open_store(self.place.data, "sales")
        known = client.get_registered_model("sales_monthly").aliases
        return {
            alias: client.get_model_version("sales_monthly", version).tags["model_name"]
            for alias, version in known.items()
        }

    def ask(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.place.published), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def write_tables(run: RunFolder, train: pd.DataFrame, champion: str) -> None:
    """Write what the notebooks leave: one forecast and one row of the back-test for each model."""
    cutoff = train["ds"].max()
    row = {name: 100.0 for name in ("scale", *QUANTILE_COLUMNS, "predicted_value", "lo_80", "hi_80", "lo_95", "hi_95")}
    row |= {"domain": "sales", "aggregation": "series", "unique_id": "North/Bikes", "region": "North", "product_category": "Bikes",
            "horizon": 1, "interval_pool": "series 1-3", "interval_n": 40, "is_fallback": False}  # fmt: skip
    made = [
        {**row, "cutoff": cutoff, "ds": cutoff + pd.DateOffset(months=1), "model_name": name, "status": status}
        for name, status in ((champion, "published"), ("seasonal_naive", "baseline"))
    ]
    tested = [
        {
            **row,
            "cutoff": cutoff - pd.DateOffset(months=1),
            "ds": cutoff,
            "model_name": name,
            "evaluation_set": "recent",
        }
        for name in ORDER
    ]
    run.write_table("forecasts", pd.DataFrame(made)[FORECAST_COLUMNS])
    run.write_table("evaluation", pd.DataFrame(tested)[BACKTEST_COLUMNS])
    run.write_table("restated_forecasts", evaluation.restated_forecasts(None, None))
    run.write_json("monitor", {"verdict": "ok"})
    run.write_json("check", {"warnings": []})
    run.write_json("significance", [])
    run.write_json("explanation", {})
    run.write_json("tests", [])
    for step in run.steps:
        (run.path / f"{step}.ipynb").write_text('{"metadata": {"papermill": {"duration": 1.0}}}')


def log_models(run: RunFolder, data: Path, train: pd.DataFrame) -> None:
    """Fit the models and log them, as the training notebooks do; a second time for the same data does nothing."""
    nothing = pd.DataFrame({"metric": ["n"], "value": [1.0]})
    for name in ORDER:
        model = models.get(name)().fit(train)
        model.save(run.path / "models" / name)
        tracking.log_step(run, data, "20_train_naive", name, {}, nothing, model_dir=run.path / "models" / name)
    for family in ("naive", "linear", "statistical", "intermittent", "boosting", "cnn_lstm"):
        run.write_json(f"trained_{family}", [name for name in ORDER if models.get(name).family == family])


@pytest.fixture(scope="module")
def company(root, tmp_path_factory) -> Company:
    place = tmp_path_factory.mktemp("project")
    for part in ("dbt", "notebooks", "reports", "src", "requirements.lock"):
        (place / part).symlink_to(root / part)
    shutil.copytree(root / "params", place / "params")
    found = Company(Workspace(place, "acme", "csv", "facts"))
    found.place.data.mkdir(parents=True)
    dataset.run_dbt(found.place, "build --select latest_runs counted_forecasts", {})
    store.prepare_store(found.place.data)
    (found.place.runs / "built.json").write_text('{"domains": ["sales"]}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            publish, "PUBLISHED", ["forecasts", "backtests", "actuals", "runs", "publications", "latest_runs"]
        )
        yield found


@pytest.fixture(scope="module")
def first(company) -> Manifest:
    """The manifest of the first run."""
    with pytest.raises(UserError, match="Nothing of sales has been published"):
        promotion.promote(company.place, "sales")
    return company.run()


def test_a_first_run_has_no_incumbent_and_registers_champion_and_challenger(company, first):
    assert asdict(first.incumbent) == {"name": None, "run_id": None, "decision": None}
    assert (first.champion.name, first.champion.verdict) == ("linear", "first")
    assert company.aliases() == {"champion": "linear", "challenger": "seasonal_naive"}
    client = store.open_store(company.place.data, "sales")
    versions = {
        alias: client.get_model_version_by_alias("sales_monthly", alias) for alias in ("champion", "challenger")
    }
    for version in versions.values():
        assert version.tags["run_id"] == first.run_id and first.run_id in version.description
        assert "improvement_pct" in [rule["name"] for rule in json.loads(version.tags["rules"])]
    ours, other = versions["champion"], versions["challenger"]
    assert ours.tags["verdict"] == "first" and ours.tags["reason"] == first.champion.reason
    assert "it became the champion" in ours.description and "20.0 % better" in ours.description
    assert other.tags["verdict"] == "challenger" and other.tags["reason"] in other.description
    assert "was the challenger" in other.description and "20.0 % better" not in other.description
    assert "it has MASE 1.000, «linear» 0.800." in other.description
    assert company.ask("select count(*) from forecasts where model_version is not null") == [(1,)]


def test_the_same_run_again_changes_nothing(company, first):
    before = (company.folder / "incumbent.json").stat().st_mtime_ns
    assert company.run().run_id == first.run_id
    assert (company.folder / "incumbent.json").stat().st_mtime_ns == before
    assert company.ask("select count(*) from runs") == company.ask("select count(*) from publications") == [(1,)]
    incumbent.forget(company.place, "sales")
    assert company.plan() == asdict(
        first.incumbent
    )  # looked up again, it is what the published run had, not that run's champion
    pipeline.plan(company.place)
    assert json.loads((company.folder / "incumbent.json").read_text()) == asdict(first.incumbent)


def test_nothing_can_be_rolled_back_after_the_first_run(company, first):
    with pytest.raises(UserError, match="nothing to roll back: linear has been the champion from the first run on"):
        promotion.rollback(company.place, "sales")


def test_the_next_month_challenges_the_champion_in_force(company, first):
    company.months, company.mase = 49, NAIVE_BETTER
    second = company.run()
    assert asdict(second.incumbent) == {"name": "linear", "run_id": first.run_id, "decision": None}
    assert (second.champion.name, second.champion.verdict) == ("naive", "promoted")
    client = store.open_store(company.place.data, "sales")
    described = [version.description for version in client.search_model_versions("name = 'sales_monthly'")]
    assert len(described) == 4 and all(text and "In the run of " in text for text in described)
    assert company.aliases() == {"champion": "naive", "challenger": "linear"}
    assert company.run().run_id == second.run_id
    assert company.ask("select count(*) from runs") == [(2,)]


def test_a_month_and_a_setting_that_are_taken_back_bring_back_their_run(company, first):
    second = promotion.in_force(company.place, "sales")
    company.months, company.mase = 48, LINEAR_BETTER
    assert company.run().run_id == first.run_id and company.aliases()["champion"] == "linear"
    company.months, company.mase = 49, NAIVE_BETTER
    settings = company.place.root / "params" / "workspaces" / "acme.yml"
    settings.write_text("gate_min_improvement_pct: 90.0\n")
    assert company.plan()["name"] == "linear" and company.plan()["run_id"] == first.run_id  # of the run in force
    settings.write_text("n_cutoffs: 5\n")  # which only the notebook of the data checks declares
    assert company.plan()["run_id"] == first.run_id
    settings.write_text(
        "horizon: 3\noutlier_threshold: 5.0\n"
    )  # which choose nothing: the same contest, though it is another run
    assert company.plan() == asdict(second.incumbent)
    third = company.run()
    assert third.contest == second.contest and third.run_id != second.run_id
    settings.unlink()
    assert company.run().run_id == second.run_id
    assert company.ask("select count(*) from runs") == [(3,)]
    assert company.ask("select run_id from latest_runs") == [(second.run_id,)]


def test_promote_takes_the_challenger_at_once_and_for_the_next_run(company):
    second = promotion.in_force(company.place, "sales")
    said = promotion.promote(company.place, "sales")
    assert "sales: linear is the champion from now on, in place of naive" in said and "run `make report`" in said
    assert company.aliases() == {"champion": "linear", "challenger": "naive"}
    with pytest.raises(UserError, match="linear was already chosen by a person"):
        promotion.promote(company.place, "sales", "linear")
    decision = company.plan()["decision"]
    third = company.run()
    assert third.champion.verdict == "chosen_by_person" and third.champion.gate_choice == "naive"
    assert third.run_id != second.run_id and third.champion.chosen_on == decision["on"]
    assert company.aliases() == {"champion": "linear", "challenger": "naive"}
    company.months = 50  # a decision holds in the next months, and the gate goes on beside it
    fourth = company.run()
    assert fourth.champion.name == "linear" and fourth.incumbent.decision == decision
    assert fourth.incumbent.name == "naive" and fourth.champion.gate_choice == "naive"


def test_rollback_takes_a_promotion_back(company):
    said = promotion.rollback(company.place, "sales")
    assert "the choice of linear is taken back; naive is the champion again, as the gate chose" in said
    assert company.aliases()["champion"] == "naive"
    back = company.run()
    assert (back.champion.name, back.champion.verdict) == ("naive", "kept")
    assert back.incumbent.decision is None


def test_rollback_of_the_gates_change_brings_the_champion_before_back(company):
    """It is found though the gate's change is a month old; it holds as a person's decision, and can be taken back itself."""
    assert "linear is the champion again, in place of naive" in promotion.rollback(company.place, "sales")
    assert company.run().champion.verdict == "chosen_by_person"
    assert "in place of linear" in promotion.promote(company.place, "sales", "seasonal_naive")
    assert "seasonal_naive is taken back; linear is the champion again, as a person chose" in promotion.rollback(
        company.place, "sales"
    )
    assert "linear is taken back; naive is the champion again" in promotion.rollback(company.place, "sales")
    assert registry.decision(company.place.data, "sales") is None
    assert [entry["action"] for entry in registry.decisions(company.place.data, "sales")] == [
        *("promote", "rollback", "rollback", "promote", "rollback", "rollback")
    ]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["promote", "--domain=sale"], "DOMAIN='sale' is no domain: say DOMAIN=sales"),
        (["promote", "--domain=profit"], "Nothing of profit has been published"),
        (
            ["promote", "--domain=sales", "--model=thetta"],
            "thetta is no model of the run in force. Say which with MODEL=…: naive",
        ),
        (["rollback"], "DOMAIN='' is no domain"),
    ],
)
def test_mistakes_are_users_errors(company, capsys, monkeypatch, command, words):
    monkeypatch.setattr("forecasting.__main__.ROOT", company.place.root)
    assert main([*command, "--name=acme"]) == 2
    assert words in capsys.readouterr().err
    assert registry.decision(company.place.data, "sales") is None


def test_a_veto_is_rolled_back_to_what_it_refused():
    """By the line of incumbents: runs that are not in it, of a setting that was taken back, do not count."""
    runs = [
        Manifest(run_id, domain="sales", champion=Champion(gate_choice=name), incumbent=Incumbent(before, of))
        for run_id, name, before, of in [
            ("d", "seasonal_naive", "seasonal_naive", "c"),
            ("mistake", "cnn_lstm", "linear", "b"),
            ("c", "seasonal_naive", "linear", "b"),
            ("b", "linear", "naive", "a"),
            ("a", "naive", None, None),
        ]
    ]
    assert promotion.before_the_gate_changed_it(runs) == "linear"
    assert promotion.before_the_gate_changed_it(runs[3:]) == "naive"
    for lone in (runs[4:], [Manifest.from_json({"run_id": "old", "champion": {"name": "linear"}})]):
        with pytest.raises(UserError, match="nothing to roll back"):
            promotion.before_the_gate_changed_it(lone)


@pytest.mark.parametrize("target", ["promote", "rollback"])
def test_make_hands_over_what_its_command_line_says(root, tmp_path, target):
    project = ProjectCopy.of(root, tmp_path / "project")
    done = project.make(target, "DOMAIN=it's", "MODEL=linear")
    assert done.returncode == 2 and 'DOMAIN="it\'s" is no domain' in done.stderr
    assert not (project.path / "data" / "sample").exists()  # it held the workspace, wrote nothing, and left nothing
