"""What Make runs again when something changes: its real rules, with a command that only leaves the files that a step leaves."""

import os
import sys
from pathlib import Path

import pytest

from project_copy import ProjectCopy

DOMAIN = Path("runs/sample/sales")
TRAIN = ("20_train_naive", "20_train_linear")
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
    stamps = [f"sales-{step}" for step in ("10_check_data", *TRAIN, *AFTER[:-1])]
    inputs = [f"runs/sample/stamps/{name}.stamp" for name in (*stamps, "data", "publish")]
    for name in (*inputs, *(DOMAIN / file for file in ("train_sales.parquet", "facts.json", "incumbent.json"))):
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
    assert first[0] == "10_check_data" and set(first[1:3]) == set(TRAIN) and tuple(first[3:]) == AFTER
    assert ran(project, "-j4") == []
    assert "command.py" not in project.made("--dry-run", "_published", "NAME=sample", "FC=python command.py")


@pytest.mark.parametrize(("planned", "again"), [("six", ("publish",)), ("five", (*TRAIN, *AFTER))])
def test_what_the_checks_found_trains_anew_only_where_the_cutoffs_are_others(project, planned, again):
    """A new threshold for outliers, then a new number of cutoffs: both are settings of notebook 10."""
    ran(project)
    os.utime(project.path / "runs/sample/stamps/sales-10_check_data.stamp")
    (project.path / "planned").write_text(planned)
    assert sorted(ran(project)) == sorted(("10_check_data", *again))
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
