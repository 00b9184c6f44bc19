"""The workbook, the CSV and the Parquet file hold the database's own numbers, and an Excel user can trust the cells."""

import csv
import datetime as dt
import re

import duckdb
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.report.files import FILES
from forecasting.site import exports, sheets, workbook
from forecasting.site.editions import Edition
from forecasting.site.views import COLUMNS, Column
from forecasting.wording.spreadsheets import as_text, without_formulas
from report_fixtures import Company, build

HOSTILE = Company(
    domains=("sales", "profit"),
    regions=("=1+1", "+North & <b>", "@x"),
    categories=("-Parts", 'HYPERLINK("a")'),
    history=True,
)
TABS = ("forecast", "by month", "actuals", "actual vs forecast", "accuracy")
PUBLISHED = """
    select f.* from forecasts f join latest_runs r on f.run_id = r.run_id
    where f.status = 'published' and f.domain = '{domain}'
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return build(tmp_path_factory.mktemp("db") / "published.duckdb", HOSTILE)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """One series of sales."""
    company = Company(domains=("sales",), regions=("All",), categories=("All",), months=36)
    return build(tmp_path_factory.mktemp("small") / "published.duckdb", company)


@pytest.fixture(scope="module")
def book(published, tmp_path_factory):
    """The workbook of the company with hostile names, read back."""
    return write(published, tmp_path_factory.mktemp("book") / "forecasts.xlsx")


def write(published, target):
    workbook.write(published, target, Edition.open(published, "A & B"))
    return openpyxl.load_workbook(target)


def sql(path, text):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(text).df()


def table(sheet):
    """A tab's table as a frame of the cells' values; its headings are those of the Excel table."""
    (found,) = sheet.tables.values()
    rows = [[cell.value for cell in row] for row in sheet[found.ref]]
    assert rows[0] == [column.name for column in found.tableColumns]
    return pd.DataFrame(rows[1:], columns=rows[0])


def keyed(frame, key, value):
    """The values of a column by key; every key once."""
    found = {tuple(row[: len(key)]): row[-1] for row in frame[[*key, value]].itertuples(index=False, name=None)}
    assert len(found) == len(frame)
    return found


def same(found, expected):
    assert found.keys() == expected.keys() and found
    for name, value in expected.items():
        assert found[name] == (None if pd.isna(value) else pytest.approx(value, rel=1e-15)), name


NODE = ["aggregation", "region", "product_category"]
SHOWN_NODE = ["Level", "Region", "Category"]


@pytest.mark.parametrize("domain", HOSTILE.domains)
@pytest.mark.parametrize(
    ("column", "heading"),
    [
        ("predicted_value", "Forecast"),
        ("lo_80", "80 % from"),
        ("hi_80", "80 % to"),
        ("lo_95", "95 % from"),
        ("hi_95", "95 % to"),
    ],
)
def test_every_forecast_and_bound_is_the_databases(book, published, domain, column, heading):
    expected = keyed(sql(published, PUBLISHED.format(domain=domain)), [*NODE, "ds"], column)
    shown = table(book[f"{domain.title()} forecast"])
    same(keyed(shown, [*SHOWN_NODE, "Month"], f"{heading} (EUR)"), expected)


@pytest.mark.parametrize("domain", HOSTILE.domains)
def test_actuals_are_the_databases_totals_included(book, published, domain):
    actuals = sql(published, f"select * from monthly_actuals where domain = '{domain}'")
    shown = table(book[f"{domain.title()} actuals"])
    same(keyed(shown, [*SHOWN_NODE, "Month"], "Actual (EUR)"), keyed(actuals, [*NODE, "ds"], "y"))
    totals = shown[shown["Level"] == "total"].set_index("Month")["Actual (EUR)"]
    summed = shown[shown["Level"] == "series"].groupby("Month")["Actual (EUR)"].sum()
    pd.testing.assert_series_equal(totals, summed, check_exact=False, rtol=1e-9)


@pytest.mark.parametrize("domain", HOSTILE.domains)
def test_months_side_by_side_are_the_last_actuals_and_the_next_forecasts(book, published, domain):
    shown = table(book[f"{domain.title()} by month"])
    actuals = sql(published, f"select * from monthly_actuals where domain = '{domain}'")
    made = sql(published, PUBLISHED.format(domain=domain))
    for kind, rows, value, n in (("actual", actuals, "y", 12), ("forecast", made, "predicted_value", 6)):
        headings = [name for name in shown if name.endswith(f" {kind} (EUR)")]
        assert len(headings) == n
        for heading in headings:
            month = dt.datetime.strptime(heading.replace("\xa0", " ")[:8], "%b %Y")
            expected = keyed(rows[rows["ds"] == month], NODE, value)
            same(keyed(shown, SHOWN_NODE, heading), expected)


@pytest.mark.parametrize("domain", HOSTILE.domains)
def test_published_forecasts_and_back_test_are_told_apart_and_complete(book, published, domain):
    shown = table(book[f"{domain.title()} actual vs forecast"])
    rows = sql(published, f"select * from actual_vs_forecast where domain = '{domain}' and actual is not null")
    order = sql(published, "select run_id, max(published_at) as at from publications group by run_id")
    rows = rows.merge(order, on="run_id").sort_values(["at", "run_id"], ascending=[True, False])
    last = sql(published, f"select max(ds) as last from monthly_actuals where domain = '{domain}'")["last"][0]
    rows = rows[rows["ds"] > last - pd.DateOffset(months=12)]
    for kind, label in (("published", "published"), ("walk_forward", "walk-forward (back-test)")):
        wanted = rows[rows["forecast_kind"].eq(kind) & rows["is_champion"] & rows["evaluation_set"].ne("calibration")]
        latest = wanted.drop_duplicates([*NODE, "cutoff", "horizon"], keep="last")
        part = shown[shown["Kind of forecast"] == label]
        for column, heading in (("actual", "Actual"), ("predicted_value", "Forecast"), ("variance", "Variance")):
            found = keyed(part, [*SHOWN_NODE, "Data up to", "Months ahead"], f"{heading} (EUR)")
            same(found, keyed(latest, [*NODE, "cutoff", "horizon"], column))
        shares = keyed(part, [*SHOWN_NODE, "Data up to", "Months ahead"], "Variance %")
        same(shares, keyed(latest.assign(share=latest["variance_pct"] / 100), [*NODE, "cutoff", "horizon"], "share"))
    assert set(shown["Kind of forecast"]) == {"published", "walk-forward (back-test)"}


def test_accuracy_is_the_marts(book, published):
    shown = table(book["Sales accuracy"])
    rows = sql(published, "select * from forecast_accuracy where domain = 'sales'")
    key = ["forecast_kind", "evaluation_set", "aggregation", "horizon_group", "model_name"]
    names = ["Kind of forecast", "Back-test set", "Level", "Months ahead", "Model"]
    back = {"walk-forward (back-test)": "walk_forward", "seasonal naive": "seasonal_naive"}
    shown = shown.replace({"Kind of forecast": back, "Model": back})
    pairs = {
        "mase": "MASE",
        "wape": "WAPE",
        "bias": "Bias (EUR)",
        "coverage_80": "Inside 80 %",
        "n": "Forecasts compared",
    }
    for column, heading in pairs.items():
        same(keyed(shown, names, heading), keyed(rows, key, column))


def test_the_summary_says_whose_of_when_and_by_which_run(book, published):
    sheet = book["Summary"]
    assert sheet["A1"].value == "Monthly forecast: A & B" and "Edition of 15\xa0January\xa02024" in sheet["A2"].value
    shown = pd.DataFrame([[c.value for c in row] for row in sheet[sheet.tables["Summary"].ref]])
    shown = shown.set_axis(shown.iloc[0], axis=1).iloc[1:].set_index("Domain")
    for domain in HOSTILE.domains:
        row = shown.loc[domain.title()]
        total = sql(published, PUBLISHED.format(domain=domain) + " and aggregation = 'total' and horizon = 1").iloc[0]
        last = sql(
            published, f"select y from monthly_actuals where domain = '{domain}' and aggregation = 'total' order by ds"
        )
        assert row["Run"] == total["run_id"] and row["Unit"] == "EUR" and row["Next month"] == total["ds"]
        assert row["Forecast"] == pytest.approx(total["predicted_value"]) and row["80 % to"] == pytest.approx(
            total["hi_80"]
        )
        assert row["Actual of that month"] == pytest.approx(last["y"].iloc[-1])
        assert row["Published at (UTC)"] == total["prediction_time"]
    linked = {cell.value for row in sheet.iter_rows() for cell in row if cell.hyperlink}
    assert linked == set(book.sheetnames) - {"Summary"}


def test_the_summary_holds_the_year_as_the_first_page_says_it(book, published):
    sheet = book["Summary"]
    shown = pd.DataFrame([[c.value for c in row] for row in sheet[sheet.tables["Summary"].ref]])
    shown = shown.set_axis(shown.iloc[0], axis=1).iloc[1:].set_index("Domain")
    for domain in HOSTILE.domains:
        coming = sql(published, PUBLISHED.format(domain=domain) + " and aggregation = 'total'")["predicted_value"].sum()
        before = sql(
            published,
            f"""select sum(y) as y from monthly_actuals where domain = '{domain}' and aggregation = 'total'
                and ds between '2023-01-01' and '2023-06-01'""",
        )["y"][0]
        row = shown.loc[domain.title()]
        assert row["Outlook for"] == "January to June\N{NO-BREAK SPACE}2024" and row["Outlook"] == pytest.approx(coming)
        assert row["The year before"] == pytest.approx(before)
        assert row["Outlook, 80 % from"] < coming < row["Outlook, 80 % to"]


def test_excel_draws_each_domain_colours_its_tabs_and_shows_variance_as_bars(book):
    charts = book["Summary"]._charts
    assert len(charts) == len(HOSTILE.domains)
    colours = {sheet.sheet_properties.tabColor.rgb for sheet in book.worksheets if sheet.title.startswith("Sales ")}
    assert len(colours) == 1 and book["Summary"].sheet_properties.tabColor is None
    sheet = book["Sales actual vs forecast"]
    heads = [cell.value for cell in sheet[4]]
    ranges = [str(found.sqref) for found in sheet.conditional_formatting]
    assert ranges and ranges[0].startswith(openpyxl.utils.get_column_letter(heads.index("Variance %") + 1))


def test_nothing_on_the_summary_stands_below_its_charts(book):
    sheet = book["Summary"]
    boxes = [chart.anchor for chart in sheet._charts]
    covered = range(min(box._from.row for box in boxes) + 1, max(box.to.row for box in boxes) + 1)
    assert len({box._from.row for box in boxes}) == 1 and len({box._from.col for box in boxes}) == len(boxes)
    assert not [cell.value for row in covered for cell in sheet[row + 1] if cell.value is not None]


def test_a_chart_reads_the_totals_cells(book):
    for domain, chart in zip(HOSTILE.domains, book["Summary"]._charts, strict=True):
        lines = {line.tx.v: line for line in chart.series}
        assert list(lines) == ["Actual", "Forecast", "80 % from", "80 % to"]
        for name, heading in (("Actual", "Actual (EUR)"), ("Forecast", "Forecast (EUR)"), ("80 % to", "80 % to (EUR)")):
            tab, _, cells = lines[name].yVal.numRef.f.rpartition("!")
            sheet = book[tab.strip("'")]
            read = [cell.value for (cell,) in sheet[cells.replace("$", "")]]
            rows = table(sheet)
            assert read == rows[rows["Level"] == "total"][heading].tolist()[-36:]
            assert tab.strip("'") == f"{domain.title()} {'actuals' if name == 'Actual' else 'forecast'}"


def test_cells_are_numbers_dates_and_text_never_formulas(book):
    assert set(book.sheetnames) == {
        "Summary",
        "Adjust",
        "Columns",
        *(f"{d.title()} {tab}" for d in HOSTILE.domains for tab in TABS),
    }
    seen = set()
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate, cell.value)
                assert not (isinstance(cell.value, str) and re.fullmatch(r"[-−]?\d[\d,.]*", cell.value)), cell.value
                seen.add(cell.value if isinstance(cell.value, str) else None)
    assert {*HOSTILE.regions, *HOSTILE.categories} <= seen
    forecast = book["Sales forecast"]
    kinds = {name.value: forecast.cell(5, name.column) for name in forecast[4]}
    assert kinds["Forecast (EUR)"].number_format == "#,##0" and kinds["Month"].number_format == "mmm yyyy"
    assert kinds["Month"].is_date and kinds["Published at (UTC)"].is_date and kinds["Months ahead"].data_type == "n"


def test_headings_stay_in_sight_and_filter(book):
    for sheet in book.worksheets:
        if sheet.title == "Summary":
            continue
        (found,) = sheet.tables.values()
        assert found.autoFilter is not None and found.ref.startswith("A4:")
        assert re.fullmatch(r"[A-Z]+5", sheet.freeze_panes) and sheet.print_title_rows == "$4:$4"
        assert all(8 <= size.width <= 60 for size in sheet.column_dimensions.values())


def test_every_heading_is_explained(book):
    explained = set(table(book["Columns"])["Column"])
    for domain in HOSTILE.domains:
        for tab in ("forecast", "actuals", "actual vs forecast", "accuracy"):
            names = {name.removesuffix(" (EUR)") for name in table(book[f"{domain.title()} {tab}"])}
            assert names <= explained
    assert all(table(book["Columns"])["What it means"])


def test_csv_and_parquet_hold_the_same_rows_the_databases(published, tmp_path):
    exports.write_csv(published, tmp_path / "f.csv")
    exports.write_parquet(published, tmp_path / "f.parquet")
    raw = (tmp_path / "f.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfdomain,aggregation,unique_id,region,product_category,ds,horizon,cutoff,")
    assert b",2024-01-01," in raw and b"\r" not in raw.replace(b"\r\n", b"")
    parquet = pd.read_parquet(tmp_path / "f.parquet")
    dates = {name: "datetime64[ns]" for name in ("ds", "cutoff", "prediction_time")}
    text = pd.read_csv(tmp_path / "f.csv", dtype={"model_version": str}, parse_dates=list(dates))
    expected = without_formulas(parquet).astype(dates)
    pd.testing.assert_frame_equal(text.astype(dates), expected, check_dtype=False, check_exact=True)
    assert set(parquet["unit"]) == {"EUR"}
    key = ["domain", "aggregation", "unique_id", "ds"]
    wanted = pd.concat([sql(published, PUBLISHED.format(domain=domain)) for domain in HOSTILE.domains])
    shared = [name for name in parquet if name in wanted]
    assert {"run_id", "cutoff", "horizon", "predicted_value", "lo_80", "hi_95", "model_name", "prediction_time"} <= set(
        shared
    )
    both = (frame[shared].sort_values(key).reset_index(drop=True).astype(dates) for frame in (parquet, wanted))
    pd.testing.assert_frame_equal(*both, check_dtype=False, check_exact=True)


FORMULAS = (
    '=HYPERLINK("http://x.y","z")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\uff1d1+1",
    "Bikes",
    "a=b",
    "Plain -1",
)


def test_no_name_becomes_a_formula_where_a_file_is_opened(tmp_path):
    """In the CSV by an apostrophe, in the workbook as a string; numbers, negative ones too, stay as they are."""
    published = build(
        tmp_path / "p.duckdb", Company(domains=("profit",), regions=("All",), categories=FORMULAS, loss=True)
    )
    exports.write_csv(published, tmp_path / "f.csv")
    with (tmp_path / "f.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = list(csv.DictReader(file))
    for row in cells:
        numbers = {name for name in row if name.endswith(("_value", "lo_80", "hi_80", "lo_95", "hi_95"))}
        assert all(row[name] == "" or float(row[name]) is not None for name in numbers)
        assert not [name for name in set(row) - numbers if row[name].startswith(tuple("=+-@\t\r\uff1d"))]
    names = {row["product_category"] for row in cells}
    assert {"Bikes", "a=b", "Plain -1", "'+1+1", "'\t=1"} <= names and len(names) == len(FORMULAS) + 1
    assert any(row["predicted_value"].startswith("-") for row in cells)
    book = write(published, tmp_path / "f.xlsx")
    texts = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert {cell.data_type for cell in texts} == {"s"} and "+1+1" in {cell.value for cell in texts}


@pytest.mark.parametrize("value", [1.5, -3, None, "Bikes", pd.Timestamp("2024-01-01"), "", "'=1"])
def test_what_is_no_formula_stays(value):
    assert as_text(value) is value


def test_a_downloaded_table_has_texts_made_safe_and_numbers_as_they_are():
    rows = pd.DataFrame({"region": ["=1", "N"], "=x": [-1.0, 2.0], "ds": pd.to_datetime(["2024-01-01", "2024-02-01"])})
    found = without_formulas(rows)
    assert found.to_csv(index=False) == "region,'=x,ds\n'=1,-1.0,2024-01-01\nN,2.0,2024-02-01\n"


def test_the_same_database_gives_the_same_bytes(small, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(small, tmp_path / name / "f.xlsx")
        exports.write_csv(small, tmp_path / name / "f.csv")
        exports.write_parquet(small, tmp_path / name / "f.parquet")
    for name in ("f.xlsx", "f.csv", "f.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_what_a_sheet_cannot_hold_is_left_out_and_said(small, tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "EXCEL_ROWS", 54)
    shown = write(small, tmp_path / "f.xlsx")["Sales actuals"]
    assert len(table(shown)) == 50
    n = sql(small, "select count(*) as n from monthly_actuals where domain = 'sales'")["n"][0]
    assert f"first 50\xa0rows of {n}\xa0rows" in shown["A2"].value and "forecasts.parquet" in shown["A2"].value


def test_nothing_published_yet_still_gives_files(small, tmp_path):
    empty = tmp_path / "empty.duckdb"
    empty.write_bytes(small.read_bytes())
    with duckdb.connect(str(empty)) as connection:
        connection.execute("delete from latest_runs")
    edition = Edition.open(empty, "New")
    assert edition.as_of is None and edition.name == ""
    book = write(empty, tmp_path / "f.xlsx")
    assert "Nothing has been published yet." in book["Summary"]["A2"].value
    exports.write_csv(empty, tmp_path / "f.csv")
    assert len(pd.read_csv(tmp_path / "f.csv")) == 0


def test_no_history_no_unit_and_zeros_read_right(tmp_path):
    company = Company(
        domains=("sales",), regions=("All",), categories=("All",), zero=True, walk_forward=False, months=20, unit=""
    )
    published = build(tmp_path / "p.duckdb", company)
    with duckdb.connect(str(published)) as connection:
        connection.execute('update runs set manifest = replace(manifest, \'"currency": "EUR"\', \'"currency": ""\')')
    book = write(published, tmp_path / "f.xlsx")
    assert list(table(book["Sales actuals"]))[-2:] == ["Actual", "Imputed"]
    assert set(table(book["Sales forecast"])["Forecast"]) == {0}
    empty = book["Sales actual vs forecast"]
    assert not empty.tables and "There are no rows yet." in empty["A2"].value and empty["A4"].value == "Level"


def test_the_names_of_the_files_are_those_that_the_pages_link():
    names = ["forecasts.xlsx", "forecasts.csv", "forecasts.parquet", "brief.pdf", "report.pdf", "report.zip"]
    assert list(FILES) == names
    assert (
        len({column.title for column in COLUMNS.values()}) >= len(COLUMNS) - 2
    )  # «Actual», «Months ahead» mean the same twice


PRINTABLE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=60)


@settings(max_examples=25)
@given(
    rows=st.lists(
        st.tuples(PRINTABLE, st.none() | st.floats(allow_nan=True, allow_infinity=True, width=32)),
        min_size=1,
        max_size=8,
    )
)
def test_any_text_and_any_number_comes_back(tmp_path_factory, rows):
    target = tmp_path_factory.mktemp("any") / "f.xlsx"
    book = sheets.Book(target, "T", dt.datetime(2024, 1, 1))
    frame = pd.DataFrame(rows, columns=["name", "value"]).astype({"value": float})
    columns = [Column("Name", "text", ""), Column("Value", "amount", "")]
    book.table_tab("Any", "T", "W", columns, frame, "EUR")
    book.close()
    sheet = openpyxl.load_workbook(target)["Any"]
    for n, (name, value) in enumerate(rows):
        assert sheet.cell(5 + n, 1).value == name and sheet.cell(5 + n, 1).data_type == "s"
        known = value is not None and abs(value) < float("inf")
        assert sheet.cell(5 + n, 2).value == (pytest.approx(value) if known else None)
