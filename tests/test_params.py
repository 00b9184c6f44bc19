"""What an analyst may write in params/, and what each mistake says."""

import pytest
import yaml

from conftest import write_notebook
from forecasting import models
from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.run import params, ranges


@pytest.fixture(autouse=True)
def forget_notebooks():
    params.declared_anywhere.cache_clear()


def test_later_layers_win_and_sections_speak_to_one_domain(project):
    folder = project / "params"
    (folder / "sales.yml").write_text("horizon: 3\nthreshold: 5\n")
    (folder / "smoke.yml").write_text("threshold: 4\n")
    (folder / "workspaces").mkdir()
    (folder / "workspaces" / "acme.yml").write_text("seed: 9\nsales:\n  seed: 10\n")
    found = params.resolve(project, "acme", "sales", "smoke")
    assert (found["horizon"], found["threshold"], found["seed"]) == (3, 4, 10)
    assert params.resolve(project, "acme", "profit", None)["seed"] == 9
    assert params.resolve(project, "other", "profit", None) == yaml.safe_load((folder / "default.yml").read_text())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("horizn: 3", ["params/default.yml", "«horizn»", "«horizon»"]),
        ("zzz: 3", ["«zzz»", "Known: ", "horizon"]),
        ("horizon: six", ["horizon must be a whole number", "'six'"]),
        ("horizon: true", ["horizon must be a whole number"]),
        ("threshold: many", ["threshold must be a number"]),
        ("names: a", ["names must be a list"]),
        ("flag: 1", ["flag must be true or false"]),
        ("horizon: 7", ["from 1 to 6", "found 7"]),
        ("domains: [sale]", ["sales, inventory, profit", "sale"]),
        ("as_of: 2025-06-30", ["in quotes", "2025-06-30"]),
        ("as_of: 'June'", ["'2025-06-30'", "'June'"]),
        ("run_dir: elsewhere", ["«run_dir»"]),
        ("sales:\n  horizn: 3", ["«horizn»"]),
        ("sales: 3", ["indented"]),
        ("names: []", ["names is an empty list"]),
        ("names: [1]", ["each entry of names must be text", "1"]),
        ("threshold: .nan", ["threshold must be a number", "nan"]),
        ("horizon: [", ["cannot be read as YAML"]),
        ("- horizon", ["name: value"]),
        ("horizon: 3\nseed: 2\nhorizon: 4", ["«horizon» stands there twice", "line 3"]),
        ("sales:\n  seed: 1\n  seed: 1", ["«seed» stands there twice", "line 3"]),
        ("sales: {seed: 1}\nsales: {seed: 2}", ["«sales» stands there twice"]),
        ("\"seed\": 1\n'seed': 2", ["«seed» stands there twice", "line 2"]),
        ("? seed\n: 1\nseed: 2", ["«seed» stands there twice"]),
        ("names: {a: {b: 1, b: 2}}", ["«b» stands there twice"]),
        ("names: [{b: 1, b: 2}]", ["«b» stands there twice"]),
        ("names: {1: a, '1': b}", ["«1» stands there twice"]),
        ("names: {on: a, yes: b}", ["on, yes two mean the same", "in quotes"]),
        ("names: {1: a, 1.0: b}", ["two mean the same"]),
        ("names: {1: a, 0x1: b}", ["two mean the same"]),
        ("names: {null: a, ~: b}", ["two mean the same"]),
        ("names: {10: a, 1_0: b}", ["two mean the same"]),
        ("<<: {seed: 1}\nseed: 2", ["«<<»", "write it out"]),
        ("seed: 1\n---\nseed: 2", ["cannot be read as YAML"]),
        ("names: [a, b, a]", ["names holds a more than once"]),
        ("as_of: 2025-13-45", ["cannot be read as YAML", "month must be in 1..12"]),
        ("as_of: '2025-W26-1'", ["as_of must be a date like '2025-06-30'", "2025-W26-1"]),
        ("publish_to: mysql", ["nowhere, postgres", "mysql"]),
        ("publish_schema: pg_catalog", ["publish_schema", "'pg_catalog'"]),
        ("publish_schema: ''", ["publish_schema", "''"]),
        (f"publish_schema: {'ü' * 32}", ["publish_schema", "63 bytes"]),
        ("publish_readers: [a, a]", ["publish_readers holds a more than once"]),
        ("publish_readers: [1]", ["each entry of publish_readers must be text"]),
        ("countries: {North: 1}", ["countries", "'North': 1"]),
        ("countries: {North: ' '}", ["countries", "'North': ' '"]),
        ("like: {North/New: 1}", ["like", "'North/New': 1"]),
        ("like: {North/New: North/New}", ["like", "'North/New': 'North/New'"]),
        ("as_of: '20250630'", ["as_of must be a date like"]),
        ("as_of: '2025-02-30'", ["as_of must be a date like"]),
        ("as_of: ''", ["as_of must be a date like"]),
        ("as_of: '２０２５-06-30'", ["as_of must be a date like"]),
        ("names: " + "[" * 20_000, ["nested too deeply"]),
        ("".join(f"{' ' * depth}a:\n" for depth in range(1200)), ["nested too deeply"]),
        ("names: &x [a]\nsales: {names: *x}", ["alias «*x»", "line 2"]),
        ("# " + "x" * 1_000_001, ["more than 1,000,000 bytes"]),
        ("horizon: " + "9" * 5000, ["cannot be read as YAML"]),
        ("domains: [1]", ["each entry of domains must be text"]),
        ("names: {a: " + "[1, " * 50 + "]" * 50 + "}", ["names must be a list"]),
        ("[1]: 2", ["params/default.yml"]),
        ("horizon: 1\x00", ["cannot be read as YAML"]),
        ("x" * 900 + ": 1", ["no notebook declares"]),
    ],
)
def test_a_mistake_is_named_with_its_file_and_what_to_write(project, line, words):
    (project / "params" / "default.yml").write_text(line + "\n")
    with pytest.raises(UserError) as error:
        params.resolve(project, "acme", "sales")
    for word in words:
        assert word in str(error.value)
    assert len(str(error.value)) < 1000


def test_a_settings_file_that_cannot_be_read_is_named(project):
    (project / "params" / "default.yml").write_bytes("currency: Ä".encode("latin-1"))
    with pytest.raises(UserError, match=r"params/default\.yml cannot be read as YAML"):
        params.resolve(project, "acme", "sales")
    (project / "params" / "sales.yml").mkdir()
    (project / "params" / "default.yml").write_text("")
    with pytest.raises(UserError, match=r"params/sales\.yml is no file"):
        params.resolve(project, "acme", "sales")


@pytest.mark.parametrize(
    ("file", "text"), [("sales.yml", "domains: [sales]"), ("default.yml", "sales:\n  domains: [sales]")]
)
def test_a_setting_of_the_whole_run_is_not_for_one_domain(project, file, text):
    (project / "params" / file).write_text(text + "\n")
    with pytest.raises(UserError, match=f"params/{file}: domains is for all domains"):
        params.resolve(project, "acme", "sales")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"gate_metric": "mape"}, "gate_metric may hold mase, rmsse, wape, scaled_crps; found mape"),
        ({"gate_max_bias_loss_pct": -0.5}, "gate_max_bias_loss_pct must be from 0 to 1000, found -0.5"),
        ({"boosting_trees": 0}, "boosting_trees must be from 1 to"),
        ({"boosting_learning_rate": 0.0}, "boosting_learning_rate must be above 0 and at most 1, found 0.0"),
        ({"boosting_learning_rate": -1}, "boosting_learning_rate must be above 0"),
        ({"boosting_leaves": 1}, "boosting_leaves must be from 2 to"),
        ({"cnn_lstm_steps": 0}, "cnn_lstm_steps must be from 1 to"),
        ({"cnn_lstm_networks": 0}, "cnn_lstm_networks must be from 1 to"),
        ({"cnn_lstm_hidden": 0}, "cnn_lstm_hidden must be from 1 to"),
        ({"cnn_lstm_seed": -1}, "cnn_lstm_seed must be from 0 to"),
        ({"cnn_lstm_seed": 10**400}, "cnn_lstm_seed must be from 0 to"),
        ({"linear_penalties": [10.0, -1]}, "each entry of linear_penalties must be above 0 .*, found -1"),
        ({"linear_penalties": [10.0, 10]}, "linear_penalties holds 10 more than once"),
        ({"linear_month_effects": [True, True]}, "linear_month_effects holds True more than once"),
        ({"families": ["naive", "naive"]}, "families holds naive more than once"),
        ({"domains": ["sales", "sales"]}, "domains holds sales more than once"),
        ({"combination_power": -0.1}, "combination_power must be from 0 to"),
        ({"outlier_threshold": 0}, "outlier_threshold must be above 0"),
        ({"n_cutoffs": 0}, "n_cutoffs must be from 1 to"),
        ({"min_train_months": 12}, "min_train_months must be from 13 to"),
        ({"n_calibration": -1}, "n_calibration must be from 0 to"),
        ({"memory_limit": "50%"}, "memory_limit must be a size like '4GB' or '4000MB', found '50%'"),
        ({"memory_limit": "4"}, "memory_limit must be a size"),
        ({"memory_limit": "0.4GB"}, "memory_limit must be 500MB or more, found '0.4GB'"),
    ],
)
def test_values_out_of_their_range_are_refused_at_the_door(values, words):
    with pytest.raises(UserError, match=words):
        ranges.checked_ranges(values)


def test_every_number_that_an_analyst_may_set_has_a_range(root):
    defaults = yaml.safe_load((root / "params" / "default.yml").read_text(encoding="utf-8"))
    first = {key: next(iter(value), None) if isinstance(value, list) else value for key, value in defaults.items()}
    numbers = {key for key, value in first.items() if isinstance(value, int | float) and not isinstance(value, bool)}
    assert numbers == set(ranges.RANGES)


@pytest.mark.parametrize(
    "profile", ["x" * 300, "../smoke", "workspaces/acme", "default", "sales", "\0", "smoke.yml", "."]
)
def test_a_profile_is_one_of_those_that_exist(project, profile):
    (project / "params" / "smoke.yml").write_text("")
    with pytest.raises(UserError, match=r"no profile params/.*exist: smoke\."):
        params.resolve(project, "acme", "sales", profile)


def test_an_unknown_profile_lists_those_that_exist(project):
    (project / "params" / "smoke.yml").write_text("")
    with pytest.raises(UserError, match=r"params/somke\.yml.*smoke"):
        params.resolve(project, "acme", "sales", "somke")


def test_a_parameters_cell_holds_literals_only(tmp_path):
    notebook = write_notebook(tmp_path / "n.ipynb", "a = 1\nb = a + 1")
    with pytest.raises(UserError, match="line 2"):
        params.declared(notebook)


def test_each_notebook_gets_only_what_it_declares(project):
    found = params.for_notebook(
        {"horizon": 3, "threshold": 1.0, "as_of": None}, project / "notebooks" / "20_train_x.ipynb"
    )
    assert found == {"horizon": 3}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("profile", [None, "smoke"])
def test_the_shipped_files_are_valid(root, domain, profile):
    found = params.resolve(root, "adventureworks", domain, profile)
    assert found["currency"] == "USD"
    assert params.resolve(root, "sample", domain, profile)["currency"] == "EUR"


def test_nobody_states_a_currency_for_a_company(root):
    assert params.resolve(root, "acme", "sales")["currency"] is None


def test_by_hand_a_notebook_uses_the_values_of_default_yml(root):
    defaults = yaml.safe_load((root / "params" / "default.yml").read_text(encoding="utf-8"))
    declared = params.declared_anywhere(root)
    assert set(declared) - set(defaults) == set()
    for notebook in (root / "notebooks").glob("*.ipynb"):
        for name, value in params.declared(notebook).items():
            if name not in params.INJECTED and name not in {"allow_negative"}:  # which differs by domain
                assert value == defaults[name], (notebook.name, name)


@pytest.mark.parametrize("profile", ["large", "smoke"])
def test_the_profiles_that_come_along_name_what_there_is(root, profile):
    settings = params.resolve(root, "acme", "sales", profile)
    assert settings != params.resolve(root, "acme", "sales")
    for family in settings["families"]:
        assert models.chosen(family, settings.get(f"{family}_models"))


def test_many_series_are_forecast_by_what_scales(root):
    """No model is fitted series by series but what takes milliseconds, and every kind of series has one that speaks of it."""
    settings = params.resolve(root, "acme", "sales", "large")
    chosen = [one for family in settings["families"] for one in models.chosen(family, settings.get(f"{family}_models"))]
    assert all(model.quick for model in chosen if model.is_local)
    assert {"seasonal_naive", "tsb"} <= {model.name for model in chosen}
