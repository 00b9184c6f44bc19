"""What stands around and inside a company's files: read rightly, or refused with the line; never another number."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from forecasting.errors import UserError
from forecasting.facts import inspect
from read_facts import by_month, company

HEADER = "order_date,net_amount,region"
ROWS = [f"2024-{month:02}-{day:02},{month}.{day:02},North" for month in (1, 2, 3) for day in range(10, 20)]
PLAIN = "\n".join([HEADER, *ROWS]) + "\n"
RIGHT = {f"2024-{month:02}": Decimal(month * 10) + Decimal("1.45") for month in (1, 2, 3)}


def sales_of(place: Path, **options):
    return inspect("csv", place, **options).tables["sales"]


def refusal(place: Path, **options) -> str:
    with pytest.raises(UserError) as caught:
        inspect("csv", place, **options)
    return str(caught.value)


def with_line(text: str, number: int, line: str) -> str:
    """Return a text with another line at a place, the first is 1."""
    lines = text.split("\n")
    return "\n".join([*lines[: number - 1], line, *lines[number:]])


# --- read rightly


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        "sep=,\n" + PLAIN,
        "\ufeffSEP=;\r\n\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
        "sep=\t\n" + PLAIN.replace(",", "\t"),
        "\n\n" + PLAIN + "\n\n",
        "\r\n" + PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", ",\n"),
        PLAIN.replace("North\n", "North,\n"),
        PLAIN.replace(",", "|"),
        PLAIN.replace("North", '"North"'),
        PLAIN.replace("North", 'North 20" kids'),
        PLAIN.replace("North", '"North ""20"""'),
        PLAIN.replace("North", '"North\nand South"'),
        PLAIN.replace("North", '"see 2024-01-05, 5 times\n2024-01-06 as well\n"'),
        PLAIN.replace("North", '"North; or, South"'),
        PLAIN.replace("\n", "\r\n").replace("North", '"North\nand South"'),
        '"order\ndate","net\namount",region\r\n' + "\r\n".join(ROWS),
        '"order\r\ndate","net\r\namount",region\n' + "\n".join(ROWS),
        '"Order\n Date";"Net\nAmount";Region\r\n' + "\r\n".join(ROWS).replace(",", ";"),
        '\ufeff"order_date","net\namount",region\r\n' + "\r\n".join(ROWS),
        '\ufefforder_date,net_amount,"region, or\ncountry"\r\n' + "\r\n".join(ROWS),
        PLAIN.replace(HEADER, "order_date,net_amount,note").replace("North", "x").replace("note", "note,Note").replace("x", "x,y"),
        PLAIN.replace(HEADER, "order_date,net_amount,note,note").replace("North", "x,y"),
        PLAIN.replace(HEADER, HEADER + ",").replace("North", "North,"),
        PLAIN.replace(HEADER, HEADER + ',"a {b} ""c"""').replace("North", "North,"),
        PLAIN.replace("North", "\u00a0North\u2003"),
        PLAIN.replace("North", "\u00a0"),
        PLAIN.replace("2024-01-10,1.10", "\u00a02024-01-10 ,\u00a01.10 "),
        PLAIN.replace(HEADER, "n,order_date,net_amount,region").replace("\n2024", '\n"1\n2",2024'),
    ],
)  # fmt: skip
def test_what_is_written_around_the_facts_does_not_change_them(tmp_path, text):
    table = sales_of(company(tmp_path, sales=text))
    assert by_month(table) == RIGHT
    assert (table.n_rows, table.total, table.total_of) == (30, sum(RIGHT.values()), "net_amount")
    assert f"{table.first_date} {table.last_date}" == "2024-01-10 2024-03-19"


def test_a_long_cell_is_read_or_refused(tmp_path):
    assert by_month(sales_of(company(tmp_path, sales=PLAIN.replace("North", "x" * 1_900_000, 1)))) == RIGHT
    for cell in ("x" * 5_000_000, '"' + "x" * 5_000_000 + '"', '"' + "x\n" * 3_000_000 + '"'):
        message = refusal(company(tmp_path, sales=PLAIN.replace("2024-02-10,2.10,North", f"2024-02-10,2.10,{cell}")))
        assert "line" in message and "2,000,000 characters" in message and len(message) < 300


# --- refused with the line


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (with_line(PLAIN, 7, '2024-01-15,1.15,"North'), ["line 7", "a quote opens here and is never closed"]),
        (with_line(PLAIN, 31, '2024-03-19,3.19,"North'), ["line 31", "a quote opens here"]),
        (with_line(PLAIN, 7, '2024-01-15,1.15,"North" East'), ["line 7", "text follows a closing quote"]),
        (with_line(PLAIN, 7, '"2024-01-15,1.15,North') + "x" * 2_100_000, ["lines 7 to 32", "2,000,000"]),
        (PLAIN.replace("\n", "\r\n").replace("2024-02-10,2.10,North\r\n", "2024-02-10,2.10,North\n"), ["line 12", "ends with LF"]),
        (PLAIN.replace("2024-02-10,2.10,North\n", "2024-02-10,2.10,North\r\n"), ["line 12", "CR LF, the header with LF"]),
        (PLAIN.replace(f"{HEADER}\n", f"{HEADER}\r\n"), ["line 2", "LF, the header with CR LF"]),
        (PLAIN.replace("\n", "\r\n").replace(f"{HEADER}\r\n", f"{HEADER}\n"), ["line 2", "CR LF, the header with LF"]),
        (PLAIN.replace("\n", "\r").replace(f"{HEADER}\r", f"{HEADER}\n"), ["line 2", "CR, the header with LF"]),
        (PLAIN.replace(f"{HEADER}\n", f"{HEADER}\r"), ["line 2", "LF, the header with CR"]),
        (PLAIN + PLAIN.replace("\n", "\r\n"), ["line 32", "CR LF"]),
        (PLAIN.replace("2024-02-10", "2024-\x0002-10"), ["line 12", "NUL"]),
        (PLAIN.encode("utf-16-le"), ["line 1", "NUL"]),
        (PLAIN.encode("utf-16"), ["line 1", "UTF-16", "CSV UTF-8"]),
        (PLAIN + "\x1a", ["line 32", "Ctrl-Z"]),
        (PLAIN.replace("North", "Münster").encode("cp1252"), ["line 2", "not UTF-8"]),
        (PLAIN.replace("region", "Länder").encode("cp1252"), ["line 1", "not UTF-8"]),
        (PLAIN + HEADER + "\n" + ROWS[0], ["line 32", "names of the columns stand here again"]),
        ("Sales by day\nAcme\n\n" + PLAIN, ["line 4", "this line names the columns"]),
        ("Sales by day,,\n,,\n" + PLAIN, ["line 3", "this line names the columns"]),
        (PLAIN + '"Filters: 2024, 2025"\n', ["line 32", "1 cells where the header has 3"]),
        (PLAIN + "Filters: 2024,,\n", ["line 32", "empty"]),
        (PLAIN + "Total,61.35,\n", ["line 32", "'Total' is not a date"]),
        (PLAIN + ",,\n", ["line 32", "empty"]),
        (with_line(PLAIN, 7, "2024-01-15,10,206.65,North"), ["line 7", "4 cells where the header has 3"]),
        ("order_date,net_amount,\n2024-01-15,10,206.65\n", ["line 2", "'206.65'", "column without a name"]),
        ("sep=x\n" + PLAIN, ["no column order_date"]),
        (",".join(f"c{n}" for n in range(20_000)) + "\n", ["line 1", "20,000 columns", "1,000"]),
        ("\ufeff\"order\ndate\",net_amount,region\n" + "\n".join(ROWS), ["line 1", "line break"]),
        ('"order_date,net_amount\n' + "\n".join(ROWS), ["line 1", "a quote opens here"]),
        ("x" * 2_100_000, ["line 1", "1,000,000 characters in the header"]),
        ("order_date,net_amount," + "x" * 60_000 + "\n", ["line 1", "60,020 characters"]),
        ("sep=,\r\n" + PLAIN, ["line 1", "it ends with CR LF, the header with LF"]),
        ("\n\r\n" + PLAIN.replace("\n", "\r\n"), ["line 1", "it ends with LF, the header with CR LF"]),
        (PLAIN + "\n\r\n", ["line 33", "it ends with CR LF, the header with LF"]),
        ("\n\n\n", ["is empty"]),
        ("sep=;\n", ["is empty"]),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_with_certainty_is_refused_at_its_line(tmp_path, text, parts):
    message = refusal(company(tmp_path, sales=text))
    assert all(part in message for part in ["sales.csv", *parts]), message
    assert "Error" not in message and len(message) < 500


@pytest.mark.parametrize("column", [0, 1, 2, 3])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1), (2, 3, 1, 0), (1, 2, 0, 3), (0, 2, 3, 1), (3, 1, 2, 0)])
@pytest.mark.parametrize("last", [8, 9, 20])
def test_lines_between_two_stray_quotes_are_never_lost(tmp_path, order, column, last):
    """The one quote begins a cell of line 7, the other ends one of a later line: for CSV all between them is one cell."""
    rows = [[*HEADER.split(","), "note"], *([*row.split(","), "x"] for row in ROWS)]
    rows[6][column] = '"' + rows[6][column]
    rows[last - 1][column] += '"'
    text = "\n".join(",".join(row[place] for place in order) for row in rows) + "\n"
    assert "line 7" in refusal(company(tmp_path, sales=text))


# --- places


LITERAL = (
    "a*b", "a?b", "a[1]b", "a[!x]b", "region=North", "o'b", "{a}", "**", "{axb,x}", "[a-z]", "$HOME", "~", "%41", "#1",
    '"a"', " a ", "-a", "{{ a }}", "a;b", "a\tb", "Ä",
)  # fmt: skip


def test_paths_are_literal(tmp_path):
    other = PLAIN.replace(",1.", ",100.")
    for name in LITERAL:
        company(tmp_path / name, sales=PLAIN)
    for name in ("axb", "a1b", "x"):
        company(tmp_path / name, sales=other)
    for name in LITERAL:
        table = sales_of(tmp_path / name)
        assert by_month(table) == RIGHT and table.n_rows == 30, name
    (tmp_path / "s*.csv").write_text(PLAIN)
    (tmp_path / "sx.csv").write_text(other)
    assert by_month(sales_of(tmp_path / "s*.csv")) == RIGHT


def test_what_is_no_file_is_refused(tmp_path):
    assert "cannot be looked for: File name too long" in refusal(tmp_path / ("x" * 300))
    assert "is a device" in refusal(Path("/dev/zero"))
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is a device or pipe" in refusal(tmp_path / "pipe.csv")
    (tmp_path / "a" / "sales.csv").mkdir(parents=True)
    assert "sales.csv is a folder" in refusal(tmp_path / "a")
    company(tmp_path / "b", sales=PLAIN)
    os.mkfifo(tmp_path / "b" / "expenses.csv")
    assert "expenses.csv is a device or pipe" in refusal(tmp_path / "b")


# --- which column is which


def test_a_column_may_not_be_two(tmp_path):
    place = company(tmp_path, sales=PLAIN.replace("region", "Net  Cost"))
    twice = {"net_amount": "net_amount", "cost_amount": "net_amount"}
    assert "net_amount and cost_amount in one column, 'net_amount'" in refusal(place, columns={"sales": twice})
    assert "order_date and region" in refusal(
        place, columns={"sales": {"order_date": "order_date", "region": "order_date"}}
    )
    place = company(tmp_path, sales=PLAIN.replace("North", "3").replace("region", "Net\u00a0 Cost"))
    assert sales_of(place, columns={"sales": {"cost_amount": "Net  Cost"}}).columns["cost_amount"] == "Net Cost"


def test_a_doubled_name_matters_where_it_is_used(tmp_path):
    place = company(tmp_path, sales="order_date,net_amount,Note,note,Note\n2024-01-31,1,a,b,c\n")
    assert sales_of(place).columns_unused == ("Note", "note (column 4)", "Note (column 5)")
    assert "line 1: two columns are called 'Note'" in refusal(place, columns={"sales": {"region": "Note"}})
    found = sales_of(place, columns={"sales": {"region": "note"}})
    assert by_month(found, "region") == {("2024-01", "b"): 1}


def test_two_columns_obey_the_format_of_dates(tmp_path):
    (tmp_path / "a.csv").write_text("n,day\n240131,2401\n240229,2402\n")
    assert "cannot be told" in refusal(tmp_path / "a.csv")
    assert by_month(sales_of(tmp_path / "a.csv", date_format="%y%m")) == {"2024-01": 240131, "2024-02": 240229}
    (tmp_path / "b.csv").write_text("a,b\n20240131,20240101\n")
    assert "cannot be told" in refusal(tmp_path / "b.csv")


# --- what was read is said


def test_unused_columns_are_named_with_what_they_may_be(tmp_path):
    place = company(
        tmp_path, sales=PLAIN.replace(HEADER, "order_date,net_amount,Category,Cost").replace("North", "Bikes,1")
    )
    table = sales_of(place)
    assert table.columns_unused == ("Category", "Cost")
    notes = " ".join(table.notes)
    assert "'Category' of sales.csv is not used. If it is the product_category" in notes
    assert "columns: {sales: {product_category: Category}}" in notes and "cost_amount: Cost" in notes


@pytest.mark.parametrize(
    ("header", "values", "said"),
    [
        ("Currency", ["EUR", "EUR", "USD"], "EUR (20 rows), USD (10 rows)"),
        ("doc", ["EUR", "EUR", "usd "], "EUR (20 rows), USD (10 rows)"),
        ("Waers", ["€", "€", "$"], "€ (20 rows), $ (10 rows)"),
        ("CurrencyKey", ["1", "1", "7"], "1 (20 rows), 7 (10 rows)"),
        ("ccy", ["EUR", "", "USD"], "EUR (10 rows), USD (10 rows), empty (10 rows)"),
        ("sign", ["€", "€", "$"], "€ (20 rows), $ (10 rows)"),
        ("unit", ["", "PLN", "CZK"], "CZK (10 rows), PLN (10 rows), empty (10 rows)"),
        ("Devise", ["Euro", "Franc", "Euro"], "EURO (20 rows), FRANC (10 rows)"),
        ("sign", ["€", "€", "€"], None),
        ("note", ["EUR", "EUR", "old"], None),
        ("Currency", ["EUR", "EUR", "EUR"], None),
        ("currency rate", ["1.05", "1.06", "1.07"], None),
        ("country", ["DEU", "FRA", "ITA"], None),
    ],
)
def test_several_currencies_are_said(tmp_path, header, values, said):
    rows = "".join(f"{row.removesuffix('North')}{values[n % 3]}\n" for n, row in enumerate(ROWS))
    place = company(tmp_path, sales=f"order_date,net_amount,{header}\n{rows}")
    notes = [note for note in sales_of(place, currency="EUR").notes if "urrenc" in note]
    assert all(said and said in note and "several currencies are added up" in note for note in notes)
    assert len(notes) == (said is not None)


def test_another_currency_than_the_setting_is_said(tmp_path):
    place = company(tmp_path, sales=PLAIN.replace("region", "currency").replace("North", "USD"))
    notes = " ".join(sales_of(place, currency="EUR").notes)
    assert "'currency' of sales.csv says USD (30 rows); currency in params/ is 'EUR'" in notes
    assert any("is not set" in n for n in sales_of(place).notes)
    assert not any("urrency" in n for n in sales_of(place, currency="million USD").notes)


def test_a_sign_of_another_currency_and_percent_are_said(tmp_path):
    place = company(tmp_path, sales="order_date,net_amount,quantity\n2024-01-30,$5,10%\n2024-01-31,7 USD,5%\n")
    table = sales_of(place, currency="EUR")
    notes = " ".join(table.notes)
    assert table.total == 12 and "of sales.csv carry $; currency in params/ is 'EUR'" in notes
    assert "'quantity' of sales.csv are percentages" in notes
    assert "carry" not in " ".join(sales_of(place, currency="million USD").notes)


# --- numbers

MARKS = {
    "1555,10 1.20": None,
    "1.555,10 2 3,5": {"2024-01": Decimal("1560.6")},
    "155,51 -1.000": {"2024-01": Decimal("-844.49")},
    "1555,10 ,5 +7, 1.234.567": {"2024-01": Decimal("1236129.6")},
    "1,555.10 2 3.5": {"2024-01": Decimal("1560.6")},
    "155.51 -1,000": {"2024-01": Decimal("-844.49")},
    "1,234,567 .5": {"2024-01": Decimal("1234567.5")},
    "1,234,567 1.5e3": {"2024-01": Decimal("1236067")},
    "12,34,567.00 1.5": {"2024-01": Decimal("1234568.5")},
    "12,34,5.00 1.5": None,
    "$1,001.18 ($5.5) -": {"2024-01": Decimal("995.68")},
    "1.001,18€ 5,5-€ 1.5": None,
    "1,5 1.5": None,
    "1.5.5 1,5": None,
    "1.23,4 1,5": None,
}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("cells", MARKS)
def test_a_decimal_mark_is_found_where_only_one_is_possible(tmp_path, cells, delimiter):
    rows = "".join(f'2024-01-31{delimiter}"{cell}"\n' for cell in cells.split())
    place = company(tmp_path, sales=f"order_date{delimiter}net_amount\n{rows}")
    if MARKS[cells] is None:
        assert "is text where a number belongs" in refusal(place)
    else:
        table = sales_of(place)
        assert by_month(table) == MARKS[cells] and table.total == MARKS[cells]["2024-01"]


@pytest.mark.parametrize(
    ("cell", "point", "comma"), [("1,555", "1555", "1.555"), ("1.555", "1.555", "1555"), ("-12.000", "-12", "-12000")]
)
def test_a_mark_that_may_be_either_is_asked_for(tmp_path, cell, point, comma):
    place = company(tmp_path, sales=f"order_date;net_amount\n2024-01-30;7\n2024-01-31;{cell}\n")
    message = refusal(place)
    assert f"line 3, column 'net_amount': '{cell}' is not clear" in message and "decimal_mark" in message
    for mark, right in ((".", point), (",", comma)):
        assert sales_of(place, decimal_mark=mark).total == 7 + Decimal(right)
    assert "decimal_mark must be" in refusal(place, decimal_mark="'")


def test_all_numbers_of_a_file_have_one_mark(tmp_path):
    header = "order_date;net_amount;quantity\n"
    assert by_month(sales_of(company(tmp_path, sales=header + "2024-01-31;1.555;1,5\n"))) == {"2024-01": 1555}
    assert "line 2, column 'quantity'" in refusal(
        company(tmp_path, sales=header + "2024-01-31;1.5;1,5\n2024-01-31;1.5;\n")
    )
    plain = company(tmp_path, sales="order_date,net_amount\n2024-01-31,1.555\n")
    assert by_month(sales_of(plain)) == {"2024-01": Decimal("1.555")}
    assert by_month(sales_of(company(tmp_path, sales=header + "2024-01-31;1555;1\n"))) == {"2024-01": 1555}
    assert "'1.5' is text" in refusal(company(tmp_path, sales=header + "2024-01-31;1.5;1\n"), decimal_mark=",")


# --- decimals


def test_amounts_that_would_be_read_as_nothing_are_refused(tmp_path):
    for cell in ("0.00004", "-0.00001", "1e-5", ".00004999", "4.9e-05"):
        message = refusal(company(tmp_path, sales=with_line(PLAIN, 5, f"2024-01-13,{cell},N")))
        assert f"line 5, column 'net_amount': '{cell}' is too small" in message
    table = sales_of(company(tmp_path, sales=PLAIN + "2024-01-13,0.00000,N\n2024-01-13,0e-9,N\n2024-01-13,-0,N\n"))
    assert by_month(table) == RIGHT and not any("decimals" in note for note in table.notes)


def test_what_rounding_moves_is_said(tmp_path):
    table = sales_of(company(tmp_path, sales=PLAIN + "2024-01-13,0.12346,N\n" * 1_000))
    assert any(
        "1,000 cells of the column 'net_amount' of sales.csv" in note and "by 0.0400" in note for note in table.notes
    )
    table = sales_of(company(tmp_path, sales=PLAIN.replace("1.10", "1.1000000000000001")))
    assert not any("decimals" in note for note in table.notes)
