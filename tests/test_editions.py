"""Editions: each report is kept under its date, links the earlier ones, and appears whole or not at all."""

import io
import re
import shutil
import zipfile
from pathlib import Path

import duckdb
import nbformat
import pytest

from forecasting.pipeline import planning as pipeline
from forecasting.report.files import FILES
from forecasting.run import stamps
from forecasting.site import beside, editions
from forecasting.site import rendering as render
from forecasting.site.editions import Edition
from report_fixtures import Company, build
from report_pages import Page

SMALL = Company(domains=("sales",), regions=("All",), categories=("All",), walk_forward=False)
FIGURE = '{"data":[{"type":"scatter","x":[1,2],"y":[3,4]}],"layout":{}}'
CHART = (
    '<figure class="chart"><div class="plot" id="c" role="img" aria-label="A line"></div>'
    f'<script type="application/json" class="figure">{FIGURE}</script></figure>'
)
FILE_LINKS = "".join(f'<a class="file" href="{name}">{name}</a> ' for name in FILES)
FRONT = f'<h1>Monthly forecast</h1>{CHART}<p>{FILE_LINKS}<a href="sales.html">Sales</a></p><section id="editions"></section>'
AUTUMN, WINTER, SPRING = "2023-10-16", "2024-01-15", "2024-04-15"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A published database of each day, and pages that need no kernel."""
    folder = tmp_path_factory.mktemp("workplace")
    for day, months in ((AUTUMN, 45), (WINTER, 48), (SPRING, 51)):
        build(folder / f"{day}.duckdb", Company(**{**vars(SMALL), "months": months}))
    write_pages(folder / "pages", FRONT)
    return folder


def write_pages(pages, front):
    pages.mkdir()
    for name, html in {"index": front, "sales": "<h1>Sales</h1><p>Text of the page</p>"}.items():
        output = nbformat.v4.new_output("display_data", {"text/html": html})
        page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
        nbformat.write(page, pages / f"{name}.ipynb")


@pytest.fixture
def make(workplace, tmp_path, monkeypatch):
    """Render the report of a day as `make report` does; returns the folder of the report and that of the editions."""
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    report, kept = tmp_path / "runs" / "acme" / "report", tmp_path / "data" / "acme" / "editions"

    def rendered(day, pages=workplace / "pages"):
        render.render(pages, report, "acme", workplace / f"{day}.duckdb", kept)
        return report, kept

    return rendered


def links(path):
    return [link for link in Page(path).values("href", "src") if not link.startswith(("#", "?"))]


def resolve(path):
    """Every link of a page must be a file."""
    for link in links(path):
        assert (path.parent / link.partition("?")[0]).is_file(), (path, link)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_report_is_kept_and_links_those_before_it(make):
    for day in (AUTUMN, WINTER, SPRING):
        report, kept = make(day)
    assert sorted(path.name for path in kept.iterdir() if path.is_dir()) == [AUTUMN, WINTER, SPRING]
    assert {path.name for path in report.iterdir()} == {
        "index.html", "sales.html", "style.css", "report.js", "plotly.min.js", "icon.svg", "inter.woff2", *FILES,
    }  # fmt: skip
    for page in [report / "index.html", *kept.glob("*/index.html")]:
        resolve(page)
        resolve(page.with_name("sales.html"))
    way = "../../../data/acme/editions"
    assert [link for link in links(report / "index.html") if "editions" in link] == [
        f"{way}/{WINTER}/index.html", f"{way}/{AUTUMN}/index.html",
    ]  # fmt: skip
    assert f"../{AUTUMN}/index.html" in links(kept / WINTER / "index.html")
    assert f"../{SPRING}/index.html" not in links(kept / WINTER / "index.html")
    text = Page(report / "index.html").text.replace("\xa0", " ").replace(" :", ":")
    assert (
        "Earlier editions 15 January 2024: sales up to December 2023 16 October 2023: sales up to September 2023"
        in text
    )
    assert "This is the first edition" in Page(kept / AUTUMN / "index.html").text


def test_editions_share_one_plotly_and_are_whole_otherwise(make):
    for day in (AUTUMN, WINTER):
        report, kept = make(day)
    (shared,) = kept.glob("plotly-*.min.js")
    assert shared.read_bytes() == (report / "plotly.min.js").read_bytes()
    for edition in (kept / AUTUMN, kept / WINTER):
        assert f"../{shared.name}" in links(edition / "index.html") and not (edition / "plotly.min.js").exists()
        assert set(FILES) <= {path.name for path in edition.iterdir()}


def test_the_same_day_again_replaces_its_edition(make, workplace, tmp_path):
    _, kept = make(WINTER)
    before = contents(kept)
    make(WINTER)
    assert contents(kept) == before
    write_pages(tmp_path / "pages", FRONT.replace("Monthly forecast", "Corrected"))
    make(WINTER, tmp_path / "pages")
    assert [path.name for path in kept.iterdir() if path.is_dir()] == [WINTER]
    assert "Corrected" in Page(kept / WINTER / "index.html").text


def test_what_stops_half_way_leaves_the_old_edition_and_the_old_report(make, monkeypatch):
    report, kept = make(WINTER)
    before = contents(report), contents(kept)

    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(editions, "swap", stopped)
        with pytest.raises(KeyboardInterrupt):
            make(WINTER)
    after = {name: content for name, content in contents(kept).items() if ".running" not in name.parts[0]}
    assert (contents(report), after) == before
    make(SPRING)
    assert f"{WINTER}.running" not in (report / "index.html").read_text(encoding="utf-8")
    make(WINTER)
    assert {path.name for path in kept.iterdir() if path.is_dir()} == {WINTER, SPRING}


def test_an_edition_whose_exchange_was_cut_off_comes_back(make):
    _, kept = make(AUTUMN)
    (kept / AUTUMN).rename(kept / f"{AUTUMN}.old")  # as a kill between the two renames leaves it
    report, _ = make(WINTER)
    assert (kept / AUTUMN / "index.html").is_file() and any(AUTUMN in link for link in links(report / "index.html"))


@pytest.mark.parametrize("part", ["pdf", "workbook", "archive"])
def test_a_file_that_fails_is_named_and_the_old_report_stays(make, monkeypatch, part):
    report, kept = make(WINTER)
    before = contents(report), contents(kept)

    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr(getattr(beside, part), "write", broken)
    name = {"pdf": "report.pdf", "workbook": "forecasts.xlsx", "archive": "report.zip"}[part]
    with pytest.raises(RuntimeError, match=rf"{name} could not be written.*no space left"):
        make(SPRING)
    assert (contents(report), contents(kept)) == before


def test_the_zip_opens_anywhere(make, tmp_path):
    make(AUTUMN)
    report, kept = make(WINTER)
    with zipfile.ZipFile(report / "report.zip") as packed:
        names = packed.namelist()
        packed.extractall(tmp_path / "mail")
    assert names == sorted(names) and {Path(name).parts[0] for name in names} == {f"acme-{WINTER}"}
    unpacked = tmp_path / "mail" / f"acme-{WINTER}"
    assert {path.name for path in unpacked.iterdir()} == {path.name for path in report.iterdir()} - {"report.zip"}
    for page in unpacked.glob("*.html"):
        resolve(page)
        assert not any("editions" in link or ".." in link or re.match(r"\w+:", link) for link in links(page))
    text = Page(unpacked / "index.html").text
    assert "report.zip" in text and "Earlier editions are kept where this report was made." in text
    assert (kept / WINTER / "report.zip").read_bytes() == (report / "report.zip").read_bytes()


def test_the_same_report_is_the_same_zip(make):
    zips = []
    for _ in range(2):
        report, _ = make(WINTER)
        zips.append((report / "report.zip").read_bytes())
    assert zips[0] == zips[1]
    with zipfile.ZipFile(io.BytesIO(zips[0])) as packed:
        assert {info.date_time for info in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_edition_bears_the_date_until_which_facts_were_known(workplace, tmp_path):
    assert Edition.open(workplace / f"{WINTER}.duckdb", "acme").name == WINTER
    copy = shutil.copy(workplace / f"{WINTER}.duckdb", tmp_path / "p.duckdb")
    for change, day in (
        ('json_merge_patch(manifest, \'{"facts": {"last_fact": "2024-02-03"}}\')', "2024-02-03"),
        ('json_merge_patch(manifest, \'{"params": {"as_of": "2024-01-31"}}\')', "2024-01-31"),
    ):
        with duckdb.connect(str(copy)) as connection:
            connection.execute(f"update runs set manifest = {change}")
        assert Edition.open(Path(copy), "acme").name == day


def test_domains_that_end_in_different_months_are_told_apart():
    months = {"sales": "2025-06-01", "inventory": "2025-05-01", "profit": "2025-06-01"}
    assert editions.span(months).replace("\xa0", " ") == "sales and profit up to June 2025, inventory up to May 2025"


def test_without_the_database_there_are_the_pages_alone(workplace, tmp_path, monkeypatch):
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    render.render(workplace / "pages", tmp_path / "report", "acme")
    assert not set(FILES) & {path.name for path in (tmp_path / "report").iterdir()}
    resolve(tmp_path / "report" / "index.html")
    assert "forecasts.xlsx" in Page(tmp_path / "report" / "index.html").text


def test_nothing_published_gives_a_report_and_keeps_no_edition(workplace, tmp_path, monkeypatch):
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    empty = shutil.copy(workplace / f"{WINTER}.duckdb", tmp_path / "p.duckdb")
    with duckdb.connect(str(empty)) as connection:
        connection.execute("delete from latest_runs")
    render.render(workplace / "pages", tmp_path / "report", "acme", Path(empty), tmp_path / "editions")
    assert set(FILES) <= {path.name for path in (tmp_path / "report").iterdir()}
    assert (
        not list((tmp_path / "editions").glob("*/"))
        and "Earlier editions" in Page(tmp_path / "report" / "index.html").text
    )


def test_a_report_stays_small(make, tmp_path_factory):
    report, kept = make(WINTER)
    usual = build(tmp_path_factory.mktemp("usual") / "p.duckdb", Company(history=True))
    beside.write(
        report, {"index": [("html", FRONT)]}, render.TITLES, usual, Edition.open(usual, "acme"), render.REPORTS
    )
    assert sum(path.stat().st_size for path in report.iterdir()) < 15_000_000
    assert sum(path.stat().st_size for path in (kept / WINTER).iterdir()) < 10_000_000


def test_a_change_of_these_modules_renders_again_and_retrains_nothing(root):
    package = root / "src" / "forecasting"
    modules = {path.stem for path in (package / "site").glob("*.py")} - {
        "__init__",
        "bi_files",
    }  # these files are no part of the report
    ours = {f"forecasting.site.{name}" for name in modules}
    rendered = stamps.closure(frozenset({"forecasting.site.rendering"}), package)
    assert ours <= set(rendered)
    steps = [stamps.notebook_modules(path, package) for path in (root / "notebooks").glob("*.ipynb")]
    for names in [*steps, {"forecasting.ledger.publishing"}]:
        reached = stamps.closure(frozenset(names), package, frozenset(stamps.PRESENTATION))
        assert not [name for name in reached if name.startswith(("forecasting.site", "forecasting.site.rendering"))]


def test_the_look_on_paper_counts_for_the_render_stamp(project, monkeypatch):
    from forecasting.run.workspace import Workspace

    place = Workspace(project, "acme", "sample", None)
    for name in ("ledger/publishing", "site/rendering"):
        module = project / "src" / "forecasting" / f"{name}.py"
        module.parent.mkdir()
        module.write_text("")
    monkeypatch.setattr(pipeline, "forget_pages", lambda *_: None)
    found = []
    (project / "reports").mkdir()
    for text in ("one", "two"):
        (project / "reports" / "report.typ").write_text(text)
        pipeline.shared_stamps(place, [])
        found.append((place.runs / "stamps" / "render.stamp").read_text())
    assert found[0] != found[1]
