"""Turns executed pages into the report: by Quarto where it is installed, else by nbconvert with our template.

Both get the same fragments (prose and the pages' own HTML), the same navigation and the same head, so text, tables,
links and file names are the same. Nothing is executed, and no page needs a network. The files beside the pages and the
editions are made here too (`forecasting.site`), so that the whole report appears in one step.
"""

import json
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

import nbformat

from forecasting.errors import UserError
from forecasting.ledger import Published
from forecasting.report import CSV, FILES, has_csv
from forecasting.run import PAGES, held
from forecasting.site import beside, editions, series_files
from forecasting.site.editions import Edition
from forecasting.site.links import drop_links
from forecasting.site.markup import Fragment
from forecasting.site.swap import swap

REPORTS = Path(__file__).resolve().parents[3] / "reports"
TITLES = {page.name: page.title for page in PAGES}
HIDDEN = {"notes", "parameters", "injected-parameters"}  # cells for those who open the notebook
QUARTO_MINUTES = 5
PICTURES = (".svg", ".png")
# plotly's own build of lines and bars alone, a quarter of the whole, which a browser reads the sooner
PLOTLY_JS = REPORTS / "plotly-basic" / "plotly-basic-4.1.1.min.js"


def render(
    pages_dir: Path,
    report_dir: Path,
    title: str,
    published: Path | None = None,
    kept: Path | None = None,
    logo: Path | None = None,
) -> str:
    """Render the executed pages of `pages_dir` into `report_dir` and return the renderer's name: quarto or nbconvert.

    Only pages that are there get a file and a link. With the `published` database the files beside the pages are written
    too, and the whole is kept as an edition in the folder `kept`; without it there are the pages alone. `title` is what the
    company is called, `logo` a picture (svg or png) that stands beside that. The report is built beside `report_dir` and swapped
    in when it is complete, so whoever stops this leaves the old report.

    Raises
    ------
    UserError
        If the first page has not been executed, or the logo is not there or no picture.
    """
    pages = {name: pages_dir / f"{name}.ipynb" for name in TITLES if (pages_dir / f"{name}.ipynb").exists()}
    if "index" not in pages:
        raise UserError(f"{pages_dir / 'index.ipynb'} is not there: execute the pages first (`make report` does).")
    if logo:
        require_picture(logo)
    building = report_dir.with_name(report_dir.name + ".running")
    shutil.rmtree(building, ignore_errors=True)
    site = building / "site"
    site.mkdir(parents=True)
    known = there(pages, published)
    contents = {name: fragments(path, known) for name, path in pages.items()}
    renderer = write_pages(contents, building, title, logo_name(logo))
    copy_assets(site, contents)
    if logo:
        shutil.copyfile(logo, site / logo_name(logo))
    edition = Edition.open(published, title) if published else None
    if published:
        series_files.write(published, site)
    if edition:
        beside.write(site, contents, TITLES, published, edition, REPORTS)
    list_editions(site, report_dir, edition, kept)
    swap(site, report_dir)
    shutil.rmtree(building, ignore_errors=True)
    return renderer


def there(pages: dict[str, Path], published: Path | None) -> set[str]:
    """Return the names of the files that the report will have, for its links."""
    found = {f"{name}.html" for name in pages}
    if published is None:
        return found
    csv = has_csv([domain for domain in Published(published).domains().values() if domain])
    return found | {name for name in FILES if csv or name != CSV}


def list_editions(site: Path, report_dir: Path, edition: Edition | None, kept: Path | None) -> None:
    """Keep the finished report as an edition, and link the earlier ones on the front page of both."""
    index, links = site / "index.html", ""
    if edition and kept:
        before = editions.earlier(kept, edition)
        editions.keep(site, kept, edition, before, PLOTLY_JS.name)
        links = editions.links(before, editions.way_to(kept, report_dir))
    index.write_text(editions.fill(index.read_text(encoding="utf-8"), links), encoding="utf-8")


def require_picture(logo: Path) -> None:
    """Raise a UserError unless a logo is there and of a kind that a page can show."""
    where = f"logo in params/ names {logo.name}"
    if logo.suffix.lower() not in PICTURES:
        raise UserError(f"{where}: it must be a picture of the kind {' or '.join(PICTURES)}.")
    if not logo.is_file():
        raise UserError(
            f"{where}, but there is no such file in {logo.parent.parent.name}/{logo.parent.name}/: put it there."
        )


def logo_name(logo: Path | None) -> str:
    """Return what a logo is called beside the pages; «» where there is none."""
    return f"logo{logo.suffix.lower()}" if logo else ""


def write_pages(contents: dict[str, list[Fragment]], building: Path, title: str, logo: str = "") -> str:
    """Write the pages into `building/site` and return the renderer's name; nbconvert steps in where Quarto fails."""
    quarto = shutil.which("quarto")
    if quarto:
        problem = by_quarto(quarto, contents, building, title, logo)
        if problem is None:
            return "quarto"
        print(f"Quarto could not render the report, nbconvert does it instead. {problem}", file=sys.stderr)
    by_nbconvert(contents, building / "site", title, logo)
    return "nbconvert"


def fragments(path: Path, known: set[str]) -> list[Fragment]:
    """Return what a page shows: its prose and its HTML outputs; links to files that are not `known` become plain text."""
    dead = {*(f"{name}.html" for name in TITLES), *FILES} - known
    found: list[Fragment] = []
    for cell in nbformat.read(path, as_version=4).cells:
        if HIDDEN & set(cell.metadata.get("tags", [])):
            continue
        if cell.cell_type == "markdown":
            found.append(("markdown", cell.source))
            continue
        outputs = [output.get("data", {}).get("text/html") for output in cell.get("outputs", [])]
        found += [("html", drop_links("".join(html), dead)) for html in outputs if html]
    return found


def page_title(name: str, title: str) -> str:
    """Return what the browser's tab shows."""
    return f"{TITLES[name]} – {title}"


def top(name: str, contents: dict[str, list[Fragment]], title: str, logo: str = "") -> str:
    """Return the HTML above a page: navigation and our script; plotly's where the page has charts."""
    picture = f'<img class="logo" src="{logo}" alt="">' if logo else ""
    here = {name: ' aria-current="page"'}
    links = "".join(f'<a href="{page}.html"{here.get(page, "")}>{TITLES[page]}</a>' for page in contents)
    charts = any('class="plot"' in text for kind, text in contents[name] if kind == "html")
    scripts = '<script src="plotly.min.js" defer></script>\n' if charts else ""
    scripts += '<script src="series.js" defer></script>\n' if searches(contents[name]) else ""
    scripts += '<script src="report.js" defer></script>\n'
    return (
        f'{scripts}<a class="skip" href="#main">Skip to the content</a>\n'
        f'<header class="site"><span class="brand">{picture}{escape(title)}</span><nav aria-label="Pages">{links}</nav></header>'
    )


def searches(found: list[Fragment]) -> bool:
    """Say whether a page finds series that it does not hold."""
    return any("data-series=" in text for kind, text in found if kind == "html")


def by_nbconvert(contents: dict[str, list[Fragment]], site: Path, title: str, logo: str = "") -> None:
    """Write the pages with nbconvert and `reports/template`."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="template", extra_template_basedirs=[str(REPORTS)], exclude_anchor_links=True)
    make = {"markdown": nbformat.v4.new_markdown_cell, "html": nbformat.v4.new_raw_cell}
    for name, found in contents.items():
        page = nbformat.v4.new_notebook(cells=[make[kind](text) for kind, text in found])
        page.metadata.update(pagetitle=page_title(name, title), top=top(name, contents, title, logo))
        html, _ = exporter.from_notebook_node(page)
        (site / f"{name}.html").write_text(html, encoding="utf-8")


def by_quarto(
    quarto: str, contents: dict[str, list[Fragment]], building: Path, title: str, logo: str = ""
) -> str | None:
    """Write the pages with Quarto from a project of their own; return what went wrong, None if nothing did."""
    project = building / "project"
    project.mkdir()
    shutil.copy(REPORTS / "_quarto.yml", project)
    shutil.copytree(REPORTS / "template", project / "template")
    for name, found in contents.items():
        (project / f"{name}.qmd").write_text(quarto_source(name, found, title), encoding="utf-8")
        (project / f"{name}_top.html").write_text(top(name, contents, title, logo), encoding="utf-8")
    try:
        done = subprocess.run(
            [quarto, "render", "--quiet"],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=60 * QUARTO_MINUTES,
            check=False,
            pass_fds=held(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        return f"It ended with {done.returncode}: {done.stderr.strip()[-2000:]}"
    missing = [name for name in contents if not (project / "_site" / f"{name}.html").exists()]
    if missing:
        return f"It wrote no page {', '.join(missing)}."
    for name in contents:
        shutil.copy(project / "_site" / f"{name}.html", building / "site")
    return None


def quarto_source(name: str, found: list[Fragment], title: str) -> str:
    """Return a page as Quarto reads it: prose as it is, HTML in raw blocks, which nothing looks into.

    Raw blocks and not notebook outputs, because Quarto adds scripts from the network to a page whose outputs hold HTML.
    """
    head = {"pagetitle": page_title(name, title), "engine": "markdown", "include-before-body": f"{name}_top.html"}
    parts = ["---", *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()), "---", ""]
    for kind, text in found:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        parts += [text, ""] if kind == "markdown" else [f"{fence}{{=html}}", text, fence, ""]
    return "\n".join(parts)


def copy_assets(site: Path, contents: dict[str, list[Fragment]]) -> None:
    """Put the style sheet, the font, the icon, our scripts and the one copy of plotly.js beside the pages."""
    search = ("series.js",) if any(map(searches, contents.values())) else ()
    for name in ("style.css", "report.js", "icon.svg", *search):
        shutil.copyfile(REPORTS / name, site / name)
    shutil.copyfile(REPORTS / "fonts" / "inter.woff2", site / "inter.woff2")
    shutil.copyfile(PLOTLY_JS, site / editions.PLOTLY)
