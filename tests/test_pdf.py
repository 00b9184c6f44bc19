"""The report on paper: the pages' own text and numbers, in fonts that come along, and charts drawn from the figures' data."""

import base64
import io
import json
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from plotly.io.json import to_json_plotly

from forecasting.report.html import Chart, bullets, callout, facts, fold, note, table
from forecasting.site import pdf, static_axes, static_charts, table_size
from forecasting.site import rendering as render
from forecasting.site.editions import Edition, InForce
from forecasting.site.paper import Paper
from report_fixtures import Company, build
from report_pages import execute_pages

ODD = 'A #name $x$ *b* _i_ @ref <b> & "q" \\back [l] `c` // no'
RUN = InForce("sales", "sales-1", "net amount", "EUR", pd.Timestamp("2023-12-01"), pd.Timestamp("2024-01-15"))
EDITION = Edition("A & B", (RUN,))


def printed(folder, *html, **pages):
    """The PDF of pages given as HTML; the first one is the front page."""
    contents = {"index": [("markdown", "# Title"), *(("html", text) for text in html)]}
    contents |= {name: [("html", text)] for name, text in pages.items()}
    folder.mkdir(exist_ok=True)
    pdf.write(contents, render.TITLES, EDITION, folder / "r.pdf", render.REPORTS, folder / "scratch")
    return pypdf.PdfReader(folder / "r.pdf")


def text(reader):
    """The words of a PDF, with one blank between them."""
    return " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u200b", "").split())


def figure(*traces, **layout):
    return json.loads(to_json_plotly(go.Figure(list(traces), layout)))


def drawn(found):
    """The subplots of a figure's JSON after drawing."""
    found = static_charts.decoded(found)
    subplots = static_axes.subplots(Figure(), found["layout"], found["data"])
    for subplot in subplots.values():
        static_charts.draw(subplot)
    return subplots


def test_every_kind_of_content_is_printed(tmp_path):
    chart = Chart(
        go.Figure(go.Scatter(x=[1, 2], y=[3, 4], name="Line one"), {"showlegend": True}),
        "c",
        "A chart of lines",
        "Its caption",
    )
    found = printed(
        tmp_path / "p", callout("Beware of dogs", "high"), facts([("Rows of facts", "499,219")]), bullets(["first <strong>item</strong>"]),
        fold("Opened title", note("Opened content")), fold("Left out", note("Screen only"), "screen"), chart.html(),
        '<div class="tiles"><div class="tile next"><p class="label">Forecast</p><p class="value">8.10 M EUR</p></div>'
        '<div class="tile"><p class="label">Actual</p><p class="value">7.00 M EUR</p></div></div>',
        '<dl class="glossary"><dt id="mase">MASE</dt><dd>a measure</dd></dl><select><option>Hidden</option></select>',
    )  # fmt: skip
    words = text(found)
    expected = (
        "Warning. Beware of dogs", "Rows of facts 499,219", "first item", "Opened title Opened content", "Line one",
        "Its caption", "8.10 M EUR", "MASE a measure",
    )  # fmt: skip
    for phrase in expected:
        assert phrase in words, phrase
    assert "Screen only" not in words and "Hidden" not in words
    assert "Edition of 15 January 2024" in words.replace("\xa0", " ") and "A & B" in words and "1 / 1" in words


def test_names_are_printed_as_they_are(tmp_path):
    from html import escape

    long = "Protective clothing, helmets and gloves for winter and for summer"
    rows = [[escape(ODD), "1,234"], [escape(long), "−5"], ["x" * 70, "7"]]
    words = text(printed(tmp_path / "p", table(["Name", "Value"], rows, ODD), note(escape(ODD))))
    assert words.count(ODD) == 3 and long in words and "x" * 70 in words.replace(" ", "")


def test_long_tables_are_cut_and_say_where_the_rest_is(tmp_path):
    rows = [[f"Series {i}", f"{i}"] for i in range(300)] + [["Total", "44,850"]]
    words = text(printed(tmp_path / "p", table(["Name", "Value"], rows, "All", total=True)))
    assert "Series 58" in words and "Series 59 " not in words and "Total 44,850" in words
    assert "60 rows of 301 rows are printed" in words.replace("\xa0", " ") and "forecasts.xlsx" in words


def test_headings_of_a_long_table_stand_on_every_page(tmp_path):
    rows = [[f"Series {i}", "<br>".join("line" for _ in range(4))] for i in range(55)]
    found = printed(tmp_path / "p", table(["Name", "Wording"], rows, "All", text=(0, 1)))
    assert len(found.pages) > 2 and all("Wording" in page.extract_text() for page in found.pages)


def test_links_lead_within_the_report_and_dead_ones_are_text(tmp_path):
    html = '<p><a href="glossary.html#mase">known</a> <a href="glossary.html#no">dead</a> <a href="forecasts.xlsx">file</a></p>'
    found = printed(tmp_path / "p", html, glossary='<h1>Glossary</h1><p id="mase">MASE</p>')
    links = [link.get_object() for page in found.pages for link in page.get("/Annots", [])]
    assert len(links) == 5 and all(
        "/URI" not in str(link) for link in links
    )  # name and number of two pages, one in the text
    assert "known dead file" in text(found)


def test_a_link_to_another_sheet_says_which_so_that_paper_can_follow_it(tmp_path):
    links = '<a href="sales.html#far">on Sales</a>, <a href="#here">above</a>, <a href="glossary.html#mase">MASE</a>'
    tile = '<p><a class="whole" href="sales.html#far">July 8 M</a> so far</p>'
    html = [f'<h2 id="here"><a href="sales.html">Sales</a> rise</h2><p>More {links}.</p>{tile}']
    filling = "".join(f"<p>Line {i}</p>" for i in range(60))
    pages = {"sales": f'<h1>Sales</h1>{filling}<p id="far">Far</p>', "glossary": '<h1>Words</h1><p id="mase">x</p>'}
    found = printed(tmp_path / "p", *html, **pages)
    [sheet] = [n for n, page in enumerate(found.pages, 1) if "Far" in page.extract_text()]
    said = text(found).replace("\xa0", " ")
    assert f"More on Sales (page {sheet}), above, MASE." in said and "Sales rise" in said and "July 8 M so far" in said


def test_what_a_box_is_stands_on_the_sheet_of_what_it_says(tmp_path):
    box = '<div class="callout medium"><p><strong>Look at this.</strong></p><ul><li>The first of it</li><li>More</li></ul></div>'
    for lines in range(20, 48, 3):
        found = printed(tmp_path / f"{lines}", "".join(f"<p>Line {i}</p>" for i in range(lines)), box)
        [sheet] = [page.extract_text() for page in found.pages if "Look at this." in page.extract_text()]
        assert "The first of it" in sheet


def test_notes_stand_on_the_sheet_of_the_table_that_they_explain(tmp_path):
    explained = table(["Name", "Value"], [[f"Row {i}", "7"] for i in range(6)], "T") + note("One.") + note("The end.")
    for lines in range(20, 48, 3):
        filling = "".join(f"<p>Line {i}</p>" for i in range(lines))
        found = printed(tmp_path / f"{lines}", filling, explained)
        [sheet] = [page.extract_text() for page in found.pages if "The end." in page.extract_text()]
        assert "Row 0" in sheet and "Row 5" in sheet and "One." in sheet


@pytest.mark.parametrize(("lines", "sheets"), [(3, 1), (40, 2)])
def test_a_page_goes_on_below_one_that_fills_little_of_its_sheet(tmp_path, lines, sheets):
    filling = "".join(f"<p>Line {i}</p>" for i in range(lines))
    found = printed(tmp_path / "p", filling, sales="<h1>Sales</h1><p>What comes</p>")
    assert len(found.pages) == sheets
    assert "What comes" in found.pages[-1].extract_text()


def test_the_same_pages_give_the_same_bytes_without_a_date_in_fonts_that_come_along(tmp_path):
    for name in ("one", "two"):
        printed(
            tmp_path / name,
            note("Text"),
            '<svg class="bar" viewBox="0 0 10 10"><rect class="above" width="5" height="5"/></svg>',
        )
    one, two = ((tmp_path / name / "r.pdf").read_bytes() for name in ("one", "two"))
    assert one == two
    found = pypdf.PdfReader(io.BytesIO(one))
    assert (
        not {"/CreationDate", "/ModDate"} & set(found.metadata)
        and found.metadata["/Title"] == "Monthly forecast: A & B"
    )
    fonts = {
        str(font.get_object()["/BaseFont"]) for page in found.pages for font in page["/Resources"]["/Font"].values()
    }
    assert fonts and all("DejaVu" in name for name in fonts)


def test_drawings_get_the_light_colours_of_the_style_sheet():
    paper = Paper.read(render.REPORTS / "style.css")
    assert "var(" not in paper.drawing and ".drawing .actual { stroke: #0072b2 }" in paper.drawing
    assert "details.screen" in paper.hidden and ".selectors" in paper.hidden
    assert paper.size(["bar"], "width") == pytest.approx(4.5 * 9) and paper.size(["drawing"], "width") is None


WORDS = st.lists(st.text("abcXYZ019 ,", min_size=0, max_size=40), min_size=1, max_size=9)


@settings(max_examples=60)
@given(head=WORDS, n=st.integers(1, 5), data=st.data())
def test_columns_hold_their_longest_word_and_tables_fit_the_paper(head, n, data):
    cell = st.text("abcXYZ019 ,", max_size=24)
    rows = [head, *(data.draw(st.lists(cell, min_size=len(head), max_size=len(head))) for _ in range(n))]
    found = table_size.fit(rows)
    assert len(found.widths) == len(head)
    if found.size > table_size.SIZES[-1]:
        assert sum(found.widths) <= (table_size.TURNED if found.turned else table_size.UPRIGHT) + 1
    for i, width in enumerate(found.widths):
        longest = max(len(word[: table_size.LONGEST]) for row in rows for word in row[i].split(" "))
        assert width >= longest * found.size * table_size.DIGIT


# --- charts


def test_lines_are_drawn_from_the_figures_own_data_packed_or_not():
    y = np.array([1.5, np.nan, 3.25])
    packed = {"dtype": "f8", "bdata": base64.b64encode(y.tobytes()).decode()}
    for values in ([1.5, None, 3.25], packed):
        found = figure(go.Scatter(x=["2024-01-01", "2024-02-01", "2024-03-01"], mode="lines", line={"dash": "dash"}))
        found["data"][0]["y"] = values
        (subplot,) = drawn(found).values()
        (line,) = subplot.axes.lines
        np.testing.assert_array_equal(line.get_ydata(), y)
        assert subplot.kind("x") == "date" and line.get_linestyle() == "--"


def test_a_range_is_filled_between_its_two_lines():
    upper = go.Scatter(x=[1, 2, 3], y=[4, 6, 5], line={"width": 0})
    lower = go.Scatter(x=[1, 2, 3], y=[1, 2, 0], line={"width": 0}, fill="tonexty", fillcolor="rgba(0,114,178,0.3)")
    (subplot,) = drawn(figure(upper, lower)).values()
    (area,) = subplot.axes.collections
    corners = {tuple(point) for point in area.get_paths()[0].vertices}
    assert {(1, 4), (2, 6), (3, 5), (1, 1), (2, 2), (3, 0)} == corners and not subplot.axes.lines
    assert area.get_facecolor()[0][3] == pytest.approx(0.3)


def naive_waterfall(measures, values):
    level, found = 0.0, []
    for measure, value in zip(measures, values, strict=True):
        if measure == "relative":
            found.append((level, value))
            level += value
        else:
            level = value if measure == "absolute" else level
            found.append((0.0, level))
    return found


@pytest.mark.parametrize("changes", [[0.0], [5.5, -20.0, 3.0], [-1e6, -2.5, 4e6, 1.0]])
@pytest.mark.parametrize("first", [10.0, -7.0])
def test_a_waterfall_goes_from_level_to_level(changes, first):
    measures = ["absolute", *["relative"] * len(changes), "total"]
    values = [first, *changes, 0.0]
    trace = go.Waterfall(x=[f"Step {i}" for i in range(len(values))], y=values, measure=measures)
    (subplot,) = drawn(figure(trace)).values()
    found = [(bar.get_y(), bar.get_height()) for bar in subplot.axes.patches]
    np.testing.assert_allclose(found, naive_waterfall(measures, values))


@pytest.mark.parametrize("orientation", ["v", "h"])
@pytest.mark.parametrize(("barmode", "starts"), [("group", [[0, 0], [0, 0]]), ("relative", [[0, 0], [2, -3]])])
def test_bars_stand_side_by_side_or_on_each_other(orientation, barmode, starts):
    names, sizes = ["a", "b"], [[2, -3], [4, -1]]
    along = {"x": names} if orientation == "v" else {"y": names}
    across = "y" if orientation == "v" else "x"
    traces = [go.Bar(**along, **{across: size}, orientation=orientation, name=f"n{i}") for i, size in enumerate(sizes)]
    (subplot,) = drawn(figure(*traces, barmode=barmode)).values()
    begin, length = ("get_y", "get_height") if orientation == "v" else ("get_x", "get_width")
    found = [(getattr(bar, begin)(), getattr(bar, length)()) for bar in subplot.axes.patches]
    assert found == [
        (start, size) for pair in zip(starts, sizes, strict=True) for start, size in zip(*pair, strict=True)
    ]


def test_several_axes_and_hidden_traces():
    shown = go.Scatter(x=["Jan", "Feb"], y=[1, 2], name="one", xaxis="x2", yaxis="y2")
    hidden = go.Scatter(x=["Jan"], y=[9], name="two", visible="legendonly")
    subplots = drawn(figure(shown, hidden, xaxis2={"domain": [0.5, 1.0]}, yaxis2={"domain": [0, 1], "range": [0, 5]}))
    assert list(subplots) == [("x2", "y2")] and subplots["x2", "y2"].axes.get_ylim() == (0, 5)
    assert [label.get_text() for label in subplots["x2", "y2"].axes.get_xticklabels()] == ["Jan", "Feb"]


def test_a_picture_is_the_same_twice_and_holds_its_words():
    source = to_json_plotly(go.Figure([go.Scatter(x=[1, 2], y=[1e6, 2e6], name=name) for name in ("Actual", "Forecast")],
                                      {"yaxis": {"tickformat": "~s", "title": {"text": "EUR"}}}))  # fmt: skip
    one = static_charts.picture(source)
    assert one == static_charts.picture(source)
    shown = set(re.findall(r">([^<>\n]+)</text>", one.decode()))
    assert {"Actual", "Forecast", "EUR", "1M", "2M"} <= shown


def test_a_kind_of_chart_that_cannot_be_printed_is_refused():
    with pytest.raises(ValueError, match="«heatmap» cannot be printed"):
        static_charts.picture(to_json_plotly(go.Figure(go.Heatmap(z=[[1]]))))


# --- the real pages


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The contents of a company's pages and their PDF."""
    folder = tmp_path_factory.mktemp("company")
    company = Company(domains=("profit",), regions=("East", "N & S"), categories=("<Parts>",), history=True, loss=True)
    published = build(folder / "p.duckdb", company)
    pages = execute_pages(published, folder / "pages", company.domains)
    found = {name: pages / f"{name}.ipynb" for name in render.TITLES if (pages / f"{name}.ipynb").exists()}
    contents = {name: render.fragments(path, {f"{page}.html" for page in found}) for name, path in found.items()}
    pdf.write(
        contents, render.TITLES, Edition.open(published, "acme"), folder / "r.pdf", render.REPORTS, folder / "scratch"
    )
    return contents, pypdf.PdfReader(folder / "r.pdf")


def test_every_table_cell_of_the_pages_is_printed(report):
    from bs4 import BeautifulSoup

    (contents, reader), compared = report, 0
    words = text(reader).replace(" ", "").replace("\xa0", "")
    for name, found in contents.items():
        soup = BeautifulSoup("".join(html for kind, html in found if kind == "html"), "html.parser")
        for left_out in soup.select("details.screen, .months"):
            left_out.decompose()
        cells = [cell.get_text().replace(" ", "").replace("\xa0", "") for cell in soup.select("tbody td, tbody th")]
        missing = [cell for cell in cells if cell not in words]
        assert not missing, (name, missing)
        compared += len(cells)
    assert compared > 200


def test_what_only_a_screen_can_do_is_not_printed(report):
    contents, reader = report
    assert any("A click on" in html for _, html in contents["accuracy"]) and "A click on" not in text(reader)


def test_pages_stand_in_the_order_of_the_navigation_with_bookmarks(report):
    contents, reader = report
    top = [item.title for item in reader.outline if not isinstance(item, list)]
    assert top[0].startswith("Monthly forecast") and len(top) == len(contents)
    assert [name for name in render.TITLES if name in contents] == list(contents)


# --- the brief


@pytest.mark.parametrize(
    "company",
    [Company(history=True), Company(loss=True, beats=False), Company(behind=6, unit="USD")],
    ids=["history", "losses", "months apart"],
)
def test_the_brief_is_two_pages_that_say_what_the_first_page_says_and_lead_nowhere(tmp_path, company):
    published = build(tmp_path / "published.duckdb", company)
    pages = execute_pages(published, tmp_path / "pages", company.domains)
    contents = {"index": render.fragments(pages / "index.ipynb", {"sales.html"})}
    target = tmp_path / "brief.pdf"
    pdf.write_brief(contents, Edition.open(published, "acme"), target, render.REPORTS, tmp_path / "scratch")
    reader = pypdf.PdfReader(target)
    said = text(reader)
    assert len(reader.pages) == 2
    index = " ".join(fragment for _, fragment in contents["index"])
    headline = re.sub(r"\s+", " ", re.search(r'class="headline">(.*?)</p>', index)[1].replace("&#x27;", "'"))
    assert headline in said and "What to look at" in said and "The coming months" in said
    assert "Usual miss" in said and "The largest changes" not in said and "forecasts.xlsx" not in said
    assert "why this forecast" not in said and "(more)" not in said
    assert not any(page.get("/Annots") for page in reader.pages)
