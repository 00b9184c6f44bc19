"""The report's pages are listed once: a new one is its notebook and a line, and one of the benchmark waits for its results."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from forecasting.contracts import DOMAINS
from forecasting.pipeline import plan
from forecasting.run import PAGES, RESULTS, Workspace, pages_of
from project_copy import ProjectCopy
from synthetic import series

PLAN_AND_RENDER = """
from pathlib import Path
from forecasting.pipeline import plan
from forecasting.run import Workspace
from forecasting.site import render
place = Workspace(Path.cwd(), "sample", "sample", None)
plan(place)
render(place.runs / "pages", place.runs / "report", "acme")
"""


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> ProjectCopy:
    """A planned workspace with sales only, in a project that has a page more: a notebook and a line."""
    copy = ProjectCopy.of(root, tmp_path_factory.mktemp("pages") / "project")
    listed = copy.path / "src" / "forecasting" / "run" / "pages.py"
    text = listed.read_text(encoding="utf-8")
    line = '    Page("glossary", "Glossary"),\n'
    assert text.count(line) == 1
    listed.write_text(text.replace(line, '    Page("hello", "Say hello"),\n' + line), encoding="utf-8")
    shutil.copy(copy.path / "reports" / "glossary.ipynb", copy.path / "reports" / "hello.ipynb")
    runs = copy.path / "runs" / "sample"
    for folder in (runs / "sales", runs / "stamps", runs / "pages", copy.path / "data" / "sample"):
        folder.mkdir(parents=True)
    series([float(100 + m % 12) for m in range(48)]).to_parquet(runs / "sales" / "train_sales.parquet", index=False)
    (runs / "built.json").write_text(json.dumps({"domains": ["sales"]}))
    for made in ("sales/facts.json", "sales/cutoffs.parquet", "stamps/data.stamp"):
        (runs / made).write_text("{}")
    for page in ("index", "hello"):
        shutil.copy(copy.path / "reports" / f"{page}.ipynb", runs / "pages")
    return copy


def to_do(project: ProjectCopy) -> str:
    """Return what Make would do for the report."""
    return project.made("--dry-run", "_pages", "NAME=sample")


def test_a_page_more_is_a_notebook_and_a_line(project):
    environment = {**project.environment(), "PYTHONPATH": "src"}
    subprocess.run([sys.executable, "-c", PLAN_AND_RENDER], cwd=project.path, env=environment, check=True)
    said = to_do(project)
    assert all(f"-m forecasting page {page} " in said for page in ("sales", "hello", "glossary"))
    assert "page profit" not in said and "page benchmark" not in said
    report = project.path / "runs" / "sample" / "report"
    assert (report / "hello.html").exists()
    assert '<a href="hello.html">Say hello</a>' in (report / "index.html").read_text(encoding="utf-8")


def test_the_page_of_the_benchmark_is_made_of_its_results(project):
    place = Workspace(project.path, "sample", "sample", None)
    results = place.root / RESULTS
    results.parent.mkdir()
    results.write_text("dataset,model\n")
    plan(place, rebuilt=False)
    assert "-m forecasting page benchmark " in to_do(project)
    project.made("--touch", "_pages", "NAME=sample")
    assert "-m forecasting" not in to_do(project)
    os.utime(results, (2e9, 2e9))  # the benchmark has been run again
    assert re.findall(r"-m forecasting (\w+ \w*)", to_do(project)) == ["page benchmark", "render "]
    results.unlink()
    place.published.unlink()  # Make, which only touched it, left an empty file
    plan(place, rebuilt=False)
    assert "page benchmark" not in to_do(project)


def test_nobody_else_lists_the_pages(root):
    """Make reads the list from plan.mk. The names that are left out here mean other things as well."""
    names = {page.name for page in PAGES} - {"index", *DOMAINS, "accuracy", "benchmark"}
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert len(names) >= 3 and not [name for name in names if name in makefile]
    assert {page.source for page in PAGES} == {path.name for path in (root / "reports").glob("*.ipynb")}


def test_pages_follow_what_is_there():
    assert [page.name for page in pages_of(("profit",), True)] == [
        *("index", "profit", "accuracy", "model_card", "data_quality", "benchmark", "glossary")
    ]
    assert [page.name for page in pages_of((), False) if page.domain or page.shows_benchmark] == []
