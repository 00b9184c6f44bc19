"""Turns the pages' HTML into Typst: a walk over what `report.html` writes, into calls of the functions of `reports/report.typ`.

All text becomes string literals, so nothing that stands in a name can be read as markup.
"""

import re
from html import unescape
from itertools import pairwise

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

from forecasting.report import WORKBOOK
from forecasting.site import table_size
from forecasting.site.html_text import BLOCKS, cells, lines, squeeze
from forecasting.site.paper import Paper
from forecasting.site.typst_code import array, breakable, call, joined, literal
from forecasting.wording import count

Fragment = tuple[str, str]  # ("markdown" | "html", text)
SILENT = {"script", "style", "select", "input", "button", "label", "template", "colgroup"}
INLINE = {"strong": "strong", "b": "strong", "em": "emph", "i": "emph", "small": "small-text", "code": "code", "sub": "sub",
          "sup": "super"}  # fmt: skip
KINDS = {"lead", "note", "more", "label", "value", "headline", "trust"}  # of paragraphs
GLOSSARY = "glossary"  # a word's meaning: no sheet's number stands beside each word
NAMES = ["h1", "h2", "h3", "h4", "caption", "th", "td"]  # nor in what names things
CARDS = {"tile", "panel", "spark"}
CARDS_IN_A_ROW = 5
BESIDE = 2  # cards in a row beside a chart
CHART_BESIDE = 0.6  # of the paper's width, for a chart with cards beside it
MOST_ROWS = 60  # of a table on paper
TABLE, NOTE = "data-table(", 'para("note"'  # how the Typst of a table and of a note begins
ANCHORS = re.compile(r'^\{*(anchor\("[^"]*"\); )*')
SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


class Page:
    """One page of the report on its way to paper. `files` collects the pictures that its Typst asks for: name → SVG.

    `draw` makes a picture of a plotly figure's JSON; `pages` are those that links may lead to.
    """

    def __init__(self, name: str, pages: set[str], paper: Paper, draw, files: dict[str, bytes]) -> None:
        self.name, self.pages, self.paper, self.draw, self.files = name, pages, paper, draw, files
        self.drawings: list[str] = []

    def typst(self, html: str) -> str:
        """Return the Typst of a fragment."""
        soup = BeautifulSoup(SVG.sub(self.set_aside, html), "html.parser")
        for found in soup.select(", ".join([*self.paper.hidden, "#editions", "a.anchor-link"])):
            found.extract()
        squeeze(soup)
        return joined(self.blocks(soup))

    def set_aside(self, found: re.Match) -> str:
        """Keep a drawing as it is written (a parser of HTML would lower the case of its names) and leave a mark."""
        self.drawings.append(found[0])
        return f'<svg data-drawing="{len(self.drawings) - 1}"></svg>'

    # --- blocks

    def blocks(self, node: Tag) -> list[str]:
        """Return the blocks below an element; text between them becomes paragraphs."""
        found, run = [], []
        for child in node.children:
            if isinstance(child, Tag) and child.name in BLOCKS:
                found += [self.run(run), self.anchor(child), self.block(child)]
                run = []
            else:
                run.append(child)
        return led_in([part for part in [*found, self.run(run)] if part])

    def run(self, nodes: list[PageElement]) -> str:
        """Return inline elements that stand beside blocks as a paragraph, nothing where they are blank."""
        if all(isinstance(node, PreformattedString) or not (str(node).strip() if isinstance(node, NavigableString) else node.name
               not in SILENT) for node in nodes):  # fmt: skip
            return ""
        return call("par", joined(map(self.inline, nodes)))

    def block(self, node: Tag) -> str:
        """Return one block element."""
        css = node.get("class") or []
        if node.name in ("h1", "h2", "h3", "h4"):
            return call("heading", f"level: {node.name[1]}", self.inside(node))
        if node.name in ("ul", "ol"):
            items = [joined(self.blocks(item)) for item in node.find_all("li", recursive=False)]
            return call("list" if node.name == "ul" else "enum", *items) if items else ""
        special = {
            "p": self.paragraph,
            "table": self.table,
            "dl": self.facts,
            "details": self.fold,
            "pre": self.paragraph,
        }
        if node.name in special:
            return special[node.name](node)
        if "chart" in css and node.select_one("script.figure"):
            return self.chart(node)
        if "expect" in css:
            return call("expect", *(joined(self.blocks(part)) for part in beside(node)))
        if "callout" in css:
            severity = next((name for name in css if name != "callout"), "note")
            blocks = self.blocks(node)
            if len(blocks) > 1:  # what the box is stays with what it says
                blocks[0] = call("stuck", blocks[0])
            return call("callout", literal(severity), joined(blocks))
        if len([child for child in node.find_all(True, recursive=False) if CARDS & set(child.get("class") or [])]) > 1:
            return self.cards(node)
        if node.name == "figcaption":
            return call("para", '"note"', joined(self.blocks(node)))
        return joined(self.blocks(node))

    def paragraph(self, node: Tag) -> str:
        """Return a paragraph of the kind that its class says."""
        kind = next((name for name in node.get("class") or [] if name in KINDS), "")
        return call("para", literal(kind), self.inside(node))

    def fold(self, node: Tag) -> str:
        """Return what opens on a click; on paper it is open."""
        summary = node.find("summary", recursive=False)
        title = self.inside(summary.extract()) if summary else '""'
        return call("fold", title, joined(self.blocks(node)))

    def facts(self, node: Tag) -> str:
        """Return a list of names and values."""
        names, pairs = node.find_all("dt"), []
        for name in names:
            value = name.find_next_sibling("dd")
            marks = [self.anchor(one) for one in (name, name.parent) if one is not node]
            pairs.append(array([joined([*marks, self.inside(name)]), joined(self.blocks(value)) if value else '""']))
        return call("facts" if "facts" in (node.get("class") or []) else "terms", *pairs)

    def cards(self, node: Tag) -> str:
        """Return cards side by side; what stands among them and is no card goes above."""
        children = node.find_all(True, recursive=False)
        found = [child for child in children if CARDS & set(child.get("class") or [])]
        above = [part for child in children if child not in found for part in (self.anchor(child), self.block(child))]
        items = []
        for child in found:
            kind = next((name for name in child["class"] if name not in CARDS), "")
            items.append(call("card", literal(kind), joined(self.blocks(child))))
        most = CARDS_IN_A_ROW if len(items) <= CARDS_IN_A_ROW else 4
        columns = min(len(items), BESIDE if node.find_parent(class_="expect") else most)
        row = call("cards", str(columns), *items)
        return call("together", joined([*above, row])) if above else row

    def table(self, node: Tag) -> str:
        """Return a table, cut after MOST_ROWS rows, in a size at which its columns fit the paper."""
        rows = node.select("tbody tr")
        total = rows[-1:] if rows and "total" in (rows[-1].get("class") or []) else []
        cut = len(rows) > MOST_ROWS
        shown = rows[: MOST_ROWS - len(total)] + total if cut else rows
        head = node.select("thead th, thead td")
        numbers = ["number" in (cell.get("class") or []) for cell in head]
        fit = table_size.fit([[lines(cell) for cell in cells(row)] for row in node.select("tr")])
        body = [self.cell(cell, row in total) for row in shown for cell in cells(row)]
        caption = node.find("caption")
        arguments = {
            "caption": self.inside(caption) if caption else "none",
            "size": f"{fit.size}pt",
            "columns": array(f"{width}pt" for width in fit.widths),
            "align": array("right" if number else "left" for number in numbers),
            "header": array(self.inside(cell) for cell in head),
            "rows": array(body),
            "note": literal(cut_note(len(shown), len(rows))) if cut else "none",
            "whole": "true" if len(shown) <= 12 else "false",
            "turned": "true" if fit.turned else "false",
        }
        return call("data-table", *(f"{name}: {value}" for name, value in arguments.items()))

    def cell(self, node: Tag, total: bool) -> str:
        """Return a table cell; a cell that holds blocks keeps them."""
        content = (
            joined(self.blocks(node)) if any(child.name in BLOCKS for child in node.children) else self.inside(node)
        )
        return call("total", content) if total else content

    def chart(self, node: Tag) -> str:
        """Return a chart as a static picture with its caption."""
        plot, caption = node.select_one(".plot"), node.find("figcaption")
        part = CHART_BESIDE if node.find_parent(class_="expect") else 1.0
        name = self.file(self.draw(node.select_one("script.figure").string, part))
        alt = literal(plot.get("aria-label", "") if plot else "")
        return call("chart", literal(name), alt, self.inside(caption) if caption else "none")

    # --- inline

    def inside(self, node: Tag) -> str:
        """Return what stands in an element of text."""
        return joined(map(self.inline, node.children))

    def inline(self, node: PageElement) -> str:
        """Return one piece of text, with what it looks like."""
        if isinstance(node, NavigableString):
            return "" if isinstance(node, PreformattedString) else literal(breakable(str(node)))
        if node.name in SILENT or node.name == "wbr":
            return ""
        if node.name == "br":
            return "linebreak()"
        if node.name == "svg":
            return self.drawing(node)
        content = joined([self.anchor(node), *map(self.inline, node.children)])
        if node.name == "a":
            return self.link(node, content)
        return call(INLINE[node.name], content) if node.name in INLINE else content

    def link(self, node: Tag, content: str) -> str:
        """Return a link to a place in the report; all others are mere text on paper."""
        page, _, place = node.get("href", "").partition("#")
        page = page.removesuffix(".html") or self.name
        if page not in self.pages:
            return content
        tile = "whole" in (node.get("class") or [])  # the words below its chart say the page
        kind = "jump" if page == GLOSSARY or tile or node.find_parent(NAMES) else "to"
        return call(kind, literal(f"{page}--{place}"), content)

    def anchor(self, node: Tag) -> str:
        """Return the mark of an element that links can lead to."""
        return call("anchor", literal(f"{self.name}--{node['id']}")) if node.get("id") else ""

    def drawing(self, node: Tag) -> str:
        """Return a small drawing, coloured as the style sheet says."""
        source = self.drawings[int(node["data-drawing"])]
        opening = source[: source.index(">")]
        css = (re.search(r'class="([^"]*)"', opening) or ["", ""])[1].split()
        label = re.search(r'aria-label="([^"]*)"', opening)
        width, height = (self.paper.size(css, side) for side in ("width", "height"))
        style = f'<svg xmlns="http://www.w3.org/2000/svg"{opening[4:]}><style>{self.paper.drawing}</style>'
        name = self.file((style + self.paper.resolved(source[source.index(">") + 1 :])).encode())
        sizes = [f"{side}pt" if side else other for side, other in ((width, "100%"), (height, "auto"))]
        return call("drawing", literal(name), literal(unescape(label[1])) if label else "none", *sizes)

    def file(self, picture: bytes) -> str:
        """Note a picture and return the name under which Typst finds it."""
        name = f"{self.name}-{len(self.files)}.svg"
        self.files[name] = picture
        return name


def beside(section: Tag) -> list[Tag]:
    """Return the four parts of a domain's section on the first page: heading, chart, figures, words; one that is missing is empty."""
    parts = []
    for selector in ("h2", ".seen", ".figures", ".words"):
        part = BeautifulSoup('<div class="expect"></div>', "html.parser").div
        found = section.select_one(selector)
        part.extend([found] if found else [])
        parts.append(part)
    return parts


def led_in(blocks: list[str]) -> list[str]:
    """Keep notes on the sheet of the table or chart that they introduce, or of the table that they explain."""
    found, explained = list(blocks), False
    for i, (this, following) in enumerate(pairwise(blocks)):
        explained = is_table(this) or (explained and this.startswith(NOTE))
        if is_table(this) and following.startswith(NOTE):
            found[i] = this.replace(TABLE, f"{TABLE}led: true, ", 1)
        elif this.startswith(NOTE) and (
            following.lstrip("{").startswith((TABLE, "chart(")) or (explained and following.startswith(NOTE))
        ):
            found[i] = this.replace("para(", "lead-in(", 1)
    return found


def is_table(block: str) -> bool:
    """Say whether a block begins with a table, behind its anchors at most."""
    return ANCHORS.sub("", block).startswith(TABLE)


def cut_note(shown: int, rows: int) -> str:
    """Say that a table goes on elsewhere."""
    return f"{count(shown, 'row')} of {count(rows, 'row')} are printed. All of them are on the page and in {WORKBOOK}."
