"""One reader of numbers and dates: decided over the whole column, with evidence, or asked; never another number."""

import calendar
import datetime as dt
import gzip
import string
import unicodedata
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.errors import UserError
from forecasting.facts.cells import DateStyle, NumberStyle, date_styles, number_styles, table_number_styles
from forecasting.facts.cells.currencies import FAMILIES as CURRENCIES
from forecasting.facts.cells.date_formats import FAMILIES
from forecasting.facts.cells.month_names import MONTHS, NAMES

MESSY = Path(__file__).resolve().parents[2] / "shared" / "data" / "messy"
AMOUNT = "decimal(18, 4)"
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        yield connection


def column(connection, cells: list[str | None]) -> str:
    """Write cells into the column c1 of a table; their lines begin with 2."""
    connection.execute("create or replace temp table given (line bigint, c1 varchar)")
    connection.execute("insert into given select 1 + unnest(range(1, len($1) + 1)), unnest($1::varchar[])", [cells])
    return "given"


def numbers(connection, cells: list[str | None], **stated):
    return number_styles(connection, column(connection, cells), "c1", stated)


def dates(connection, cells: list[str | None], **stated):
    return date_styles(connection, column(connection, cells), "c1", stated)


def read(connection, style: NumberStyle | DateStyle, cells: list[str | None]) -> list:
    """Return what a style reads of cells."""
    kind = AMOUNT if isinstance(style, NumberStyle) else "date"
    relation = column(connection, cells)
    rows = connection.execute(f"select cast({style.sql('c1')} as {kind}) from {relation} order by line").fetchall()
    return [value for (value,) in rows]


def reasons(connection, style: NumberStyle | DateStyle, cells: list[str | None]) -> list[str | None]:
    relation = column(connection, cells)
    return [why for (why,) in connection.execute(f"select {style.why('c1')} from {relation} order by line").fetchall()]


# --- numbers

SIGNS = ["-{}", "{}-", "({})", "− {}", "–{}", "{} -"]
GROUPS = ["", "other", " ", "\u00a0", "\u202f", "\u2009", "'", "’", "lakh"]
MONEY = {
    "$": ["$", "US$", "USD"],
    "€": ["€", "EUR", "eur"],
    "CHF": ["CHF", "Fr.", "SFr."],
    "zł": ["zł", "PLN"],
    None: [""],
}


def lakhs(whole: str) -> str:
    """Return digits parted as in India."""
    head, tail = whole[:-3], whole[-3:]
    parts = []
    while head:
        head, part = head[:-2], head[-2:]
        parts.insert(0, part)
    return ",".join([*parts, tail])


def written(draw, amount: Decimal, mark: str, money: list[str]) -> str:
    """Write an amount as people do, in one of the ways that a decimal mark and a currency leave."""
    whole, _, cents = f"{abs(amount):f}".partition(".")
    group = draw(st.sampled_from(GROUPS))
    if group == "lakh" and mark == ".":
        whole = lakhs(whole)
    elif group and group != "lakh":
        whole = f"{int(whole):,}".replace(",", {".": ",", ",": "."}[mark] if group == "other" else group)
    text = whole + (mark + cents if cents else "")
    sign = draw(st.sampled_from(SIGNS)) if amount < 0 else draw(st.sampled_from(["{}", "{}", "+{}"]))
    unit = draw(st.sampled_from(money))
    place, blank = draw(st.sampled_from(["{u}{b}{t}", "{t}{b}{u}"])), draw(st.sampled_from(["", " ", "\u00a0"]))
    if unit and draw(st.booleans()):
        return place.format(u=unit, b=blank, t=sign.format(text))  # $-5 or $(5)
    return sign.format(place.format(u=unit, b=blank, t=text) if unit else text)  # -$5 or ($5)


@st.composite
def columns_of_numbers(draw):
    mark, currency = draw(st.sampled_from(".,")), draw(st.sampled_from(list(MONEY)))
    places = draw(st.integers(0, 4))
    amounts = draw(st.lists(st.decimals(-(10**9), 10**9, places=places), min_size=1, max_size=25))
    return mark, currency, amounts, [written(draw, amount, mark, MONEY[currency]) for amount in amounts]


@QUICK
@given(columns_of_numbers())
def test_numbers_come_back_or_it_is_asked_which_mark_they_have(connection, given):
    mark, currency, amounts, cells = given
    stated = {"decimal_mark": mark, **({"currency": currency} if currency else {})}
    assert read(connection, numbers(connection, cells, **stated).chosen, cells) == amounts
    found = numbers(connection, cells)
    if found.chosen:
        assert found.n_unread == 0 and read(connection, found.chosen, cells) == amounts
        assert found.chosen.decimal_mark in (mark, None)
    else:  # every mark there is parts three digits from others, or what only one of them has would tell
        assert "decimal_mark" in found.question and found.doubt.text in cells
        marks = [[sign for sign in cell if sign in ".,"] for cell in cells]
        assert all(len(set(signs)) <= 1 for signs in marks) and any(marks)


NOISE = st.text("0123456789.,' ()+-−$€%eE\u00a0", min_size=1, max_size=9)
NEARLY = st.builds("".join, st.lists(st.sampled_from(["1", "12", "234", "000", ".", ",", " ", "-", "(", ")", "$", "%", "0", "'", "e2"]),
                                     min_size=1, max_size=8))  # fmt: skip
STYLES = [
    NumberStyle(mark, currency, percent)
    for mark in (".", ",", None)
    for currency in (None, "$")
    for percent in (False, True)
]


def naive(text: str, style: NumberStyle) -> Decimal | None:
    """Return the number of a text that a style reads: its digits, whatever stands around; None where groups are no groups."""
    body = text.strip("()+-−$ \u00a0%")
    size, _, power = body.lower().partition("e")
    whole, _, cents = size.partition(style.decimal_mark) if style.decimal_mark else (size, "", "")
    parts = "".join(letter if letter in string.digits else " " for letter in whole).split()
    if len(parts) > 1:
        indian = all(len(part) == 2 for part in parts[1:-1]) and len(parts[0]) <= 2 and style.decimal_mark == "."
        if len(parts[-1]) != 3 or len(parts[0]) > 3 or not (all(len(part) == 3 for part in parts[1:]) or indian):
            return None
    digits = "".join(parts) + "." + "".join(letter for letter in cents if letter in string.digits)
    negative = any(sign in text.replace(body, "", 1) for sign in "(-−")
    value = Decimal(digits if digits != "." else "0").scaleb(int(power or 0)) * (-1 if negative else 1)
    return value / 100 if style.percent and "%" in text else value


@settings(QUICK, max_examples=5)
@given(st.lists(NOISE | NEARLY, min_size=30, max_size=120))
def test_a_style_reads_a_text_as_its_digits_say_or_not_at_all(connection, cells):
    for style in STYLES[len(cells) % 3 :: 3]:
        for cell, value in zip(cells, read(connection, style, cells), strict=True):
            if value is not None:
                right = naive(cell, style)
                assert right is not None and abs(value - right) <= Decimal("0.00005"), (cell, style)
                if style.currency is None:
                    assert not set("$€") & set(cell)


@QUICK
@given(
    st.lists(
        st.sampled_from(["1,5", "1.5", "1,234", "1.234", "1,234,567", "1.234.567", "7", "0,5", "12 000", "x", "-"]),
        max_size=9,
    )
)
def test_a_mixture_is_read_by_one_mark_alone_or_asked(connection, cells):
    found = numbers(connection, cells)
    points = {"1.5": "1.5", "1,234": "1234", "1.234": "1.234", "1,234,567": "1234567"}
    commas = {"1,5": "1.5", "0,5": "0.5", "1,234": "1.234", "1.234": "1234", "1.234.567": "1234567"}
    either = {"7": "7", "12 000": "12000", "-": "0"}
    by_mark = {mark: {**either, **known} for mark, known in ((".", points), (",", commas))}
    if not cells or found.chosen is None:
        return
    known = by_mark.get(found.chosen.decimal_mark, either)
    values = read(connection, found.chosen, cells)
    assert values == [Decimal(known[cell]) if cell in known else None for cell in cells]
    assert found.n_unread == sum(value is None for value in values)
    other = by_mark[{".": ",", ",": "."}.get(found.chosen.decimal_mark, ".")]
    decisive = [cell for cell in cells if cell in other and cell not in known]
    assert not decisive or not any(
        known.get(cell, other.get(cell)) != other.get(cell, known.get(cell)) for cell in cells
    )


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        (["7", "12,345"], ["'12,345' (line 3) may be 12345 (decimal_mark: '.') or 12.345 (decimal_mark: ',')", "state decimal_mark"]),
        (["1,5", "1.5"], ["'1,5' (line 2)", "'1.5' (line 3)", "state decimal_mark"]),
        (["$5", "6", "€7", "$8"], ["several currencies", "$ at 2 cells, the first '$5' (line 2)", "€ at 1 cell", "(line 4)"]),
        (["5%", "3"], ["'5%' (line 2)", "'3' (line 3)", "state percent"]),
        (["a", "b"], ["No cell of the column is a number: 'a' (line 2)"]),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_asked_with_the_choices(connection, cells, parts):
    found = numbers(connection, cells)
    assert found.chosen is None and all(part in found.question for part in parts), found.question


def test_the_evidence_has_counts_and_lines(connection):
    cells = ["$1,001.18", "7", None, " ", "(5)", "5-", "-", "x", "NaN", "1e15", "0.00001", "1e15"]
    found = numbers(connection, cells)
    assert found.chosen == NumberStyle(".", "$") and (found.n_cells, found.n_unread) == (10, 5)
    said = " ".join(found.evidence)
    assert (
        "5 of 10 cells can be read as numbers" in said
        and "1 can only be read with a decimal point: '$1,001.18' (line 2)" in said
    )
    assert (
        "parentheses for a minus: '(5)' (line 6)" in said
        and "the minus behind: '5-' (line 7)" in said
        and "read as 0: '-'" in said
    )
    assert [(fault.n, fault.line) for fault in found.faults] == [(2, 11), (1, 9), (1, 10), (1, 12)]
    assert [fault.reason.split(":")[0] for fault in found.faults] == [
        "too large", "text where a number belongs", "not a finite number", "too small"
    ]  # fmt: skip


def test_a_style_goes_to_a_mapping_and_back(connection):
    for style in (NumberStyle(), NumberStyle(",", "€"), NumberStyle(".", None, True)):
        assert NumberStyle.from_yaml(style.to_yaml()) == style
    for name in (*FAMILIES, "%d.%m.%y", "%Y-%m-%d %H:%M", "excel serial", "excel serial 1904", "%m|%Y"):
        assert DateStyle.from_yaml(DateStyle(name).to_yaml()) == DateStyle(name)
    for stated in ({"decimal_mark": ";"}, {"currency": "XX"}, {"percent": 1}):
        with pytest.raises(UserError, match=next(iter(stated))):
            NumberStyle.from_yaml(stated)
    with pytest.raises(UserError, match="date_format"):
        dates(connection, ["x"], date_format="%Y")


def test_percent_is_of_a_hundred_and_no_number_without_it(connection):
    found = numbers(connection, ["12.5 %", "(3%)", "0", "-", "7"])
    assert found.chosen.percent and "divided by 100: '12.5 %' (line 2)" in " ".join(found.evidence)
    assert read(connection, found.chosen, ["12.5 %", "(3%)", "0", "-", "7"]) == [
        Decimal("0.125"),
        Decimal("-0.03"),
        0,
        0,
        None,
    ]
    assert "without the percent sign" in found.faults[0].reason


def test_one_column_of_a_file_tells_the_mark_of_another(connection):
    connection.execute("create or replace temp table t as select 2 as line, '1,234' as a, '5.5' as b, '1.000' as c")
    found = table_number_styles(connection, "t", ["a", "b"])
    assert found["a"].chosen.decimal_mark == "." and "that of b" in found["a"].evidence[0]
    assert table_number_styles(connection, "t", ["a", "c"])["a"].chosen is None


def test_each_spelling_is_of_one_currency():
    owners: dict[str, set[str]] = {}
    for name, spellings in CURRENCIES.items():
        for spelling in spellings:
            owners.setdefault(spelling.casefold(), set()).add(name)
    assert all(len(names) == 1 for names in owners.values()) and {"$", "€", "chf", "zł"} <= set(owners)


# --- dates

LANGUAGES = {
    "English": "January February March April May June July August September October November December",
    "English, short": "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec",
    "German": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "German, short": "Jan. Feb. Mär Apr. Mai Jun. Jul. Aug. Sept. Okt. Nov. Dez.",
    "Austrian": "Jänner Feber Maerz April Mai Juni Juli August September Oktober November Dezember",
    "French": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "French, short": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "Spanish": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "Spanish, short": "ene feb mar abr may jun jul ago sept oct nov dic",
    "Italian": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "Italian, short": "gen feb mar apr mag giu lug ago set ott nov dic",
    "Dutch": "januari februari maart april mei juni juli augustus september oktober november december",
    "Dutch, short": "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
}
# how a date may be written: the day, or only its month; {b} is a name of the month
DAYS = {
    "%Y-%m-%d": ["{y}-{m:02}-{d:02}", "{y}-{m}-{d}", "{y}-{m:02}-{d:02} 23:59", "{y}-{m:02}-{d:02}T10:00:00.250"],
    "%Y%m%d": ["{y}{m:02}{d:02}"], "%Y/%m/%d": ["{y}/{m:02}/{d:02}", "{y}/{m}/{d} 1:05"], "%Y.%m.%d": ["{y}.{m:02}.{d:02}"],
    "%d/%m/%Y": ["{d:02}/{m:02}/{y}", "{d}/{m}/{y}", "{d}/{m}/{yy:02}", "{d}/{m}/{y} 1:15 PM", "{d}/{m}/{y}, 10:00"],
    "%m/%d/%Y": ["{m:02}/{d:02}/{y}", "{m}/{d}/{yy:02}", "{m}/{d}/{y} 12:00:00 a.m."], "%d-%m-%Y": ["{d:02}-{m:02}-{y}", "{d}-{m}-{yy:02}"],
    "%d.%m.%Y": ["{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{d}.{m}.{yy:02}", "{d}.{m}.{y} 07:30:00"],
    "%d %b %Y": ["{d} {b} {y}", "{d}-{b}-{yy:02}", "{d}. {b} {y}", "{d}/{b}/{y}", "{d:02}{b}{y}", "{d} de {b} de {y}"],
    "%b %d, %Y": ["{b} {d}, {y}", "{b} {d} {y}"], "%Y %b %d": ["{y}-{b}-{d}"],
}  # fmt: skip
MONTHLY = {
    "%Y-%m": ["{y}-{m:02}", "{y}-{m}"], "%Y/%m": ["{y}/{m:02}"], "%Y.%m": ["{y}.{m:02}"], "%Y%m": ["{y}{m:02}"],
    "%YM%m": ["{y}M{m:02}", "{y}m{m}", "{y}-M{m:02}"], "%m/%Y": ["{m:02}/{y}", "{m}/{y}"], "%m.%Y": ["{m:02}.{y}"], "%m-%Y": ["{m:02}-{y}"],
    "%b %Y": ["{b} {y}", "{b}-{yy:02}", "{b} {yy:02}", "{b}. {y}", "{b}/{y}", "{b}'{yy:02}", "{b} de {y}"], "%Y %b": ["{y} {b}", "{y}-{b}"],
}  # fmt: skip


@st.composite
def columns_of_dates(draw):
    family, ways = draw(st.sampled_from([*DAYS.items(), *MONTHLY.items()]))
    days = draw(st.lists(st.dates(dt.date(1969, 1, 1), dt.date(2068, 12, 31)), min_size=1, max_size=25))
    days = days if family in DAYS else [day.replace(day=1) for day in days]
    cells = []
    for day in days:
        name = draw(st.sampled_from(list(LANGUAGES.values()))).split()[day.month - 1]
        name = draw(st.sampled_from([str, str.upper, str.lower]))(name)
        way = draw(st.sampled_from(ways))
        cells.append(way.format(y=day.year, yy=day.year % 100, m=day.month, d=day.day, b=name).replace("..", "."))
    return family, days, cells


@QUICK
@given(columns_of_dates())
def test_dates_come_back_or_it_is_asked_whether_the_day_comes_first(connection, given):
    family, days, cells = given
    assert read(connection, DateStyle(family), cells) == days
    found = dates(connection, cells)
    turned = [f"{day:%Y}-{day.day}-{day.month}" for day in days]
    doubtful = family in ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y") and all(day.day <= 12 for day in days)
    if found.chosen:
        assert found.n_unread == 0 and read(connection, found.chosen, cells) == days
        assert not doubtful or [f"{day.year}-{day.month}-{day.day}" for day in days] == turned
    else:
        assert doubtful and "state date_format" in found.question and found.doubt.text in cells


def naive_date(text: str, order: str, sign: str) -> dt.date | None:
    """Return the date of three numbers with a sign between, in an order such as 'dmy'."""
    parts = dict(zip(order, text.split(sign), strict=False))
    if len(text.split(sign)) != 3 or not all(part.isascii() and part.isdigit() for part in parts.values()):
        return None
    year = int(parts["y"]) + ((2000 if int(parts["y"]) <= 68 else 1900) if len(parts["y"]) == 2 else 0)
    if (
        len(parts["y"]) not in (2, 4)
        or year < 1900
        or max(len(parts["d"]), len(parts["m"])) > 2
        or not 1 <= int(parts["m"]) <= 12
    ):
        return None
    last = calendar.monthrange(year, int(parts["m"]))[1]
    return dt.date(year, int(parts["m"]), int(parts["d"])) if 1 <= int(parts["d"]) <= last else None


PART = (
    st.integers(0, 40).map(str)
    | st.integers(0, 9).map("{:02}".format)
    | st.integers(1850, 2100).map(str)
    | st.integers(0, 999).map(str)
)
TRIPLES = st.builds(
    lambda parts, sign: sign.join(parts), st.lists(PART, min_size=2, max_size=4), st.sampled_from("/.-")
)


@QUICK
@given(st.lists(TRIPLES, min_size=40, max_size=120))
def test_a_style_reads_days_as_a_calendar_has_them_or_not_at_all(connection, cells):
    for name, order, sign in (
        ("%d/%m/%Y", "dmy", "/"),
        ("%m/%d/%Y", "mdy", "/"),
        ("%d.%m.%Y", "dmy", "."),
        ("%m-%d-%Y", "mdy", "-"),
    ):
        expected = [naive_date(cell, order, sign) for cell in cells]
        assert read(connection, DateStyle(name), cells) == expected
        assert [why is None for why in reasons(connection, DateStyle(name), cells)] == [
            day is not None for day in expected
        ]


def test_the_names_of_months_are_a_function_and_have_all_six_languages():
    names = [name for month in NAMES.values() for name in month.split()]
    assert len(names) == len(set(names))
    for language, months in LANGUAGES.items():
        for month, name in enumerate(months.split(), 1):
            plain = "".join(
                letter for letter in unicodedata.normalize("NFD", name.lower()) if letter in string.ascii_lowercase
            )
            assert MONTHS[plain] == month, (language, name)


def test_days_as_excel_counts_them_are_proposed_where_all_numbers_may_be_some(connection):
    found = dates(connection, ["45322", "45351.5", None, "n/a"])
    assert found.chosen == DateStyle("excel serial") and "1904" in " ".join(found.evidence) and found.n_unread == 1
    assert read(connection, found.chosen, ["45322", "45351.5"]) == [dt.date(2024, 1, 31), dt.date(2024, 2, 29)]
    assert read(connection, found.chosen, [" 45322 "]) == [dt.date(2024, 1, 31)]
    old = dates(connection, ["43860"], date_format="excel serial 1904")
    assert read(connection, old.chosen, ["43860"]) == [dt.date(2024, 1, 31)]
    for cells in (["45322", "12"], ["45322", "123456"], ["45322", "45323", "31.01.2024"]):
        assert "excel serial" not in (dates(connection, cells).chosen or DateStyle("")).date_format


@pytest.mark.parametrize("family", [*DAYS, *MONTHLY])
def test_each_way_of_writing_a_date_is_read(connection, family):
    day = dt.date(2024, 3, 21 if family in DAYS else 1)
    names = [months.split()[2].strip(".") for months in LANGUAGES.values()]
    cells = [way.format(y=2024, yy=24, m=3, d=day.day, b=name) for way in {**DAYS, **MONTHLY}[family] for name in names]
    assert set(read(connection, DateStyle(family), cells)) == {day}
    found = dates(connection, cells)
    assert found.n_unread == 0 and set(read(connection, found.chosen, cells)) == {day}


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        (["01/02/2024"], ["'01/02/2024' (line 2) may be 2024-02-01 (date_format: '%d/%m/%Y') or 2024-01-02", "state date_format"]),
        (["31/12/2024", "12/31/2024", "1/2/2024"], ["'1/2/2024' (line 4)", "'31/12/2024' (line 2) can only be the first", "(line 3)"]),
        (["2024-01", "Feb 2024"], ["'2024-01' (line 2)", "'Feb 2024' (line 3)"]),
        (["Q1 2024", "2024Q2"], ["No cell of the column is a date: 'Q1 2024' (line 2)"]),
        (["24-Jan", "25-Jan"], ["No cell"]),
    ],
)  # fmt: skip
def test_dates_that_cannot_be_told_are_asked_for(connection, cells, parts):
    found = dates(connection, cells)
    assert found.chosen is None and all(part in found.question for part in parts), found.question


def test_what_is_no_date_is_named(connection):
    cells = [
        "2024-01-31",
        "2024-02-30",
        "Q1 2024",
        "2024-W05",
        "2024",
        "1850-01-01",
        "31.1.2024",
        "45322",
        "soon",
        None,
        "",
    ]
    said = reasons(connection, DateStyle("%Y-%m-%d"), cells)
    parts = ["does not exist", "quarter", "week", "without a month", "before 1900", "otherwise", "a number", "text"]
    for why, part in zip(said[1:9], parts, strict=True):
        assert part in why
    assert said[0] is None and said[9:] == [None, None]


def test_the_evidence_tells_days_above_twelve_and_short_years(connection):
    found = dates(connection, ["31/5/18", "1/6/2018", "2/6/2018", "x"])
    said = " ".join(found.evidence)
    assert "3 of 4 cells can be read as %d/%m/%Y, 2018-05-31 to 2018-06-02" in said
    assert "1 cannot be read as %m/%d/%Y, they have a day above 12 in the first place: '31/5/18' (line 2)" in said
    assert "years of two digits" in said and "'31/5/18' (line 2) is 2018-05-31" in said


# --- real files


@pytest.mark.skipif(not MESSY.exists(), reason="needs ../shared/data/messy")
def test_the_same_orders_written_in_two_ways_are_the_same(connection, tmp_path):
    tables = {}
    for name in ("us_regional_sales_A_iso", "us_regional_sales_B_dmy_dollar_thousands"):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(gzip.decompress((MESSY / f"{name}.csv.gz").read_bytes()))
        table = f"select row_number() over () + 1 as line, * from read_csv('{path}', all_varchar = true, header = true)"
        connection.execute(f"create or replace temp table orders as {table}")
        columns = {}
        for column_name in ("ProcuredDate", "OrderDate", "ShipDate", "DeliveryDate"):
            decision = date_styles(connection, "orders", column_name)
            assert decision.n_unread == 0 and decision.evidence
            columns[column_name] = decision.chosen.sql(f'"{column_name}"')
        for column_name in ("Order Quantity", "Discount Applied", "Unit Cost", "Unit Price"):
            decision = number_styles(connection, "orders", column_name)
            assert decision.n_unread == 0
            columns[column_name] = f"cast({decision.chosen.sql(quoted(column_name))} as {AMOUNT})"
        tables[name] = connection.execute(
            f"select line, {', '.join(columns.values())} from orders order by line"
        ).fetchall()
    one, other = tables.values()
    assert len(one) == 7991 and one == other
    assert date_styles(connection, "orders", "OrderDate").chosen == DateStyle("%d/%m/%Y")
    assert number_styles(connection, "orders", "Unit Cost").chosen == NumberStyle(".", "$")


def quoted(name: str) -> str:
    return f'"{name}"'
