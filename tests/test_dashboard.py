"""The dashboard: a series as people bring it, what the pages show against the database, and the real server in a real browser."""

import io
import json
import os
import re
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page
from streamlit.testing.v1 import AppTest

from browser import HOW_TO_GET_ONE, executable
from dashboard_browser import browser, running
from forecasting.dashboard import accuracy, editions, pasted, selection
from forecasting.dashboard.__main__ import SERVER, command, main
from forecasting.dashboard.answer import answer, cut_bounds, cut_points, fallback_reason, interval_words, who
from forecasting.dashboard.pasted import Brought
from forecasting.dashboard.source import Workspace
from forecasting.dashboard.supposing import forecast_of
from forecasting.dashboard.wording import plain
from forecasting.errors import UserError
from forecasting.ledger import Published
from forecasting.planning import Assumptions, load_baseline, what_if
from forecasting.serving.forecaster import SalesForecaster
from forecasting.wording.numbers import compact, month
from report_fixtures import VARIANTS, Company, build
from served_company import ServedCompany
from shown import DASH, agrees
from waiting import PATIENCE

APP = SERVER.with_name("app.py")


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> ServedCompany:
    """A workspace with a published history and a champion of sales that can be loaded; profit has none."""
    company = ServedCompany.made(tmp_path_factory.mktemp("served"))
    company.fit("linear")
    published = build(
        company.data / "published.duckdb", replace(VARIANTS["published history"], domains=("sales", "profit"))
    )
    with duckdb.connect(str(published)) as connection:
        (run_id,) = connection.execute("select run_id from latest_runs where domain = 'sales'").fetchone()
        (text,) = connection.execute("select manifest from runs where run_id = ?", [run_id]).fetchone()
        known = {name: found.to_json() for name, found in company.calibrations.items()}
        manifest = json.loads(text) | {"calibration": known, "params": {"allow_negative": True}}
        connection.execute("update runs set manifest = ? where run_id = ?", [json.dumps(manifest), run_id])
    company.register("linear", run_id)
    return company


def only(name: str, domain: str = "sales") -> Company:
    """A variant of the made-up company with one domain: to make three takes thrice as long."""
    return replace(VARIANTS[name], domains=(domain,))


@pytest.fixture
def opened(monkeypatch):
    """Open the dashboard of a workspace, as its script sees it."""

    def run(data: Path, view: str = "") -> AppTest:
        monkeypatch.setattr(sys, "argv", [str(APP), "--data", str(data)])
        app = AppTest.from_file(APP, default_timeout=PATIENCE).run()
        return app.switch_page(f"views/{view}.py").run() if view else app

    return run


def ask(published: Path, sql: str, *values) -> list[tuple]:
    with duckdb.connect(str(published), read_only=True) as connection:
        return connection.execute(sql, values).fetchall()


def shown(app: AppTest) -> str:
    """Everything that a page says."""
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind)


# --- a series as people bring it

SPELLINGS = {
    "two columns of a spreadsheet": ("2023-11\t10.5\n2023-12\t11\n2024-01\t12", [10.5, 11, 12]),
    "a heading, blank lines": ("Month\tSales\n\n2023-11\t10.5\n2023-12\t11\n\n2024-01\t12\n", [10.5, 11, 12]),
    "decimal commas": ("2023-11;1.010,5\n2023-12;11,25\n2024-01;12", [1010.5, 11.25, 12]),
    "commas between columns": ("2023-11,10.5\n2023-12,11\n2024-01,12", [10.5, 11, 12]),
    "blanks between columns": ("Nov 2023  1,010.5\nDec 2023  11\nJan 2024  12", [1010.5, 11, 12]),
    "values alone": ("10.5\n11\n12", [10.5, 11, 12]),
    "values alone that look like months": ("202311\n202312\n202310", [202311, 202312, 202310]),
    "a number in quotes": ('2023-11,"10,206.65"\n2023-12,"1,011"\n2024-01,12', [10206.65, 1011, 12]),
    "blanks between thousands": ("2023-11\t1 010,5\n2023-12\t11\n2024-01\t1 234 567", [1010.5, 11, 1234567]),
    "an empty column at the end": ("2023-11;10.5;\n2023-12;11;\n2024-01;12;", [10.5, 11, 12]),
    "the latest first": ("2024-01\t12\n2023-12\t11\n2023-11\t10.5", [10.5, 11, 12]),
    "months across": ("Nov-23\tDec-23\tJan-24\n10.5\t11\t12", [10.5, 11, 12]),
    "days, the month first": ("11/1/2023\t10.5\n12/1/2023\t11\n1/1/2024\t12", [10.5, 11, 12]),
    "last days, the day first": ("30.11.2023 10.5\n31.12.2023 11\n31.01.2024 12", [10.5, 11, 12]),
    "losses": ("2023-11\t(10.5)\n2023-12\t−11\n2024-01\t-1 200", [-10.5, -11, -1200]),
    "currency signs, signs behind": ("2023-11\t€ 1.010,50\n2023-12\t11,00- €\n2024-01\t(€12)", [1010.5, -11, -12]),
    "names of months": ("November 2023;10.5\nDez. 2023;11\nJänner 2024;12", [10.5, 11, 12]),
    "months as statistical offices write them": ("2023M11 10.5\n2023M12 11\n2024M01 12", [10.5, 11, 12]),
    "values that look like years": ("2023-11 2021\n2023-12 2022\n2024-01 2023", [2021, 2022, 2023]),
    "values near two thousand": ("2012\n1988\n2050", [2012, 1988, 2050]),
    "a label before values across": ("North;10;11;12", [10, 11, 12]),
    "labels before months across": ("Month\tNov-23\tDec-23\tJan-24\nSales\t10.5\t11\t12", [10.5, 11, 12]),
    "signs that differ from row to row": ("2023-11;10\n2023-12,11\n2024-01\t12", [10, 11, 12]),
    "short years before values": ("Nov 23 10\nDec 23 11\nJan 24 12", [10, 11, 12]),
    "a day with a comma": ("November 1, 2023, 10\nDecember 1, 2023, 11\nJanuary 1, 2024, 12", [10, 11, 12]),
    "a month before a comma": ("202311,150\n202312,160\n202401,170", [150, 160, 170]),
    "numbers that might be hours": ("2023-11-30 10\n2023-12-31 11\n2024-01-31 12", [10, 11, 12]),
    "clocks and losses": ("2023-11-30 00:00,-05\n2023-12-31 00:00,-06\n2024-01-31 00:00,7", [-5, -6, 7]),
    "something unseen": ("\ufeff2023-11\u200b;10\r2023-12;11\u20282024-01;12", [10, 11, 12]),
    "exponents": ("2023-11\t1.05e1\n2023-12\t11\n2024-01\t12", [10.5, 11, 12]),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_series_is_read_however_it_is_written(name):
    text, values = SPELLINGS[name]
    found = pasted.from_text(text, "2023-11")
    assert (found.months, found.values) == (["2023-11", "2023-12", "2024-01"], values)
    assert [row.y for row in found.table.itertuples()] == values


FAULTS = {
    "": "nothing to forecast",
    " \n\t\n": "nothing to forecast",
    "Month\tSales\nJan\tten": "no number in what you pasted",
    "2024-01\tabc": "Row 1: «abc» is no number",
    "2024-01\t5\n2024-02\t": "Row 2: 2024-02 has no value",
    "2024-01\t5\n\t6": "Row 2: the month is missing",
    "2024-01\t5\n2024-13\t6": "Row 2: «2024-13» is no month",
    "2024-01\t5\n\n2024-03\t6": "Row 3.* 1 month is missing between 2024-01 and 2024-03",
    "2024-01\t5\n2024-01\t6": "Row 2.*2024-01 stands there twice",
    "2024-01\t5\n2024-02\t€ 6 + 7": "Row 2: «€ 6 + 7» is no number",
    "2024-01\t$5\n2024-02\t€ 6": "several currencies",
    "45322\t5": "Row 1: «45322» is no month",
    "2024-01\tnan\n2024-02\tinf": "Row 1: «nan».*Row 2: «inf»",
    "2024-01\t1e16": "Row 1.*no usable number",
    "2024-01\t1,234\n2024-02\t2,345": "Choose the decimal sign",
    "01/02/2024\t1": "the day or the month may come first",
    "\n".join(["x1"] * 9): "Row 5.* 4.more rows.*digits only",
    "\n".join(["1"] * 1300): "1,300 rows",
    # more than one value for a month, or what may be more: which is meant is asked
    "2023-01,10,206.65": "Row 1: «10,206.65» may be one number or several columns",
    "2023-01, 10,206.65": "may be one number or several columns",
    "2023-01,10,20": "may be one number or several columns",
    "2023-01,,10": "may be one number or several columns",
    "2023-01 10 206": "may be one number or several columns",
    "2023-01  12 34": "may be one number or several columns",
    "Jan 2023, 1,234.5\nFeb 2023, 7": "may be one number or several columns",
    "2023-01\t5\n2023-02\t12 34": "Row 2: «12 34» is no number",
    "2023-01\t5\n2023-02\t1'23": "Row 2: «1'23» is no number",
    "2023-01\t5\n2023-02\t1'234,567.5": "Row 2: «1'234,567.5» is no number",
    "2023-01;10;206.65\n2023-02;11;9\n2023-03;12;9": "Row 1 has 3 columns («2023-01», «10», «206.65»)",
    "2023-01;10;206.65": "Row 1 has 3 columns",
    "202301;10;20": "Row 1 has 3 columns",
    "202301;10;20\n202302;30;40": "Row 1 has 3 columns",
    "2023-01\t5\n2023-02\t6\t7": "Row 2 has 3 columns",
    "2023-01||5": "Row 1 has 3 columns",
    "202311\n202312\n202401": "look like months without values",
    "1 100\n2 110\n3 120": "may be one number or several columns",
    "1,100.5\n2,110\n3,120.25": "may be one number or several columns",
    "01/02/2024\t1\n03/04/2024\t2": "the day or the month may come first",
    "2024-01-01\t5\n2024-01-02\t6": "2024-01 stands there twice",
    # a comma behind seconds may begin their parts
    "2023-11-01 00:00:00,10,206.65\n2023-12-01 00:00:00,11,207": "Row 1.*may be one number or several columns",
    "2023-11-01 00:00:00,10,5\n2023-12-01 00:00:00,11,5": "may be one number or several columns",
    "2023-11-01 00:00:00,102 5": "may be one number or several columns",
    "2023-11-01 00:00:00,10": "may be one number or several columns",
    "2023-11-30 00:00 -0500\n2023-12-31 00:00 -0600": "look like months without values",
    # a year that stands where values do
    "2023;10;11;12;13;14;15;16;17;18;19;20;21": "«2023» may be a year or a value",
    "2023;11;10": "may be a year or a value",
    "2023\n10\n11\n12": "Row 1: «2023» may be a year",
    "2021\n2022\n2023": "may be a year",
    # other tables than a month and a value
    "2023-11,10,5\n2023-12,11,25": "may be one number or several columns",
    "2023-11,1,010\n2023-12,980": "may be one number or several columns",
    "2023-11;10;\n2023-12;11;5": "Row 2 has 3 columns",
    "1 2023-11 10\n2 2023-12 11": "may be one number or several columns",
    "Nov 23 10 5\nDec 23 11 6": "may be one number or several columns",
    "11 2023 10\n12 2023 11": "may be one number or several columns",
    "10;2023-11\n11;2023-12": "«10» is no month",
    "2023-11;10\n2023-12;11\nTotal;21": "Row 3: «Total» is no month",
    "Nov-23\tDec-23\tTotal\n10\t11\t21": "has 3 columns",
    "2023-11\t2023-12\t2024-01\n10\t11\t12\n1\t2\t3": "has 3 columns",
    "2023-Q1;10\n2023-Q2;11": "«2023-Q1» is no month",
    "2023-W01;10\n2023-W02;11": "«2023-W01» is no month",
    "Jan;10\nFeb;11": "«Jan» is no month",
    "2023-11;10%\n2023-12;11": "«10%» is no number",
    "2023-11;10k\n2023-12;11k": "«10k» is no number",
    "2023-11;1.234,5\n2023-12;1,234.5": "is no number",
    "2023-11-06;10\n2023-11-13;10": "2023-11 stands there twice",
    '2023-11;"1;234"\n2023-12;5': "Row 1 has 3 columns",
}


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: re.sub(r"\W+", "_", text)[:30])
def test_what_is_wrong_is_said_with_its_row(text):
    words = FAULTS[text]
    with pytest.raises(UserError, match=re.compile(words if ".*" in words else re.escape(words), re.DOTALL)):
        pasted.from_text(text, "2024-01")


def test_the_decimal_sign_can_be_stated():
    text = "2024-01\t1,234\n2024-02\t2,345"
    assert pasted.from_text(text, "", ".").values == [1234, 2345]
    assert pasted.from_text(text, "", ",").values == [1.234, 2.345]


def test_what_was_left_out_is_said():
    notes = pasted.from_text("n/a\n5\n6", "2024-01").notes
    assert notes == ["Row 1 («n/a») was taken for a heading."]


@given(
    values=st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=40),
    start=st.integers(0, 600),
    months=st.sampled_from(["%Y-%m", "%Y-%m-%d", "%b %Y", "%m/%Y", "%Y%m%d", "%d.%m.%Y", "%B %Y"]),
    separator=st.sampled_from(["\t", ";", "; ", " | "]),
    signs=st.sampled_from([(",", "."), (".", ","), ("", "."), (" ", ","), ("'", ".")]),
)
def test_a_written_series_comes_back(values, start, months, separator, signs):
    ds = pd.date_range("1975-01-01", periods=len(values), freq="MS") + pd.DateOffset(months=start)
    group, decimal = signs
    texts = [f"{v / 100:,.2f}".translate(str.maketrans({",": group, ".": decimal})) for v in values]
    text = "\n".join(f"{day.strftime(months)}{separator}{number}" for day, number in zip(ds, texts, strict=True))
    found = pasted.from_text(text, "")
    assert found.months == list(ds.strftime("%Y-%m")) and found.values == [v / 100 for v in values]


def excel(*sheets: list[list]) -> bytes:
    """An Excel file with these sheets."""
    stream = io.BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl") as writer:
        for place, rows in enumerate(sheets):
            pd.DataFrame(rows).to_excel(writer, sheet_name=f"s{place}", header=False, index=False)
    return stream.getvalue()


def test_files_are_read():
    dates = list(pd.to_datetime(["2024-01-31", "2024-02-29"]))
    expected = (["2024-01", "2024-02"], [1.5, 2.0])
    for name, content, columns in (
        ("a.xlsx", excel([], [["Month", "Sales"], [dates[0], 1.5], [dates[1], 2]]), None),
        ("a.xlsx", excel([["x", "2024-01", "y", 1.5], ["x", "2024-02", "y", 2]]), (1, 3)),
        ("a.csv", "Monat;Umsatz für Öl\n2024-01;1,5\n2024-02;2\n".encode("cp1252"), None),
        ("A.CSV", b'\xef\xbb\xbf"Month","Sales"\r\n"Jan 2024","1.5"\r\n"Feb 2024","2"\r\n', None),
    ):
        found = pasted.from_file(name, content, columns)
        assert (found.months, found.values) == expected, name
    for name, content, words in (
        ("a.pdf", b"%PDF", "neither a CSV nor an Excel file"),
        ("a.xlsx", b"PK\x03\x04 damaged", "cannot be opened as a workbook"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"1\n2\n", "one column"),
        ("a.csv", b"2024-01;1\n" * 1300, "1,20. rows"),
        ("a.csv", b"Month;Sales\n2024-01;1\n2024-02;x\n", "Row 3: «x» is no number"),
        ("a.xlsx", excel([["2024-01", 1], ["2024-02", None]]), "Row 2: 2024-02 has no value"),
        ("a.csv", b"2023-01,10,206.65\n2023-02,11,001.00\n", "3 columns. Choose which one"),
        ("a.csv", b"Month,Sales\n2023-01,10,206.65\n", "row 2 .* has 3 cells .* must stand in quotes"),
        ("a.csv", b"2023-01,980\n2023-02,1,010\n", "row 1 .* has 2 cells where the table has 3 columns"),
        ("a.csv", b"2023-01,1,010\n2023-02,980\n", "row 2 .* has 2 cells"),
        ("a.csv", b"Month;Sales\n2023-01;10;5\n", "row 2 .* has 3 cells"),
        ("a.csv", b'Month,Sales\n2023-01,"10\n', "Row 2: .* is no number"),
        ("a.csv", b"2024-01" + b";1" * 200, "more than 100 columns"),
        ("a.csv", b"id,month,value\n1,2023-11,10\n2,2023-12,11\n", "3 columns. Choose which one"),
        ("a.csv", b"Month,2023-11,2023-12\nSales,10,11\n", "3 columns. Choose which one"),
        ("a.csv", b"Month,2023\n11,10\n12,11\n", "«11» is no month"),
        ("a.csv", b"2023-11 10\n2023-12 11\n", "one column"),
        ("a.csv", b"Month;Sales\n2023-11;10\n2023;21\n2023-12;11\n", "Row 3: «2023» is no month"),
        ("a.csv", b"Month;Sales\n2023-11;1,234\n2023-12;2,345\n", "Choose the decimal sign"),
        ("a.csv", b"Month;Sales\n2023-11;1\x000\n2023-12;11\n", "NUL"),
        ("a.xlsx", excel([["2024-01", "1,234"], ["2024-02", 5]]), "Choose the decimal sign"),
        ("a.xlsx", excel([["2024-01", True], ["2024-02", 5]]), "«TRUE» is no number"),
        ("a.xlsx", excel([["2024-01", 1], ["2024-02", 2], [None, 3]]), "Row 3: the month is missing"),
        ("a.xlsx", excel([["2024-01", 1, 5], ["2024-02", 2, 6]]), "3 columns. Choose which one"),
    ):
        with pytest.raises(UserError, match=words):
            pasted.from_file(name, content, None)


def test_a_sheet_that_was_not_read_is_named():
    found = pasted.from_file("a.xlsx", excel([["2024-01", 1]], [], [["2024-01", 7]]), None)
    assert found.values == [1] and found.notes == ["Only the sheet «s0» was read; there are cells in «s2», too."]


SHEET = "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>{}<sheetData>{}</sheetData></worksheet>"
ROW = "<row r='{0}'><c r='A{0}' t='inlineStr'><is><t>2024-01</t></is></c><c r='B{0}'><v>1</v></c></row>"


def workbook(size: str, rows: str) -> bytes:
    """An Excel file whose only sheet says that it is so large, and holds these rows."""
    made, stream = zipfile.ZipFile(io.BytesIO(excel([[1]]))), io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in made.namelist():
            target.writestr(name, SHEET.format(size, rows) if "sheet1.xml" in name else made.read(name))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("size", "rows", "words"),
    [
        ("", "".join(map(ROW.format, range(1, 10_001))), "more than 1,200 rows"),
        ("", "".join(map(ROW.format, (1, 1_048_576))), "reach to row 1,048,576"),
        ("", "".join(f"<row r='{place}'/>" for place in range(1, 300_000)), "no sheet that has cells"),
        ("", ROW.format(1) + "<!--" + " " * 50_000_000 + "-->", "50 MB large when it is unpacked, and at most 8 MB are read"),
        ("", "<row r='1'>" + "<c r='XFD1'><v>1</v></c>" + "</row>", "has 16,384 columns"),
    ],
)  # fmt: skip
def test_of_a_huge_workbook_no_more_is_read_than_a_series_needs(size, rows, words):
    content = workbook(size, rows)
    assert len(content) < 1_000_000
    with pytest.raises(UserError, match=words):
        pasted.from_file("a.xlsx", content, None)


def test_what_a_workbook_says_of_its_size_is_not_believed():
    found = pasted.from_file("a.xlsx", workbook("<dimension ref='A1:XFD1048576'/>", ROW.format(1)), None)
    assert (found.months, found.values) == (["2024-01"], [1.0])


def test_a_table_is_typed():
    table = pasted.typed_months("2023-12")
    assert table["Month"].tolist()[:2] == ["2023-12", "2024-01"]
    table.loc[[1, 2], "Value"] = [5.0, 0.0]
    found = pasted.from_typed(table)
    assert (found.months, found.values) == (["2024-01", "2024-02"], [5.0, 0.0])
    table.loc[4, "Value"] = 7.0
    with pytest.raises(UserError, match="Row 4: 2024-03 has no value"):
        pasted.from_typed(table)


# --- what the pages show, against the database

MONTHS = """
    select a.ds, a.y, f.predicted_value, f.lo_80, f.hi_95, f.cutoff, f.forecast_kind from monthly_actuals as a
    left join (
        select * from actual_vs_forecast where actual is not null and domain = 'sales'
            and (status = 'published' or (forecast_kind = 'walk_forward' and is_champion))
        qualify row_number() over (partition by unique_id, aggregation, ds order by forecast_kind = 'published' desc, horizon) = 1
    ) as f using (aggregation, unique_id, ds)
    where a.domain = 'sales' and a.aggregation = ? and a.region = ? and a.product_category = ? order by a.ds
"""


@pytest.mark.parametrize("node", [("total", "All", "All"), ("region", "North", "All"), ("series", "South", "Parts")])
def test_a_selection_is_what_the_database_holds(served, node):
    published = served.data / "published.duckdb"
    chosen = selection.select(Published(str(published)).domain("sales"), *node[1:])
    expected = ask(published, MONTHS, *node)
    columns = ["ds", "actual", "predicted_value", "lo_80", "hi_95", "cutoff"]
    found = chosen.past[columns].astype(object).where(chosen.past[columns].notna(), None)
    dates = [(*(v.date() if isinstance(v, pd.Timestamp) else v for v in row),) for row in found.itertuples(index=False)]
    assert dates == [row[:-1] for row in expected]
    names = {"published": selection.PUBLISHED, "walk_forward": selection.BACK_TEST, None: None}
    assert [None if pd.isna(kind) else kind for kind in chosen.past["kind"]] == [names[row[-1]] for row in expected]
    assert len(chosen.coming) == 6 and chosen.coming["ds"].min() > chosen.past["ds"].max()


def test_key_figures_are_those_of_the_database(served):
    published = served.data / "published.duckdb"
    chosen = selection.select(Published(str(published)).domain("sales"), "North", "All")
    last, made, coming, every = selection.key_figures(chosen)
    rows = ask(published, MONTHS, "region", "North", "All")
    y = {row[0]: row[1] for row in rows}
    ds, actual, forecast = rows[-1][:3]
    before = y[ds.replace(year=ds.year - 1)]
    assert agrees(last.value, actual) and agrees(last.change, 100 * (actual / before - 1))
    assert agrees(made.value, forecast) and agrees(made.change.removeprefix("actual "), 100 * (actual / forecast - 1))
    assert made.more.startswith("published; 1")
    ahead = ask(published, "select predicted_value, lo_80, hi_80 from forecasts where domain = 'sales' and region = 'North' "
                "and aggregation = 'region' and status = 'published' and cutoff = ? order by ds", ds)  # fmt: skip
    assert agrees(coming.value, ahead[0][0]) and agrees(coming.more.removeprefix("80 %: "), *ahead[0][1:])
    assert agrees(every.value, sum(row[0] for row in ahead))


def test_a_zero_forecast_and_a_missing_one_have_no_percentage(tmp_path):
    zero = Published(str(build(tmp_path / "zero.duckdb", only("all zero")))).domain("sales")
    figures = selection.key_figures(selection.select(zero, "All", "All"))
    assert not any("inf" in figure.change or "nan" in figure.change or "%" in figure.change for figure in figures)
    bare = Published(str(build(tmp_path / "bare.duckdb", only("no back-test")))).domain("sales")
    assert selection.key_figures(selection.select(bare, "All", "All"))[1].value == DASH


def test_published_accuracy_is_that_of_the_mart(served):
    """A loop over the published forecasts, lag by lag."""
    published = served.data / "published.duckdb"
    record = Workspace.of(served.data).record("sales")
    rows = ask(published, "select horizon, ds, actual, predicted_value, lo_80, hi_80, scale from actual_vs_forecast where domain = 'sales' "
               "and status = 'published' and actual is not null and aggregation = 'total' and horizon in (1, 3, 6)")  # fmt: skip
    found = accuracy.published(record, "total").set_index("lag")
    assert set(found.index) == {row[0] for row in rows}
    for lag, one in found.iterrows():
        mine = [row for row in rows if row[0] == lag]
        errors = [predicted - actual for _, _, actual, predicted, *_ in mine]
        assert one["n"] == len(mine) and one["first"].date() == min(row[1] for row in mine)
        assert one["bias"] == pytest.approx(sum(errors) / len(errors))
        assert one["wape"] == pytest.approx(sum(map(abs, errors)) / sum(row[2] for row in mine))
        assert one["mase"] == pytest.approx(np.mean([abs(e) / row[-1] for e, row in zip(errors, mine, strict=True)]))
        assert one["coverage_80"] == pytest.approx(np.mean([row[4] <= row[2] <= row[5] for row in mine]))


def test_the_back_test_is_that_of_the_mart(served):
    published = served.data / "published.duckdb"
    board = accuracy.back_test(Published(str(published)).domain("sales"), "series", "held_out")
    sql = """select model_name, mase, is_champion from forecast_accuracy where domain = 'sales' and aggregation = 'series'
        and forecast_kind = 'walk_forward' and evaluation_set = 'held_out' and horizon_group = 'all' order by mase"""
    expected = ask(published, sql)
    assert list(board[["model_name", "mase", "is_champion"]].itertuples(index=False, name=None)) == expected
    assert "2\N{NO-BREAK SPACE}cutoffs" in accuracy.cutoffs(board)


def brought(values) -> Brought:
    return Brought([f"{2015 + m // 12}-{m % 12 + 1:02d}" for m in range(len(values))], [float(v) for v in values], [])


def test_the_form_gives_what_the_forecaster_gives(served):
    forecaster = SalesForecaster.champion(served.data, "sales")
    series = brought(100 + 20 * np.sin(np.arange(50)) + np.arange(50))
    found = answer(forecaster.served, series, 4)
    direct = forecaster.forecast_series(series.months, series.values, 4)
    assert found.table["predicted_value"].tolist() == direct.points.tolist()
    assert np.array_equal(found.table[["lo_95", "lo_80", "hi_80", "hi_95"]], direct.quantiles[:, [0, 1, -2, -1]])
    assert found.table["ds"].dt.strftime("%Y-%m").tolist() == ["2019-03", "2019-04", "2019-05", "2019-06"]
    run_id = forecaster.served.origin.run_id
    assert fallback_reason(found) == "" and run_id in who(found.served) and set(found.download["run_id"]) == {run_id}


FALLBACKS = [
    (range(1, 8), "Each month is the mean of your months"),
    (range(1, 13), "Each month is the same month of the year before"),
    ([5] * 30 + [0] * 12, "it counts as ended"),
]


@pytest.mark.parametrize(("values", "words"), FALLBACKS)
def test_a_fallback_says_why(served, values, words):
    served_model = SalesForecaster.champion(served.data, "sales").served
    assert words in fallback_reason(answer(served_model, brought(values), 6))


def test_without_an_interval_it_is_said(served):
    served_model = SalesForecaster.champion(served.data, "sales").served
    assert interval_words(answer(served_model, brought([0] * 5), 6)).startswith("There is no interval")
    assert "errors" in interval_words(answer(served_model, brought(range(1, 50)), 6))


def test_a_forecast_that_the_sign_policy_cut_says_so(served):
    model = SalesForecaster.champion(served.data, "sales").served
    losses = brought([-100.0 - 5 * m for m in range(40)])
    kept, cut = (answer(replace(model, allow_negative=allowed), losses, 6) for allowed in (True, False))
    assert (kept.table["predicted_value"] < 0).all() and cut_points(kept) == cut_bounds(kept) == ""
    assert (cut.table["predicted_value"] == 0).all() and cut.download["was_cut"].all()
    assert "below 0 in 6 of 6" in cut_points(cut) and "sales may not be below 0" in cut_points(cut)


def test_names_are_shown_letter_by_letter():
    assert plain("a_b <b>*c* $1$ :red[x]") == r"a\_b \<b\>\*c\* \$1\$ \:red\[x\]"
    assert plain("run `make report` in data/x_y") == r"run `make report` in data/x\_y"
    assert plain("5` tall_") == r"5\` tall\_"


# --- the pages


def test_the_first_page_follows_its_filters(served, opened):
    app = opened(served.data)
    assert not app.exception and not app.error and len(app.metric) == 4
    everything = app.dataframe[0].value
    app.selectbox(key="region sales").set_value("North").run()
    app.selectbox(key="category sales").set_value("Parts").run()
    table = app.dataframe[0].value
    published = served.data / "published.duckdb"
    expected = ask(published, MONTHS, "series", "North", "Parts")
    known = table.dropna(subset="Actual")
    assert known["Actual"].tolist() == [row[1] for row in reversed(expected)][: len(known)]
    assert len(table) == len(everything) == selection.RECENT + 6
    slider = app.select_slider[0]
    slider.set_value((pd.Timestamp("2023-10-01"), pd.Timestamp("2024-02-01"))).run()
    assert app.dataframe[0].value["Month"].tolist() == list(pd.date_range("2023-10-01", periods=5, freq="MS"))[::-1]
    app.segmented_control(key="domain").set_value("profit").run()
    assert "Profit in EUR" in shown(app) and not app.exception


def test_the_accuracy_page_tells_published_from_back_test(served, opened, tmp_path):
    app = opened(served.data, "accuracy")
    assert [part.value for part in app.subheader] == [
        "Published forecasts, against what came",
        "Back-test of all models, not published",
    ]
    published, back_test = (part.value for part in app.dataframe)
    assert published["Published"].tolist() == [f"{n}\N{NO-BREAK SPACE}month{'s' * (n > 1)} before" for n in (1, 3)]
    assert any("champion" in name for name in back_test["Model"]) and len(back_test) == 3
    app.segmented_control(key="level").set_value("series").run()
    assert app.dataframe[0].value["Forecasts"].tolist() == [9 * n for n in published["Forecasts"]]
    build(tmp_path / "published.duckdb", only("no back-test"))
    bare = opened(tmp_path, "accuracy")
    assert "has met its month yet" in shown(bare) and "There is no such back-test" in shown(bare) and not bare.exception


def test_a_pasted_series_is_forecast(served, opened):
    app = opened(served.data, "own_series")
    assert not app.dataframe
    values = [1000 + 10 * m for m in range(40)]
    app.text_area(key="text").set_value("\n".join(map(str, values)))
    app.slider(key="horizon").set_value(3)
    app.button[0].click().run()
    assert not app.exception and not app.error
    first = app.date_input(key="first").value
    months = [f"{d:%Y-%m}" for d in pd.date_range(first, periods=40, freq="MS")]
    direct = SalesForecaster.champion(served.data, "sales").forecast_series(months, values, 3)
    assert app.dataframe[0].value["Forecast"].tolist() == direct.points.tolist()
    assert "linear" in shown(app) and "version 1" in shown(app)
    app.text_area(key="text").set_value("2024-01\t5\n2024-02\tfive").run()
    assert "Row 2: «five» is no number" in app.error[0].value.replace("\\", "") and not app.dataframe
    app.text_area(key="text").set_value("5\n6\n7").run()
    assert "fallback" in app.warning[0].value


LARGEST = """
    with recent as (
        select unique_id, sum(y) as y from monthly_actuals where domain = 'sales' and aggregation = 'series'
            and ds > (select max(ds) from monthly_actuals where domain = 'sales') - interval 12 months group by unique_id
    )
    select ds, y from monthly_actuals where domain = 'sales' and aggregation = 'series'
        and unique_id = (select unique_id from recent order by abs(y) desc limit 1) order by ds
"""


def press(app: AppTest, label: str) -> AppTest:
    """Press the button of this name."""
    (button,) = [button for button in app.button if button.label == label]
    return button.click().run()


def test_an_example_is_tried_with_one_click(served, opened):
    app = opened(served.data, "own_series")
    app.segmented_control(key="way").set_value("Upload").run()  # the box is not even there
    press(app, "Try an example")
    rows = ask(served.data / "published.duckdb", LARGEST)[-48:]
    expected = [(f"{ds:%Y-%m}", pytest.approx(y, abs=0.005)) for ds, y in rows]
    lines = [line.split("\t") for line in app.text_area(key="text").value.splitlines()]
    assert [(month, float(value)) for month, value in lines] == expected
    forecaster = SalesForecaster.champion(served.data, "sales")
    direct = forecaster.forecast_series([m for m, _ in lines], [float(v) for _, v in lines])
    assert app.dataframe[0].value["Forecast"].tolist() == direct.points.tolist()
    assert "An example: sales of South · Bikes" in shown(app).replace("\\", "") and not app.error
    app.text_area(key="text").set_value("5\n6\n7").run()
    assert app.dataframe and "An example" not in shown(app)


NOTHING = {
    "Paste": ("nothing to forecast yet. Paste a month and its value", True),
    "Type": ("Type a value beside each month", False),
    "Upload": ("Choose a file", True),
}


@pytest.mark.parametrize("way", NOTHING)
def test_who_brings_nothing_is_told_what_to_bring(served, opened, way):
    app = opened(served.data, "own_series")
    app.segmented_control(key="way").set_value(way).run()
    assert not app.warning and not app.code  # nothing was asked for yet
    press(app, "Forecast")
    words, has_lines = NOTHING[way]
    assert words in app.warning[0].value and not app.error and "The next" not in shown(app)
    assert [len(code.value.splitlines()) for code in app.code] == [3] * has_lines


def test_the_lines_that_are_shown_where_nothing_was_pasted_can_be_pasted(served, opened):
    app = opened(served.data, "own_series")
    for text, words in ((" \n ", "nothing to forecast yet"), ("hello\nworld", "no number in what you pasted")):
        app.text_area(key="text").set_value(text).run()
        assert words in app.warning[0].value and "Paste a month" in app.warning[0].value and not app.dataframe
    app.text_area(key="text").set_value(app.code[0].value).run()
    assert app.dataframe and not app.code and "3\N{NO-BREAK SPACE}months" in shown(app)


def links(app: AppTest) -> list[tuple[str, str]]:
    """The buttons that lead elsewhere."""
    return [(button.proto.label, button.proto.url) for button in app.get("link_button")]


def test_the_newest_report_is_linked_where_one_is_kept(opened, tmp_path):
    build(tmp_path / "published.duckdb", only("one series"))
    assert links(opened(tmp_path)) == []
    for name in ("2024-01-31", "2024-02-29", "2024-03-31.running"):
        page = editions.kept(tmp_path) / name / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text("the report")
    for view in ("", "own_series"):
        ((label, url),) = links(opened(tmp_path, view))
        assert label.replace("\N{NO-BREAK SPACE}", " ") == "Report of 29 February 2024"
        assert url == "/report/2024-02-29/index.html"


def test_assumptions_move_the_forecast(served, opened):
    app = opened(served.data, "what_if")
    assert "against the forecast" in shown(app) and app.dataframe and not app.exception and not app.error
    assert app.slider(key="if uplift").disabled  # there is no promotion
    app.selectbox(key="if region sales").set_value("North").run()
    baseline = load_baseline(str(served.data / "published.duckdb"), "North")
    app.slider(key="if volume").set_value(10)
    app.slider(key="if price").set_value(-5)
    app.slider(key="if elasticity").set_value(-1.5).run()
    promoted = baseline.months[1]
    app.selectbox(key=f"if promotion from {baseline.months[0]}").set_value(promoted).run()
    app.slider(key="if uplift").set_value(30)
    app.slider(key="if discount").set_value(10)
    app.slider(key="if pull_forward").set_value(20).run()
    margin = round(100 * baseline.margin, 1) / 100
    expected = what_if(baseline, Assumptions(0.1, -0.05, -1.5, promoted, 0.3, 0.1, 0.2), margin)
    table = app.dataframe[0].value
    assert table["Month"].tolist() == [*map(month, baseline.rows["ds"]), "Total"]
    assert table["Sales, scenario"].tolist()[:-1] == pytest.approx(expected.rows["scenario"].tolist())
    assert table["Profit, scenario"].tolist()[:-1] == pytest.approx(expected.rows["profit_scenario"].tolist())
    assert table["Sales, scenario"].iloc[-1] == pytest.approx(expected.totals["scenario"])
    assert compact(expected.totals["scenario"], baseline.unit) in shown(app).replace("\\", "")


def test_what_if_is_about_sales_offers_no_other_and_leaves_the_choice_as_it_was(served, opened):
    app = opened(served.data)
    app.segmented_control(key="domain").set_value("profit").run()
    app.switch_page("views/what_if.py").run()
    assert "Sales in EUR" in shown(app) and not app.segmented_control
    app.selectbox(key="if region sales").set_value("North").run()
    app.switch_page("views/accuracy.py").run()
    assert app.segmented_control(key="domain").value == "profit" and "Profit in EUR" in shown(app)


@pytest.mark.parametrize("name", [("All", "All"), ("North", "All"), ("North", "Parts")])
def test_expenses_stay_out_of_the_margin_where_each_sum_is_read_by_itself(served, name):
    published = Published(str(served.data / "published.duckdb"))

    class Many(Workspace):
        def part(self, domain, region, category):
            return published.only(replace(published.domain(domain), in_sight={"series": None}), region, category)

    found = forecast_of(Many(*Workspace.of(served.data)), *name)
    expected = load_baseline(str(served.data / "published.duckdb"), *name)
    assert found.margin == expected.margin is not None
    pd.testing.assert_frame_equal(found.rows, expected.rows, check_dtype=False)


def test_assumptions_that_cannot_be_are_a_sentence(served, opened):
    app = opened(served.data, "what_if")
    baseline = load_baseline(str(served.data / "published.duckdb"))
    promotion = app.selectbox(key=f"if promotion from {baseline.months[0]}")
    assert promotion.options == ["none", *map(month, baseline.rows["ds"])]
    promotion.set_value(baseline.months[0]).run()
    app.slider(key="if uplift").set_value(200)
    app.slider(key="if pull_forward").set_value(100).run()
    assert "more from" in app.error[0].value and not app.dataframe and not app.exception


def test_without_sales_nothing_can_be_supposed(opened, tmp_path):
    build(tmp_path / "published.duckdb", only("losses", "profit"))
    app = opened(tmp_path, "what_if")
    assert "forecast of sales" in app.info[0].value and not app.dataframe and not app.error and not app.exception


def test_a_series_is_typed_or_uploaded(served, opened):
    app = opened(served.data, "own_series")
    app.segmented_control(key="way").set_value("Upload").run()
    content = "Region;Month;Sales\n" + "\n".join(
        f"North;{2020 + m // 12}-{m % 12 + 1:02d};{100 + m}" for m in range(40)
    )
    app.file_uploader(key="file").upload("a.csv", content.encode(), "text/csv").run()
    assert "3 columns" in app.error[0].value and not app.dataframe  # which are meant is asked
    app.selectbox(key="month column").set_value(1)
    app.selectbox(key="value column").set_value(2).run()
    assert not app.error and "40\N{NO-BREAK SPACE}months" in shown(app)
    app.segmented_control(key="way").set_value("Type").run()
    first = app.date_input(key="first").value
    rows = {place: {"Value": 100.0 + place} for place in range(14)}
    app.session_state[f"typed from {first:%Y-%m}"] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
    app.run()
    assert not app.exception and "14\N{NO-BREAK SPACE}months" in shown(app)


def test_a_domain_whose_champion_cannot_be_loaded_says_so(served, opened):
    app = opened(served.data, "own_series")
    app.segmented_control(key="domain").set_value("profit")
    app.text_area(key="text").set_value("1\n2\n3").run()
    assert "MLflow knows no champion of profit" in app.error[0].value and not app.exception


def test_a_missing_or_damaged_workspace_is_a_sentence(opened, tmp_path):
    app = opened(tmp_path / "nowhere")
    assert "Nothing has been published" in app.error[0].value and not app.exception
    published = build(tmp_path / "published.duckdb", Company(domains=("sales",)))
    whole = published.read_bytes()
    for damaged in (b"no database", whole[: len(whole) // 2], whole[:4096] + b"\0" * 4096 + whole[8192:]):
        published.write_bytes(damaged)
        app = opened(tmp_path)
        assert len(app.error) == 1 and "published.duckdb" in app.error[0].value.replace("\\", "") and not app.exception
    duckdb.connect(str(tmp_path / "other.duckdb")).execute("create table t (i int)").close()
    shutil.move(tmp_path / "other.duckdb", published)
    app = opened(tmp_path)
    assert "an older version" in app.error[0].value and not app.exception


def test_a_new_published_file_is_seen_without_a_restart(opened, tmp_path):
    app = opened(tmp_path)
    assert app.error
    build(tmp_path / "published.duckdb", Company(domains=("sales",), months=40))
    assert month("2023-04-01") in app.run().metric[0].label and not app.error
    build(tmp_path / "next.duckdb", Company(domains=("sales",), months=41))
    os.replace(tmp_path / "next.duckdb", tmp_path / "published.duckdb")
    assert month("2023-05-01") in app.run().metric[0].label


KINDS = {
    "one series, all zero": replace(only("one series"), zero=True),
    "losses": only("losses", "profit"),
    "two last months": only("two last months"),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_company_can_be_looked_at(opened, tmp_path, name):
    (domain,) = KINDS[name].domains
    build(tmp_path / "published.duckdb", KINDS[name])
    app = opened(tmp_path)
    for box in ("region", "category"):
        app.selectbox(key=f"{box} {domain}").set_value(app.selectbox(key=f"{box} {domain}").options[-1]).run()
    assert not app.exception and not app.error and app.dataframe
    assert not re.search(r"\b(nan|inf|None|NaT)\b", shown(app) + "".join(m.value + m.delta for m in app.metric))
    app.switch_page("views/accuracy.py").run()
    assert not app.exception and not app.error and not re.search(r"\b(nan|inf|None|NaT)\b", shown(app))


# --- the real server


def test_the_command_line_states_where_it_listens(monkeypatch, tmp_path, capsys):
    words = command(tmp_path, "127.0.0.1", 8501)
    assert "--server.address=127.0.0.1" in words and "--browser.gatherUsageStats=false" in words
    assert words[words.index("--") :] == ["--", "--data", str(tmp_path)]
    started = []
    monkeypatch.setattr(os, "execv", lambda program, words: started.append(words))
    main(["--data", str(tmp_path), "--host", "0.0.0.0", "--port", "9000"])
    said = capsys.readouterr().out
    assert "Nothing has been published" in said and "asks for no password" in said and "http://0.0.0.0:9000" in said
    assert started == [command(tmp_path, "0.0.0.0", 9000)]


# The same server, whose forecasts wait until a file is there.
WAITING = """
import sys, time
from pathlib import Path
from forecasting.dashboard import __main__ as start, form
answer, gate = form.answer, Path({gate!r})

def waiting(*question):
    while not gate.exists():
        time.sleep(0.05)
    return answer(*question)

form.answer = waiting
def serve(program, words):
    from streamlit.web import cli
    sys.argv = words[2:]
    cli.main()
start.os.execv = serve
start.main()
"""


def headed(page: Page, text: str) -> None:
    """Wait for a heading, and for all that the page then shows below it."""
    page.get_by_role("heading", name=text).wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for()


def downloaded(page: Page) -> pd.DataFrame:
    """Press the button, once the page is up to date, and read the file that comes."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    return pd.read_csv(download.value.path(), encoding="utf-8-sig")


@pytest.mark.skipif(executable() is None, reason=HOW_TO_GET_ONE)
def test_people_use_it_in_a_browser(served, tmp_path):
    published = served.data / "published.duckdb"
    with running(served.data, tmp_path / "log") as address, browser() as (page, outside):
        page.goto(address)
        page.get_by_role("combobox", name="Region").click()
        page.get_by_role("option", name="North", exact=True).click()
        headed(page, "Sales: North")
        expected = ask(published, MONTHS, "region", "North", "All")
        assert agrees(page.get_by_test_id("stMetricValue").first.inner_text(), expected[-1][1])
        rows = downloaded(page)
        assert rows["actual"].dropna().tolist() == [row[1] for row in expected][-selection.RECENT :]
        assert set(rows["region"]) == {"North"} and rows["kind"].tolist()[-6:] == [selection.COMING] * 6

        page.get_by_role("link", name="Your own series").click()
        values = [500 + 7 * m for m in range(40)]
        series = brought(values)
        text = "\n".join(f"{m}\t{v}" for m, v in zip(series.months, values, strict=True))
        page.get_by_role("textbox", name="A month and a value").fill(text)
        page.get_by_role("button", name="Forecast", exact=True).click()
        headed(page, "The next 6")
        direct = SalesForecaster.champion(served.data, "sales").forecast_series(series.months, series.values)
        assert downloaded(page)["predicted_value"].tolist() == direct.points.tolist()

        page.get_by_role("link", name="What if").focus()
        page.keyboard.press("Enter")
        headed(page, "What if?")
        assert page.url == f"{address}/what_if" and page.title().startswith("What if")
        baseline = load_baseline(str(published))
        page.get_by_role("slider", name="Price, %").press("ArrowRight")
        dearer = what_if(baseline, Assumptions(price=0.01)).totals["scenario"] - baseline.rows["sales"].sum()
        page.get_by_text(f"{compact(dearer, baseline.unit, plus=True)} (+1.0").wait_for()

        report = editions.kept(served.data) / "2024-01-31" / "index.html"
        report.parent.mkdir(parents=True)
        report.write_text("<h1>The edition</h1>")
        page.goto(address)
        with page.expect_popup() as opened_page:
            page.get_by_role("link", name="Report of 31").click()
        opened_page.value.get_by_role("heading", name="The edition").wait_for()

        page.set_viewport_size({"width": 400, "height": 900})
        for view in ("own_series", "what_if"):
            page.goto(f"{address}/{view}")
            page.get_by_role("heading", level=3).wait_for()
            page.wait_for_function("document.scrollingElement.scrollWidth <= 400")
        assert outside == [] and "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.skipif(executable() is None, reason=HOW_TO_GET_ONE)
def test_no_old_answer_stands_below_a_new_question(served, tmp_path):
    gate = tmp_path / "gate"
    gate.touch()
    code = WAITING.format(gate=str(gate))
    with running(served.data, tmp_path / "log", ["-c", code]) as address, browser() as (page, _):
        page.goto(f"{address}/own_series")
        page.get_by_role("button", name="Try an example").click()
        headed(page, "The next 6")
        page.get_by_text("An example: sales of").wait_for()
        gate.unlink()
        page.get_by_role("textbox", name="A month and a value").fill("2024-01\t5\n2024-02\t6")
        page.get_by_role("button", name="Forecast", exact=True).click()
        page.get_by_text("Forecasting …").wait_for()
        page.get_by_role("heading", name="The next 6").wait_for(state="detached")
        assert (
            page.get_by_text("An example: sales of").count() == page.get_by_role("button", name="Download").count() == 0
        )
        gate.touch()
        headed(page, "The next 6")
        page.get_by_text("January 2024 to February 2024").wait_for()
        assert page.get_by_text("Forecasting …").count() == 0
