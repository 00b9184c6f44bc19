"""The report as a PDF, by Typst: the pages' own fragments in the order of the navigation, without a browser."""

from pathlib import Path

import matplotlib
import typst
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from forecasting.site import brief
from forecasting.site.editions import Edition
from forecasting.site.markup import Fragment, Page
from forecasting.site.paper import Paper
from forecasting.site.static_charts import picture
from forecasting.site.typst_code import array, call, literal

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"  # DejaVu: the same on every machine


def write(
    contents: dict[str, list[Fragment]],
    titles: dict[str, str],
    edition: Edition,
    target: Path,
    reports: Path,
    scratch: Path,
) -> None:
    """Write the PDF of all pages; `reports` holds the style sheets, `scratch` is a new folder for what Typst reads.

    Nothing in it depends on the clock or on the machine's fonts: the same pages give the same bytes.
    """
    parts, pictures = body(contents, Paper.read(reports / "style.css"))
    parts.insert(2, opening(contents, titles, edition))  # below the first page's title
    typeset(parts, pictures, edition, target, reports, scratch)


def write_brief(
    contents: dict[str, list[Fragment]], edition: Edition, target: Path, reports: Path, scratch: Path
) -> None:
    """Write the two pages that are mailed alone: the first page without what leads elsewhere, and the months in one table."""
    found = {"index": [("html", brief.of("".join(text for kind, text in contents["index"] if kind == "html")))]}
    typeset(*body(found, Paper.read(reports / "style.css")), edition, target, reports, scratch)


def typeset(
    parts: list[str], pictures: dict[str, bytes], edition: Edition, target: Path, reports: Path, scratch: Path
) -> None:
    """Have Typst make a PDF of pieces of its language and the pictures that they show."""
    scratch.mkdir(parents=True)
    for name, drawn in pictures.items():
        (scratch / name).write_bytes(drawn)
    (scratch / "report.typ").write_bytes((reports / "report.typ").read_bytes())
    head = f"company: {literal(edition.company)}, edition: {literal(edition.label)}"
    source = ['#import "report.typ": *', f"#show: report.with({head})", "#{", *parts, "}"]
    (scratch / "main.typ").write_text("\n".join(source), encoding="utf-8")
    typst.compile(str(scratch / "main.typ"), str(target), font_paths=[str(FONTS)], ignore_system_fonts=True)


def body(contents: dict[str, list[Fragment]], paper: Paper) -> tuple[list[str], dict[str, bytes]]:
    """Return the Typst of all pages, a piece per fragment, and the pictures that it shows by their names."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for name, found in contents.items():
        page = Page(name, set(contents), paper, picture, pictures)
        html = [markdown2html_mistune(text) if kind == "markdown" else text for kind, text in found]
        parts += [call("new-page", literal(f"{name}--")), *map(page.typst, html)]
    return parts, pictures


def opening(contents: dict[str, list[Fragment]], titles: dict[str, str], edition: Edition) -> str:
    """Return the lines below the title: what the edition rests on, and where each page begins."""
    pages = [array([literal(f"{name}--"), literal(titles[name])]) for name in contents]
    return call("opening", literal(edition.sentence), array(pages))
