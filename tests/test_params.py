"""What an analyst may write in params/, and what each mistake says."""

import pytest
import yaml

from conftest import write_notebook
from forecasting.contracts import DOMAINS
from forecasting.errors import UserError
from forecasting.run import params


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
    ],
)
def test_a_mistake_is_named_with_its_file_and_what_to_write(project, line, words):
    (project / "params" / "default.yml").write_text(line + "\n")
    with pytest.raises(UserError) as error:
        params.resolve(project, "acme", "sales")
    for word in words:
        assert word in str(error.value)


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
        ({"gate_max_bias_loss_pct": -0.5}, "gate_max_bias_loss_pct must be at least 0, found -0.5"),
    ],
)
def test_the_gate_has_ranges_of_its_own(values, words):
    with pytest.raises(UserError, match=words):
        params.checked_ranges(values)


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
