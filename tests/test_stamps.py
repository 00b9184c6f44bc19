"""Which change makes which step run again."""

import json

import pytest

from forecasting.files import write_if_changed
from forecasting.run import stamps

VALUES = {"threshold": 6.0, "names": ["a"], "horizon": 6, "seed": 1, "flag": True}


def both(project, values=VALUES, page=False):
    """Return the stamps of the two notebooks, reading every file anew."""
    stamps.closure.cache_clear()
    stamps.lock_hash.cache_clear()
    folder = project / "notebooks"
    return [
        stamps.step_stamp(project, folder / name, values, page) for name in ("10_check_data.ipynb", "20_train_x.ipynb")
    ]


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("src/forecasting/one.py", [True, False]),
        ("src/forecasting/three.py", [False, True]),  # reached through two
        ("src/forecasting/models/x.py", [False, True]),  # the family, found by the notebook's name
        ("src/forecasting/plots.py", [False, False]),
        ("requirements.lock", [True, True]),
    ],
)
def test_a_changed_file_reaches_the_steps_that_use_it(project, file, changes):
    before = both(project)
    (project / file).write_text("x = 1\n")
    after = both(project)
    assert [old != new for old, new in zip(before, after, strict=True)] == changes


def test_other_weights_reach_the_step_that_uses_them_and_another_card_none(project):
    (project / "src/forecasting/models/x.py").unlink()
    family = project / "src/forecasting/models/x"
    (family / "pretrained").mkdir(parents=True)
    (family / "__init__.py").write_text("x = 1\n")
    before = both(project)
    (family / "pretrained/model_card.json").write_text("{}")
    assert both(project) == before
    (family / "pretrained/model.ckpt").write_bytes(b"weights")
    after = both(project)
    assert [old != new for old, new in zip(before, after, strict=True)] == [False, True]
    (family / "pretrained/model.ckpt").write_bytes(b"others")
    assert both(project)[1] not in (before[1], after[1])


def test_of_the_lock_only_versions_count(project):
    before = both(project)
    (project / "requirements.lock").write_text("pandas==2.3.3\n    --hash=sha256:0\n")
    assert both(project) == before
    (project / "requirements.lock").write_text("pandas==2.3.4\n    --hash=sha256:0\n")
    assert all(old != new for old, new in zip(before, both(project), strict=True))


def test_a_new_colour_reaches_the_pages(project):
    before = both(project, page=True)
    (project / "src/forecasting/plots.py").write_text("colour = 'red'\n")
    assert both(project, page=True)[1] != before[1]


def test_a_parameter_reaches_only_the_notebook_that_declares_it(project):
    before = both(project)
    after = both(project, {**VALUES, "seed": 2})
    assert [old != new for old, new in zip(before, after, strict=True)] == [False, True]


def test_outputs_and_metadata_of_a_notebook_do_not_count_but_its_text_does(project):
    path = project / "notebooks" / "10_check_data.ipynb"
    before = both(project)[0]
    content = json.loads(path.read_text())
    content["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hello"}]
    content["metadata"]["papermill"] = {"duration": 3}
    path.write_text(json.dumps(content))
    assert both(project)[0] == before
    content["cells"][1]["source"] += "\n# a remark"
    path.write_text(json.dumps(content))
    assert both(project)[0] != before


def test_writing_the_same_content_leaves_the_file_alone(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    assert write_if_changed(path, "a")
    time = path.stat().st_mtime_ns
    assert not write_if_changed(path, b"a")
    assert path.stat().st_mtime_ns == time
    assert write_if_changed(path, "b")
    assert path.read_text() == "b" and [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize(
    ("step", "modules"),
    [
        ("10_check_data", {"training_set.checks", "evaluation.cutoffs"}),
        (
            "20_train_naive",
            {
                "models.naive",
                "evaluation.backtest",
                "series.hierarchy",
                "intervals.reconciliation",
                "intervals.conformal",
            },
        ),
        ("20_train_statistical", {"models.statistical", "series.seasonality", "series.history"}),
        (
            "20_train_boosting",
            {
                "models.boosting",
                "models.boosting.direct",
                "series.windows.normalization",
                "series.seasonality",
                "series.history",
            },
        ),
        (
            "20_train_cnn_lstm",
            {"models.cnn_lstm", "models.cnn_lstm.training", "series.windows.normalization", "models.cnn_lstm.network"},
        ),
        ("25_combine", {"models.combination", "models.combination.combining", "intervals.calibration"}),
        ("30_evaluate", {"choice.gate", "choice.verdict", "evaluation.ranking", "evaluation.significance"}),
    ],
)
def test_the_real_steps_find_their_modules(root, step, modules):
    """Also those that a model imports only when it is fitted; and none of the report's."""
    package = root / "src" / "forecasting"
    names = stamps.notebook_modules(root / "notebooks" / f"{step}.ipynb", package)
    reached = set(stamps.closure(frozenset(names), package))
    assert {f"forecasting.{module}" for module in modules} <= reached
    assert not any(name.startswith(("forecasting.report", "forecasting.benchmark")) for name in reached)


def test_publishing_finds_its_modules(root):
    package = root / "src" / "forecasting"
    reached = stamps.closure(frozenset({"forecasting.ledger.publishing"}), package)
    assert {
        "forecasting.ledger.publishing",
        "forecasting.registry.store",
        "forecasting.registry.versions",
        "forecasting.contracts",
    } <= set(reached)


def test_a_door_leads_to_the_modules_that_are_used_and_to_no_others(tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    (tmp_path / "__init__.py").write_text("")
    (room / "__init__.py").write_text("from forecasting.room.near import a, b\nfrom forecasting.room.far import c\n")
    (room / "near.py").write_text("a = b = 1\n")
    (room / "far.py").write_text("c = 1\n")
    assert stamps.imported("from forecasting.room import a, b", tmp_path) == {"forecasting.room.near"}
    assert stamps.imported("from forecasting import room\nroom.c", tmp_path) == {"forecasting.room.far"}
    assert stamps.imported("from forecasting.room import far", tmp_path) == {"forecasting.room.far"}
    assert stamps.imported("from forecasting.room.near import a", tmp_path) == {"forecasting.room.near"}
