"""Rendering: the same pages from Quarto and from our template, readable offline, swapped in whole."""

import os
import re
import shutil
import sys
from pathlib import Path

import plotly
import pytest

from forecasting.errors import UserError
from forecasting.site import rendering as render
from report_fixtures import VARIANTS, build
from report_pages import Page, execute_pages

NOT_FOR_READERS = re.compile(r"\b(nan|none|null|inf|nat|undefined)\b", re.IGNORECASE)
SHARED = ("accuracy", "model_card", "data_quality", "glossary")
ALLOWED = ("none recorded", "Cutoffs used to choose none", "Cutoffs held out none", ": none; the history")


@pytest.fixture(scope="session")
def executed(tmp_path_factory):
    """Return the folder of the executed pages of a variant, made once."""
    made: dict[str, Path] = {}

    def pages(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp("run")
            published = build(folder / "published.duckdb", VARIANTS[name])
            made[name] = execute_pages(published, folder / "pages", VARIANTS[name].domains)
        return made[name]

    return pages


@pytest.fixture
def no_quarto(monkeypatch):
    """Hide Quarto, so that our template is tested wherever it is installed."""
    monkeypatch.setattr(render.shutil, "which", lambda name: None)


def all_pages(report: Path) -> dict[str, Page]:
    return {path.stem: Page(path) for path in sorted(report.glob("*.html"))}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_page_reads_well_offline(executed, tmp_path, no_quarto, name):
    report = tmp_path / "report"
    assert render.render(executed(name), report, "Forecasts") == "nbconvert"
    pages = all_pages(report)
    assert set(pages) == {"index", *VARIANTS[name].domains, *SHARED}
    for page in pages.values():
        check_links(report, page)
        check_alternatives(page)
        text = page.text
        for phrase in ALLOWED:
            text = text.replace(phrase, "")
        assert not NOT_FOR_READERS.search(text), NOT_FOR_READERS.search(text)
        assert "import " not in text and "HTML(" not in text  # no code
        assert len([e for e in page.elements if e[0] == "h1"]) == 1
    assert sum(path.stat().st_size for path in report.iterdir()) < 15_000_000


def check_links(report: Path, page: Page) -> None:
    """Every link is a file of the report or an element of the page, and nothing comes from a network."""
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for link in page.values("href", "src"):
        assert not re.match(r"[a-z]+:|//", link), link
        file, _, anchor = link.partition("#")
        file = file.partition("?")[0]  # what a page is asked to show
        assert not file or (report / file).is_file(), link
        assert not anchor or anchor in (Page(report / file).values("id") if file else ids), link


def check_alternatives(page: Page) -> None:
    """Every chart and drawing has a text."""
    for name, attributes in page.elements:
        if attributes.get("class") == "plot" or name == "svg":
            assert attributes.get("aria-hidden") == "true" or len(attributes.get("aria-label") or "") > 15
            assert attributes.get("role") == "img" or attributes.get("aria-hidden") == "true"


def test_assets_need_no_network_and_plotly_is_there_once(executed, tmp_path, no_quarto):
    report = tmp_path / "report"
    render.render(executed("usual"), report, "Forecasts")
    style, script = ((report / name).read_text(encoding="utf-8") for name in ("style.css", "report.js"))
    assert "@import" not in style and re.findall(r"url\(([^)]*)\)", style) == ['"inter.woff2"']
    assert "http" not in style + script
    for name, page in all_pages(report).items():
        assert page.values("src").count("plotly.min.js") == ("plot" in page.values("class"))
        assert page.values("src").count("report.js") == 1
        assert (report / f"{name}.html").stat().st_size < 1_000_000
    assert len(list(report.rglob("plotly*.js"))) == 1


def test_plotly_js_is_of_the_version_that_draws_in_notebooks():
    whole = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")[:100]
    version = re.search(r"plotly.js v([\d.]+)", whole)[1]
    basic = render.PLOTLY_JS.read_text(encoding="utf-8")[:100]
    assert f"(basic - minified) v{version}\n" in basic and f"-{version}." in render.PLOTLY_JS.name, (
        "get plotly-basic.min.js and LICENSE of this version from the npm package plotly.js-basic-dist-min"
    )


@pytest.mark.parametrize("name", ["acme.svg", "acme.PNG"])
def test_a_logo_stands_beside_the_companys_name_on_every_page(executed, tmp_path, no_quarto, name):
    logo = tmp_path / name
    logo.write_bytes(b"a picture")
    render.render(executed("losses"), tmp_path / "report", "A & B", logo=logo)
    own = f"logo{logo.suffix.lower()}"
    assert (tmp_path / "report" / own).read_bytes() == b"a picture"
    for page in all_pages(tmp_path / "report").values():
        assert own in page.values("src") and "A & B" in page.text


@pytest.mark.parametrize(("name", "said"), [("acme.gif", "of the kind .svg or .png"), ("acme.svg", "no such file in")])
def test_a_logo_that_is_no_picture_or_not_there_is_refused_and_the_old_report_stays(
    executed, tmp_path, no_quarto, name, said
):
    render.render(executed("losses"), tmp_path / "report", "A & B")
    before = sorted(path.name for path in (tmp_path / "report").iterdir())
    with pytest.raises(UserError, match=said):
        render.render(executed("losses"), tmp_path / "report", "A & B", logo=tmp_path / name)
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == before


def test_the_same_pages_give_the_same_bytes(executed, tmp_path, no_quarto):
    for name in ("one", "two"):
        render.render(executed("losses"), tmp_path / name, "Forecasts")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files)


def test_navigation_is_on_every_page_and_marks_where_one_is(executed, tmp_path, no_quarto):
    report = tmp_path / "report"
    render.render(executed("no profit"), report, "A & B")
    for name, page in all_pages(report).items():
        links = [attributes for tag, attributes in page.elements if tag == "a" and "class" not in attributes]
        nav = [link["href"] for link in links[: 3 + len(SHARED)]]
        assert nav == [f"{page}.html" for page in ("index", "sales", "inventory", *SHARED)]
        assert [link["href"] for link in links if "aria-current" in link] == [f"{name}.html"]
        assert page.text.startswith(f"{render.TITLES[name]} – A & B")


def test_links_to_pages_that_are_not_there_become_text(executed, tmp_path, no_quarto):
    pages = tmp_path / "pages"
    shutil.copytree(executed("usual"), pages)
    (pages / "profit.ipynb").unlink()
    render.render(pages, tmp_path / "report", "Forecasts")
    index = Page(tmp_path / "report" / "index.html")
    assert "profit.html" not in index.values("href") and "More on profit" in index.text


def test_without_a_first_page_the_user_is_told_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"index\.ipynb is not there.*make report"):
        render.render(tmp_path, tmp_path / "report", "Forecasts")


def test_a_render_that_stops_leaves_the_old_report(executed, tmp_path, no_quarto, monkeypatch):
    report = tmp_path / "report"
    render.render(executed("one series"), report, "Old")
    before = {path.name: path.read_bytes() for path in report.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(render, "copy_assets", lambda site, contents: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            render.render(executed("one series"), report, "New")
    assert {path.name: path.read_bytes() for path in report.iterdir()} == before
    render.render(executed("one series"), report, "New")
    assert "New" in (report / "index.html").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_swap_that_fails_puts_the_old_report_back(tmp_path):
    old = tmp_path / "report"
    old.mkdir()
    (old / "index.html").write_text("old")
    with pytest.raises(FileNotFoundError):
        render.swap(tmp_path / "missing", old)
    assert (old / "index.html").read_text() == "old"


def test_a_report_lost_between_the_two_steps_comes_back(tmp_path):
    kept, new = tmp_path / "report.old", tmp_path / "new"
    kept.mkdir()
    new.mkdir()
    (kept / "index.html").write_text("old")
    with pytest.raises(FileNotFoundError):
        render.swap(tmp_path / "missing", tmp_path / "report")
    assert (tmp_path / "report" / "index.html").read_text() == "old"
    render.swap(new, tmp_path / "report")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def quarto_stand_in(folder: Path, code: str) -> None:
    """Put an executable `quarto` into a folder."""
    folder.mkdir()
    program = folder / "quarto"
    program.write_text(f"#!{sys.executable}\n{code}\n", encoding="utf-8")
    program.chmod(0o755)


def test_where_quarto_fails_nbconvert_steps_in_and_says_so(executed, tmp_path, monkeypatch, capsys):
    quarto_stand_in(tmp_path / "bin", "import sys; print('broken pandoc', file=sys.stderr); sys.exit(3)")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert render.render(executed("one series"), tmp_path / "report", "Forecasts") == "nbconvert"
    assert "broken pandoc" in capsys.readouterr().err
    assert (tmp_path / "report" / "sales.html").exists()


def test_quarto_gets_prose_and_raw_html_and_its_pages_are_taken(executed, tmp_path, monkeypatch):
    code = (
        "import pathlib\nsite = pathlib.Path('_site'); site.mkdir()\n"
        "for page in pathlib.Path().glob('*.qmd'): (site / (page.stem + '.html')).write_text(page.read_text())"
    )
    quarto_stand_in(tmp_path / "bin", code)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert render.render(executed("one series"), tmp_path / "report", 'A "b"') == "quarto"
    source = (tmp_path / "report" / "sales.html").read_text(encoding="utf-8")
    assert 'pagetitle: "Sales – A \\"b\\""' in source and 'engine: "markdown"' in source
    assert "\n## Trend\n" in source and '```{=html}\n<figure class="chart">' in source
    assert (tmp_path / "report" / "plotly.min.js").exists()


def test_a_fence_is_longer_than_any_in_the_html():
    source = render.quarto_source("index", [("html", "<p>````</p>")], "T")
    assert "`````{=html}\n<p>````</p>\n`````" in source


@pytest.mark.skipif(shutil.which("quarto") is None, reason="Quarto is not installed")
@pytest.mark.parametrize("name", ["published history", "no back-test"])
def test_quarto_and_our_template_give_the_same_pages(executed, tmp_path, monkeypatch, name):
    assert render.render(executed(name), tmp_path / "quarto", "Forecasts") == "quarto"
    monkeypatch.setattr(render.shutil, "which", lambda program: None)
    assert render.render(executed(name), tmp_path / "ours", "Forecasts") == "nbconvert"
    by_quarto, ours = all_pages(tmp_path / "quarto"), all_pages(tmp_path / "ours")
    assert sorted(path.name for path in (tmp_path / "quarto").iterdir()) == sorted(
        path.name for path in (tmp_path / "ours").iterdir()
    )
    for page, mine in ours.items():
        theirs = by_quarto[page]
        assert theirs.text == mine.text
        assert theirs.values("href", "src") == mine.values("href", "src")
        assert [tag for tag, _ in theirs.elements].count("table") == [tag for tag, _ in mine.elements].count("table")
        check_links(tmp_path / "quarto", theirs)
