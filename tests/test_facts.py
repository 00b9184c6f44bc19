"""The checks before the build: what they accept, and that each error names the place and what to do."""

import datetime as dt
import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.errors import UserError
from forecasting.facts import inspection as facts

ADVENTUREWORKS = Path(__file__).resolve().parents[2] / "shared" / "data" / "company" / "adventureworks_dw"
GOOD = "order_date,net_amount\n2024-01-31,10.50\n2024-02-29,-3\n"


def company(folder: Path, **files: str | bytes) -> Path:
    """Write <table>.csv for each keyword and return the folder."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def error_of(place: Path, columns: dict | None = None, date_format: str | None = None) -> str:
    """Return the message of the user's error that the facts raise."""
    with pytest.raises(UserError) as caught:
        facts.inspect("csv", place, columns, date_format)
    return str(caught.value)


# --- what is accepted


def test_a_folder_of_three_tables_is_read(tmp_path):
    folder = company(
        tmp_path,
        sales="Order Date,Net-Amount,cost_amount,Region\n31/01/2024,10.5,4,North\n01/02/2024,2,,South\n",
        inventory="snapshot_date,quantity_on_hand\n2024-01-31,5\n",
        expenses="expense_date,amount\n2024-01-31,7\n",
    )
    found = facts.inspect("csv", folder)
    sales = found.tables["sales"]
    assert list(found.tables) == ["sales", "inventory", "expenses"]
    assert sales.columns == {
        "order_date": "Order Date", "net_amount": "Net-Amount", "cost_amount": "cost_amount", "region": "Region",
    }  # fmt: skip
    assert (sales.n_rows, sales.date_format) == (2, "%d/%m/%Y")
    assert found.tables["inventory"].date_format == "%Y-%m-%d"
    assert found.dbt_vars()["source"] == "csv" and found.dbt_vars()["facts"] == str(folder.resolve())


def test_notes_say_what_is_not_built(tmp_path):
    costs = "order_date,net_amount,cost_amount\n2024-01-31,10,4\n2024-02-01,2.25,\n2024-02-02,1,\n"
    notes = " ".join(facts.inspect("csv", company(tmp_path, sales=costs)).notes)
    assert "2 of 3 sales in sales.csv have no cost (the first is line 3)" in notes and "3.25" in notes
    assert "no inventory facts" in notes and "gross profit" in notes and "no region: it is 'All'" in notes
    assert "profit is not forecast" in " ".join(facts.inspect("csv", company(tmp_path, sales=GOOD)).notes)


def test_negative_expenses_are_noted(tmp_path):
    folder = company(tmp_path, sales=GOOD, expenses="expense_date,amount\n2024-01-31,-7\n2024-02-01,-8\n")
    assert any("Most amounts in expenses.csv are negative" in note for note in facts.inspect("csv", folder).notes)


@pytest.mark.parametrize(
    ("text", "columns", "date_format"),
    [
        ("Datum;Betrag\n31.01.2024;1.5\n", ("Datum", "Betrag"), "%d.%m.%Y"),
        ("takings,day\n5,2024-01-31\n20240101,2024-02-01\n", ("day", "takings"), "%Y-%m-%d"),
        ("net_amount,order_date\n5,1/31/2024\n", ("order_date", "net_amount"), "%m/%d/%Y"),
        ("a\tb\r\n2024-01-31 10:00\t5\r\n", ("a", "b"), "%Y-%m-%d %H:%M"),
        ("\ufeffmonth,y\nJan 2024,5\n", ("month", "y"), "%b %Y"),
        ("month,y\nApril 2024,5\nMay 2024,6\n", ("month", "y"), "%B %Y"),
    ],
)
def test_one_file_of_two_columns_will_do(tmp_path, text, columns, date_format):
    (company(tmp_path, takings=text) / "takings.csv").rename(tmp_path / "any name.csv")
    table = facts.inspect("csv", tmp_path / "any name.csv").tables["sales"]
    assert (table.columns["order_date"], table.columns["net_amount"]) == columns
    assert table.date_format == date_format


def test_dates_that_read_the_same_either_way_are_not_ambiguous(tmp_path):
    sales = "order_date,net_amount\n01/01/2024,1\n02/02/2024,1\n"
    assert facts.inspect("csv", company(tmp_path, sales=sales)).tables["sales"].n_rows == 2


def test_a_stated_date_format_decides_and_iso_files_beside_it_are_read(tmp_path):
    folder = company(
        tmp_path, sales="order_date,net_amount\n01/02/2024,1\n", expenses="expense_date,amount\n2024-01-31,7\n"
    )
    found = facts.inspect("csv", folder, date_format="%m/%d/%Y").tables
    assert (found["sales"].date_format, found["expenses"].date_format) == ("%m/%d/%Y", "%Y-%m-%d")


# --- every error names the place and what to do


def test_unknown_source():
    with pytest.raises(UserError, match=r"no source 'sampel'.*sample, csv, adventureworks.*Did you mean 'sample'"):
        facts.inspect("sampel", Path("."))


def test_missing_places(tmp_path):
    assert f"{tmp_path / 'nowhere'} does not exist" in error_of(tmp_path / "nowhere")
    message = error_of(company(tmp_path, sale=GOOD))
    assert "sales.csv is missing" in message and "Found: sale.csv" in message and "Did you mean 'sale.csv'" in message


@pytest.mark.parametrize(
    ("sales", "parts"),
    [
        ("order_day,net_amount\n2024-01-31,1\n", ["sales.csv has no column order_date", "mean 'order_day'"]),
        ("order_date,net_amount,NET AMOUNT\n2024-01-31,1,1\n", ["net_amount, NET AMOUNT could all be net_amount"]),
        ("", ["sales.csv is empty", "first line must name the columns"]),
        ("order_date,net_amount\n", ["sales.csv is an empty table", "no rows"]),
        (GOOD + "2024-03-01,\n", ["sales.csv, line 4", "column 'net_amount'", "empty"]),
        (GOOD + "\n,5\n", ["sales.csv, line 5", "column 'order_date'", "empty"]),
        (GOOD + '2024-03-01,"1,001.18 boxes"\n', ["line 4", "'net_amount'", "'1,001.18 boxes' is text where a number belongs"]),
        (GOOD + "2024-03-01,$5\n2024-03-02,€7\n", ["sales.csv", "'net_amount'", "several currencies", "'$5' (line 4)", "'€7' (line 5)"]),
        (GOOD + '2024-03-01,"1,5"\n2024-03-01,x\n', ["line 4", "'1,5'", "(1 more like it)"]),
        (GOOD + "2024-03-01,1_000\n", ["line 4", "'1_000' is text where a number belongs"]),
        (GOOD + "2024-03-01,NaN\n", ["line 4", "'NaN' is not a finite number"]),
        (GOOD + "2024-03-01,-inf\n", ["line 4", "'-inf' is not a finite number"]),
        (GOOD + "2024-03-01,1e15\n", ["line 4", "'1e15' is too large", "10^14"]),
        (GOOD + "2024-03-01,1,2\n", ["sales.csv, line 4", "3 cells where the header has 2 columns"]),
        (GOOD + "2024-03-01\n", ["sales.csv, line 4", "1 cells where the header has 2 columns"]),
        (GOOD.encode() + b"2024-03-01,\xe9\n", ["sales.csv, line 4", "not UTF-8", "CSV UTF-8"]),
        (GOOD.encode("utf-16"), ["sales.csv, line 1", "not UTF-8"]),
        (GOOD + "2024-02-30,1\n", ["sales.csv, line 4", "'order_date'", "'2024-02-30' is not a date", "'%Y-%m-%d'"]),
        (GOOD + "soon,1\n", ["sales.csv, line 4", "'soon' is not a date", "2024-01-31"]),
        ("order_date,net_amount\nsoon,1\n", ["line 2", "'soon' is not a date", "date_format"]),
        ("order_date,net_amount\n01/02/2024,1\n", ["line 2", "2024-02-01", "2024-01-02", "date_format"]),
        ("order_date,net_amount\n31/12/17,1\n30/12/17,1\n31.12.2017,1\n", ["line 4", "not a date written as"]),
        ("order_date,net_amount\n45322,1\n45323,1\n", ["line 2", "'45322' is not a date", "excel serial"]),
        (GOOD + "0204-03-01,1\n", ["line 4", "'0204-03-01' is not a plausible date", "1900"]),
    ],
)  # fmt: skip
def test_an_error_in_the_sales_names_the_place(tmp_path, sales, parts):
    message = error_of(company(tmp_path, sales=sales))
    assert all(part in message for part in parts), message


def test_the_line_is_the_editors_line(tmp_path):
    """Blank lines and line breaks inside quotes shift rows against lines."""
    sales = 'order_date,net_amount,region\n\n2024-01-31,1,"two\nlines"\n2024-02-01,1,x\n2024-02-02,oops,x\n'
    assert "sales.csv, line 6, column 'net_amount': 'oops'" in error_of(company(tmp_path, sales=sales))


def test_errors_in_other_tables(tmp_path):
    inventory = "snapshot_date,quantity_on_hand,inventory_value\n2024-01-31,5,\n2024-02-29,,7\n"
    message = error_of(company(tmp_path, sales=GOOD, inventory=inventory))
    assert "inventory.csv, line 3, column 'quantity_on_hand'" in message and "One of" in message
    message = error_of(company(tmp_path, sales=GOOD, inventory="snapshot_date,stock\n2024-01-31,5\n"))
    assert "inventory.csv has no column quantity_on_hand or inventory_value" in message
    company(
        tmp_path,
        inventory="snapshot_date,inventory_value\n2024-01-31,5\n",
        expenses="expense_date,amount\n2024-01-31,a\n",
    )
    assert "expenses.csv, line 2, column 'amount': 'a' is text" in error_of(tmp_path)


def test_errors_in_the_stated_names(tmp_path):
    folder = company(tmp_path, sales="Day,Total\n2024-01-31,1\n")
    stated = {"order_date": "Day", "net_amount": "Totl"}
    assert "no column 'Totl', which params/ states for net_amount" in error_of(folder, {"sales": stated})
    assert "Did you mean 'Total'?" in error_of(folder, {"sales": stated})
    assert "sales has no column 'amount'" in error_of(folder, {"sales": {"amount": "Total"}})
    assert "'sale' is not a fact table" in error_of(folder, {"sale": {}})
    assert "sales must name columns" in error_of(folder, {"sales": "Day"})
    good = facts.inspect("csv", folder, {"sales": {"order_date": "Day", "net_amount": "Total"}})
    assert good.tables["sales"].columns == {"order_date": "Day", "net_amount": "Total"}


@pytest.mark.parametrize(
    ("stated", "part"),
    [("%d/%m/%Y", "line 2"), ("dd.mm.yyyy", "does not say where the month"), ("%m %Y %Q", "not a date format")],
)
def test_errors_in_the_stated_date_format(tmp_path, stated, part):
    folder = company(tmp_path, sales="order_date,net_amount\n12/31/2024,1\n")
    message = error_of(folder, date_format=stated)
    assert part in message and stated in message


def test_one_file_without_header_or_dates(tmp_path):
    company(tmp_path, a="2024-01-31,5\n2024-02-01,6\n", b="x,y\n1,2\n")
    assert "a.csv, line 1: 2024-01-31, 5 is a fact" in error_of(tmp_path / "a.csv")
    assert "which of its columns (x, y) has the dates cannot be told" in error_of(tmp_path / "b.csv")


# --- properties


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(
        st.dates(min_value=pd.Timestamp("1950-01-01").date(), max_value=pd.Timestamp("2024-12-31").date()), min_size=1
    ),
    style=st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %b %Y"]),
)
def test_the_format_found_reads_the_dates_back_or_is_called_ambiguous(tmp_path, days, style):
    rows = "".join(f"{day.strftime(style)},1\n" for day in days)
    folder = company(tmp_path, sales="order_date,net_amount\n" + rows)
    swapped = all(day.day <= 12 for day in days) and any(day.day != day.month for day in days)
    if "/" in style and swapped:
        assert "date_format" in error_of(folder)
        found = facts.inspect("csv", folder, date_format=style).tables["sales"].date_format
    else:
        found = facts.inspect("csv", folder).tables["sales"].date_format
    assert [pd.to_datetime(day.strftime(style), format=found).date() for day in days] == days


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=4), min_size=1, max_size=20), st.text(max_size=3)
)
def test_plain_numbers_pass_and_anything_else_is_named(tmp_path, amounts, suffix):
    rows = "".join(f"2024-01-31,{amount}\n" for amount in amounts)
    folder = company(tmp_path, sales="order_date,net_amount\n" + rows)
    assert facts.inspect("csv", folder).tables["sales"].n_rows == len(amounts)
    letters = "".join(letter for letter in suffix if letter.isalpha() and letter.isascii())
    company(tmp_path, sales=f"order_date,net_amount\n{rows}2024-01-31,{amounts[0]}{letters}!\n")
    assert f"line {len(amounts) + 2}, column 'net_amount'" in error_of(folder)


# --- Parquet sources


def parquet_company(folder: Path, **changes: pd.DataFrame) -> Path:
    """Write the smallest facts of the source sample."""
    names = {"region": ["North"], "product_category": ["Bikes"], "product": ["A"]}
    day = [pd.Timestamp("2024-01-31").date()]
    tables = {
        "sales": pd.DataFrame({"order_date": day, "net_amount": [1.0], "cost_amount": [0.5], "quantity": [1], **names}),
        "inventory": pd.DataFrame({"snapshot_date": day, "quantity_on_hand": [3], "unit_cost": [0.5], **names}),
        "expenses": pd.DataFrame({"expense_date": day, "amount": [2.0], "region": ["North"]}),
    }
    folder.mkdir(exist_ok=True)
    for name, table in {**tables, **changes}.items():
        table.to_parquet(folder / f"{name}.parquet")
    return folder


def test_a_parquet_source_is_checked(tmp_path):
    folder = parquet_company(tmp_path)
    found = facts.inspect("sample", folder)
    assert {name: table.n_rows for name, table in found.tables.items()} == {"sales": 1, "inventory": 1, "expenses": 1}
    assert found.notes == () and found.dbt_vars()["tables"] == {}
    good = pd.read_parquet(folder / "expenses.parquet")
    for change, part in {
        "no column amount": good.rename(columns={"amount": "amout"}),
        "VARCHAR where a number belongs": good.assign(amount="x"),
        "empty table": good.iloc[:0],
        "row 1, column amount: the value is missing": good.assign(amount=[None]).astype({"amount": float}),
        "row 1, column amount: inf": good.assign(amount=float("inf")),
        "not a usable date": good.assign(expense_date=[pd.Timestamp("1700-01-01").date()]),
    }.items():
        with pytest.raises(UserError, match=r"expenses\.parquet") as caught:
            facts.inspect("sample", parquet_company(folder, expenses=part))
        assert change in str(caught.value)


ODD = {
    "duration[s]": pa.array([7], pa.duration("s")),
    "duration[ns]": pa.array([7], pa.duration("ns")),
    "TIME": pa.array([dt.time(12)], pa.time64("us")),
    "BOOLEAN": pa.array([True]),
    "BLOB": pa.array([b"7"]),
    "INTEGER[]": pa.array([[7]], pa.list_(pa.int32())),
    "STRUCT": pa.array([{"a": 7}]),
    "VARCHAR": pa.array(["7"]),
    "VARCHAR from a dictionary": pa.array(["7"]).dictionary_encode(),
    "DATE": pa.array([dt.date(2024, 1, 31)]),
    "TIMESTAMP": pa.array([dt.datetime(2024, 1, 31)]),
}


@pytest.mark.parametrize("kind", ODD)
def test_other_types_are_neither_amounts_nor_dates(tmp_path, kind):
    folder = parquet_company(tmp_path)
    expenses = pq.read_table(folder / "expenses.parquet")
    for column in ("amount", "expense_date"):
        if column == "expense_date" and kind in ("DATE", "TIMESTAMP"):
            continue
        place = expenses.schema.names.index(column)
        pq.write_table(expenses.set_column(place, column, ODD[kind]), folder / "expenses.parquet")
        with pytest.raises(
            UserError, match=rf"expenses\.parquet, column {column}: .* where a (number|date) belongs"
        ) as caught:
            facts.inspect("sample", folder)
        assert kind.split(" ")[0] in str(caught.value) or column == "expense_date"


@pytest.mark.parametrize(
    ("amount", "part"),
    [
        (0.00004, "4e-05 is not a usable number"),
        (-1e-9, "-1e-09 is not a usable number"),
        (1e15, "1000000000000000.0 is not a usable number"),
        (float("nan"), "the value is missing|nan is not a usable number"),
    ],
)
def test_parquet_amounts_that_cannot_be_kept_are_refused(tmp_path, amount, part):
    folder = parquet_company(tmp_path)
    expenses = pd.read_parquet(folder / "expenses.parquet").assign(amount=[amount])
    with pytest.raises(UserError, match=rf"expenses\.parquet, row 1, column amount: ({part})"):
        facts.inspect("sample", parquet_company(folder, expenses=expenses))


def test_what_a_parquet_source_has_is_said(tmp_path):
    folder = parquet_company(tmp_path)
    one = pd.read_parquet(folder / "sales.parquet").assign(note="x")
    sales = pd.concat(
        [one.assign(currency=code, net_amount=amount) for code, amount in (("EUR", 1.12345), ("USD", 2))] * 200,
        ignore_index=True,
    )
    table = facts.inspect("sample", parquet_company(folder, sales=sales)).tables["sales"]
    assert table.columns_unused == ("note", "currency")
    assert (str(table.first_date), str(table.last_date), str(table.total)) == ("2024-01-31", "2024-01-31", "624.7000")
    rounded, several = sorted(table.notes)
    assert "'currency' of sales.parquet has EUR (200 rows), USD (200 rows)" in several
    assert "200 cells of the column 'net_amount' of sales.parquet" in rounded and "0.0100" in rounded


def test_parquet_files_that_are_missing_or_no_parquet(tmp_path):
    folder = parquet_company(tmp_path)
    (folder / "expenses.parquet").write_text("no")
    with pytest.raises(UserError, match=r"expenses\.parquet cannot be read as Parquet"):
        facts.inspect("sample", folder)
    (folder / "expenses.parquet").unlink()
    with pytest.raises(UserError, match=r"expenses\.parquet is missing.*Found: inventory.parquet, sales.parquet"):
        facts.inspect("sample", folder)
    with pytest.raises(UserError, match="needs a folder with FactInternetSales"):
        facts.inspect("adventureworks", folder / "sales.parquet")


@pytest.mark.skipif(not ADVENTUREWORKS.exists(), reason=f"{ADVENTUREWORKS.name} is not on this machine")
def test_adventureworks_is_accepted():
    found = facts.inspect("adventureworks", ADVENTUREWORKS)
    assert {name: table.n_rows for name, table in found.tables.items()} == {"sales": 121_253, "inventory": 776_286}
    assert any("gross profit" in note for note in found.notes)
    assert not any("currenc" in note for note in found.notes)  # its prices are the same whatever a customer paid in
    assert "CurrencyKey" in found.tables["sales"].columns_unused


# --- fingerprint


def test_the_fingerprint_follows_the_content(tmp_path):
    folder, cache = company(tmp_path / "a", sales=GOOD), tmp_path / "cache.json"
    first = facts.fingerprint("csv", folder, cache)
    (folder / "sales.csv").touch()
    (folder / "unrelated.txt").write_text("x")
    assert facts.fingerprint("csv", folder, cache) == first
    assert facts.fingerprint("csv", company(tmp_path / "b", sales=GOOD), tmp_path / "other.json") == first
    company(folder, sales=GOOD + "2024-03-01,1\n")
    second = facts.fingerprint("csv", folder, cache)
    company(folder, expenses="expense_date,amount\n2024-01-31,7\n")
    assert len({first, second, facts.fingerprint("csv", folder, cache)}) == 3


def test_only_changed_files_are_read_again(tmp_path, monkeypatch):
    folder, cache = (
        company(tmp_path / "a", sales=GOOD, expenses="expense_date,amount\n2024-01-31,7\n"),
        tmp_path / "c" / "cache.json",
    )
    first = facts.fingerprint("csv", folder, cache)
    read = []
    digest = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, name: read.append(Path(file.name).name) or digest(file, name)
    )
    assert facts.fingerprint("csv", folder, cache) == first and read == []
    company(folder, sales=GOOD + "2024-03-01,1\n")
    assert facts.fingerprint("csv", folder, cache) != first and read == ["sales.csv"]


def test_the_fingerprint_of_missing_facts_is_a_users_error(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        facts.fingerprint("csv", tmp_path / "nowhere", tmp_path / "cache.json")
