"""What Make runs again when something changes: its real rules, with a command that only leaves the files that a step leaves."""

import os
import sys
from pathlib import Path

import pytest

from project_copy import ProjectCopy

DOMAIN = Path("runs/sample/sales")
TRAIN = ("20_train_naive", "20_train_linear")
BEFORE = ("due.parquet", "known.parquet", "quiet.parquet", "before.json")  # what `data` leaves for the monitor
AFTER = ("25_combine", "30_evaluate", "40_forecast", "publish")
# `python command.py step sales 10_check_data …`; 10 leaves the cutoffs that the file `planned` says, as RunFolder.write_table does.
COMMAND = """
import sys
from pathlib import Path
sys.path.insert(0, "src")
from forecasting.files import write_if_changed
what, *rest = sys.argv[1:]
name = rest[1] if what == "step" else what
with open("log.txt", "a") as log:
    log.write(name + "\\n")
if name == "10_check_data":
    write_if_changed(Path("runs/sample/sales/cutoffs.parquet"), Path("planned").read_text())
target = Path("runs/sample/sales") / f"{name}.ipynb" if what == "step" else Path("data/sample/published.duckdb")
target.write_text("done")
"""


@pytest.fixture
def project(root, tmp_path) -> ProjectCopy:
    """A project whose workspace is planned: one domain, two families, and nothing has run."""
    copy = ProjectCopy.of(root, tmp_path / "project")
    (copy.path / "command.py").write_text(COMMAND)
    (copy.path / "planned").write_text("six")
    (copy.path / "data" / "sample").mkdir(parents=True)
    (copy.path / DOMAIN).mkdir(parents=True)
    (copy.path / "runs/sample/plan.mk").write_text("DOMAINS := sales\nFAMILIES := naive linear\n")
    stamps = [f"sales-{step}" for step in ("10_check_data", "50_monitor", *TRAIN, *AFTER[:-1])]
    inputs = [f"runs/sample/stamps/{name}.stamp" for name in (*stamps, "data", "publish")]
    for name in (
        *inputs,
        *(
            DOMAIN / file
            for file in ("train_sales.parquet", "facts.json", "incumbent.json", "known_before.json", *BEFORE)
        ),
    ):
        path = copy.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("first")
        os.utime(path, (1e9, 1e9))
    return copy


def ran(project: ProjectCopy, *options: str) -> list[str]:
    """Run Make as `make run` does after `make data`, and return which steps ran, in order."""
    log = project.path / "log.txt"
    log.write_text("")
    project.made(*options, "_published", "NAME=sample", f"FC={sys.executable} command.py")
    return log.read_text().split()


def test_training_waits_for_the_cutoffs_and_nothing_runs_twice(project):
    first = ran(project, "-j4")
    assert first[0] == "10_check_data"
    assert tuple(step for step in first[1:] if step not in (*TRAIN, "50_monitor")) == AFTER
    assert max(map(first.index, TRAIN)) < first.index("25_combine") and first.index("50_monitor") < first.index(
        "publish"
    )
    assert ran(project, "-j4") == []
    assert "command.py" not in project.made("--dry-run", "_published", "NAME=sample", "FC=python command.py")


@pytest.mark.parametrize(("planned", "again"), [("six", ("publish",)), ("five", (*TRAIN, *AFTER))])
def test_what_the_checks_found_trains_anew_only_where_the_cutoffs_are_others(project, planned, again):
    """A new threshold for outliers, then a new number of cutoffs: both are settings of notebook 10."""
    ran(project)
    os.utime(project.path / "runs/sample/stamps/sales-10_check_data.stamp")
    (project.path / "planned").write_text(planned)
    assert sorted(ran(project)) == sorted(("10_check_data", "50_monitor", *again))
    assert ran(project) == []


@pytest.mark.parametrize(("target", "last"), [("", ":"), ("postgres", "-m forecasting publish-to --target=postgres")])
def test_where_else_to_publish_comes_after_the_report(project, target, last):
    """`publish_to` in params/, as plan.mk says it; the steps that are counted beforehand include it."""
    with (project.path / "runs/sample/plan.mk").open("a") as plan:
        plan.write(f"PAGES := index\nPUBLISH_TO := {target}\n")
    for stamp in ("page-index", "render"):
        (project.path / f"runs/sample/stamps/{stamp}.stamp").write_text("first")
    said = project.made("--dry-run", "_all_pages", "_pages", "NAME=sample").splitlines()
    steps = [line for line in said if "-m forecasting" in line]
    assert last in said[-1] and said[0].startswith(f": of {len(steps)} ")


def test_a_domain_published_by_itself_leaves_the_others_to_be_published(project):
    """`make cycle-persist DOMAIN=profit` makes the file newer than the forecast of sales that is not in it."""
    ran(project)
    os.utime(project.path / "runs/sample/stamps/sales-40_forecast.stamp")
    stage = ("NAME=sample", "DOMAIN=sales", "PAGES=index", f"FC={sys.executable} command.py")
    log = project.path / "log.txt"
    log.write_text("")
    project.made("_predict", *stage)
    os.utime(project.path / "data/sample/published.duckdb")
    assert log.read_text().split() == ["40_forecast"]
    assert ran(project) == ["publish"] and ran(project) == []


def test_the_stages_of_a_domain_end_where_they_should(project):
    """One after another they run what a whole run does, each its own steps; again, they run nothing but the publication, which is idle."""
    stages = {"check": ["10_check_data", "50_monitor"], "train": [*sorted(TRAIN), "25_combine"], "log": ["30_evaluate"],
              "predict": ["40_forecast"], "persist": ["publish"]}  # fmt: skip
    log = project.path / "log.txt"
    for again in (False, True):
        for stage, steps in stages.items():
            log.write_text("")
            project.made(f"_{stage}", "NAME=sample", "DOMAIN=sales", "PAGES=index", f"FC={sys.executable} command.py")
            assert sorted(log.read_text().split()) == sorted(steps if stage == "persist" or not again else [])
        assert not (project.path / DOMAIN / "unpublished").exists()
    assert ran(project) == []


@pytest.mark.parametrize("stage", ["_train", "_log", "_predict", "_persist"])
def test_no_stage_goes_before_the_decision(project, stage):
    """`make cycle-data` leaves a plan without pages; what is forecast from it would be of no known run."""
    refused = project.make(stage, "NAME=sample", "DOMAIN=sales", f"FC={sys.executable} command.py")
    assert refused.returncode == 2 and "make cycle-decide" in refused.stderr
    assert not (project.path / "log.txt").exists()


def test_what_planners_left_is_published_and_what_they_changed_is_shown(project):
    """A form of the dashboard waits in the inbox; `make override` notes what it changed and leaves the published file's time alone."""
    ran(project)
    waits = project.path / "data/sample/overrides/inbox/one.json"
    waits.parent.mkdir(parents=True)
    waits.write_text("{}")
    assert ran(project) == ["publish"]
    waits.unlink()  # taken in
    assert ran(project) == []
    with (project.path / "runs/sample/plan.mk").open("a") as plan:
        plan.write("PAGES := index\n")
    for name in ("stamps/page-index.stamp", "stamps/render.stamp", "pages/index.ipynb", "report/index.html"):
        path = project.path / "runs/sample" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("first")
    assert "command.py" not in project.made("--dry-run", "_pages", "NAME=sample", "FC=python command.py")
    (waits.parents[1] / "changed.json").write_text("{}")
    said = project.made("--dry-run", "_pages", "NAME=sample", "FC=python command.py").splitlines()
    assert [line.split("command.py ")[1].split()[0] for line in said if "command.py " in line] == ["page", "render"]
