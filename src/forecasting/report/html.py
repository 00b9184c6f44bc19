"""The report's own HTML: tables, cards, notes and figures, the same for Quarto and for our template."""

import json
import re
from collections.abc import Container
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

import plotly.graph_objects as go
from plotly.io.json import to_json_plotly

from forecasting.contracts import ALL
from forecasting.wording import DASH, SPACE, is_known

LONG_TEXT = 40  # characters from which a cell must not be squeezed on a phone
LONG_HEADING = 12  # characters from which a heading must not


class Cell(str):
    """HTML of a table's cell that is sorted by a value of its own instead of its text; None where that is not known."""

    value: float | str | None

    def __new__(cls, content: str, value: float | str | None) -> "Cell":
        """Return the cell; an unknown number counts as None."""
        found = super().__new__(cls, content)
        found.value = value if isinstance(value, str) or is_known(value) else None
        return found


def tag(name: str, content: str, css: str = "", **attributes: str) -> str:
    """Return one element; `content` is HTML already, attribute values are escaped (`aria_label` is `aria-label`)."""
    pairs = {"class": css} if css else {}
    pairs |= {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    text = "".join(f' {key}="{escape(value)}"' for key, value in pairs.items())
    return f"<{name}{text}>{content}</{name}>"


def paragraph(text: str, css: str = "") -> str:
    """Return a paragraph of HTML."""
    return tag("p", text, css)


def note(text: str) -> str:
    """Return a small explanation."""
    return paragraph(text, "note")


def callout(text: str, severity: str = "note") -> str:
    """Return a boxed sentence (plain text); `severity` is high, medium, low or note and is written out for readers."""
    label = {"high": "Warning", "medium": "Look at this"}.get(severity, "Note")
    return tag("div", f"<p><strong>{label}.</strong> {escape(text)}</p>", f"callout {severity}")


def fold(title: str, content: str, css: str = "") -> str:
    """Return HTML that opens on a click; on paper it is open, or left out where `css` says `screen`."""
    return tag("details", tag("summary", escape(title)) + content, css)


def table(
    head: list[str],
    rows: list[list[str]],
    caption: str,
    text: Container[int] = (0,),
    missing: str = "",
    tall: bool = False,
    total: bool = False,
    sortable: bool = False,
    find: str = "",
    id_: str = "",
) -> str:
    """Return a table in a box of its own that scrolls sideways on a phone (and down where `tall`).

    `rows` hold HTML cells in the order of `head`; columns whose place is in `text` are text, the others numbers.
    `missing` says what a dash means; it is shown where a cell is a dash. `total`: the last row sums up the others.
    `sortable`: a click on a heading sorts the rows, by the cells' values where they are a `Cell`. `find` names what a row
    is, such as «series»: a box above the table finds rows by their names.
    """
    header = "".join(heading(name, i not in text) for i, name in enumerate(head))
    last = len(rows) - 1 if total else None
    body = "".join(
        tag("tr", "".join(cell(row, i, text) for i in range(len(row))), "total" if n == last else "")
        for n, row in enumerate(rows)
    )
    marks = ({"id": id_} if id_ else {}) | ({"data_find": find} if find else {})
    content = f"<caption><span>{escape(caption)}</span></caption><thead><tr>{header}</tr></thead><tbody>{body}</tbody>"
    box = tag(
        "div",
        tag("table", content, "sortable" if sortable else "", **marks),
        "scroll tall" if tall else "scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )
    dashes = missing and any(DASH in row for row in rows)
    return box + (note(f"{DASH} {escape(missing)}") if dashes else "")


def heading(name: str, is_number: bool) -> str:
    """Return the heading of a column."""
    css = "number" * is_number + " wide" * (len(name) > LONG_HEADING)
    return tag("th", escape(name.replace(" %", f"{SPACE}%")), css.strip(), scope="col")


def cell(row: list[str], i: int, text: Container[int]) -> str:
    """Return one table cell; the first of a row is its heading."""
    value = {"data_value": str("" if row[i].value is None else row[i].value)} if isinstance(row[i], Cell) else {}
    if i == 0:
        return tag("th", row[0], scope="row", **value)
    size = len(re.sub(r"<[^>]+>", "", row[i]))  # as it is read, without tags
    return tag("td", row[i], ("long" if size > LONG_TEXT else "") if i in text else "number", **value)


def choosing(region: str, category: str, content: str, page: str = "") -> str:
    """Return a link that shows one part of a domain on its page, the one it stands on or another; `content` is HTML."""
    asked = {name: value for name, value in (("region", region), ("category", category)) if value != ALL}
    return f'<a class="choose" href="{page}?{escape(urlencode(asked, quote_via=quote))}">{content}</a>'


def facts(pairs: list[tuple[str, str]]) -> str:
    """Return a list of names and values (HTML)."""
    return tag("dl", "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in pairs), "facts")


def bullets(items: list[str]) -> str:
    """Return a list of HTML items."""
    return tag("ul", "".join(tag("li", item) for item in items))


# They only occur inside JSON's strings, where the escape means the same.
NOT_IN_SCRIPTS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def script_json(value: object) -> str:
    """Return JSON, of a value or given as text, that can neither end the script element it stands in nor open another or a comment."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.translate(NOT_IN_SCRIPTS)


@dataclass(frozen=True)
class Chart:
    """A plotly figure on a page: drawn by the shared script in the report, by JupyterLab's own renderer by hand.

    `choices` holds [region, category, y values of every trace, y range] for each series that can be chosen, the shown one first; where
    `table` is the id of a table, a fifth and a sixth item hold its cells (text) and what it shows, with the unit, for that series.
    `hides` says what a reader sees only on request, such as «all 78 months»; empty where all is in sight. `series` is the domain whose
    series are found by search, where they are too many to be among the choices, `n_series` says how many there are, and `unit` in what
    they are. `behind` is a legend group that is not drawn at first, and what the box that shows it says. `tiles` are the id of the key
    figures that follow what is chosen, and for each of the choices the texts of every one of them.
    """

    figure: go.Figure
    div_id: str
    label: str
    caption: str
    choices: list[list] | None = None
    hides: str = ""
    table: str = ""
    series: str = ""
    n_series: str = ""
    unit: str = ""
    behind: tuple[str, str] = ("", "")
    tiles: tuple[str, list[list]] = ("", [])

    def html(self) -> str:
        """Return the figure element with its text alternative and its data; no script that runs, no address."""
        data = script_json(to_json_plotly(self.figure))
        link = {"data_table": self.table} if self.table else {}
        link |= {"data_tiles": self.tiles[0]} if self.tiles[0] else {}
        link |= {"data_series": self.series, "data_of": self.n_series, "data_unit": self.unit} if self.series else {}
        plot = tag("div", "", "plot", id=self.div_id, role="img", aria_label=self.label, data_label=self.label, **link)
        chosen = tag("p", "Shown: Total", "chosen", aria_live="polite") if self.can_choose else ""
        parts = [self.selectors(), chosen, plot, f'<script type="application/json" class="figure">{data}</script>']
        if self.choices:
            parts.append(f'<script type="application/json" class="choices">{script_json(self.choices)}</script>')
        if self.tiles[0]:
            parts.append(f'<script type="application/json" class="texts">{script_json(self.tiles[1])}</script>')
        parts.append(tag("figcaption", self.caption))
        return tag("figure", "".join(parts), "chart")

    @property
    def can_choose(self) -> bool:
        """Whether there is more than the total."""
        return bool(self.choices) and len(self.choices) > 1

    def selectors(self) -> str:
        """Return the region and category selectors and the switch for what is hidden, or nothing without a choice."""
        menus = []
        titles = ("Region", "Category") if self.can_choose else ()
        for i, title in enumerate(titles):
            names = dict.fromkeys(choice[i] for choice in self.choices)
            options = "".join(tag("option", escape(name), value=name) for name in names)
            menu = tag("select", options, title.lower(), id=f"{self.div_id}-{title.lower()}")
            menus.append(tag("label", f"{title} {menu}", for_=f"{self.div_id}-{title.lower()}"))
        if self.hides and self.choices:
            box = f'<input type="checkbox" id="{self.div_id}-whole">'
            menus.append(tag("label", f"{box} Show {escape(self.hides)}", for_=f"{self.div_id}-whole"))
        group, text = self.behind
        if group:
            box = f'<input type="checkbox" id="{self.div_id}-behind" data-group="{escape(group)}">'
            menus.append(tag("label", f"{box} {escape(text)}", for_=f"{self.div_id}-behind"))
        return tag("div", "".join(menus), "selectors") if menus else ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/html": self.html(), "application/vnd.plotly.v1+json": json.loads(to_json_plotly(self.figure))}
