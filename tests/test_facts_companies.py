"""Companies that nobody thought of, written as CSV in honest dialects: the same months and totals are found, or a refusal."""

import csv
import datetime as dt
import io
from collections import defaultdict
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.errors import UserError
from forecasting.facts import inspect
from read_facts import by_month, company

DAYS = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y", "%b %d, %Y", "%d %b %Y"]
CLOCKS = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p"]
MOMENTS = [
    f"%Y-%m-%d{between}{clock}{zone}"
    for between in " T"
    for clock in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
    for zone in ("", "%z")
]
NUMBERS = {
    "1001.18": "{:f}".format,
    "1E+3": "{:E}".format,
    "1,001.18": "{:,f}".format,
    "1001,18": lambda amount: f"{amount:f}".replace(".", ","),
    "1.001,18": lambda amount: f"{amount:,f}".translate(str.maketrans(",.", ".,")),
}
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "Pacific/Auckland"]
COLUMNS = {
    "order_date": ["order_date", "Order Date", "ORDER-DATE", "Order\nDate"],
    "net_amount": ["net_amount", "Net Amount", "net amount "],
    "region": ["region", "Region"],
    "note": ["note", "Bemerkung", "a, b", 'the "note"', "x;y", "", "two\r\nlines"],
}
WORDS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["C", "Z"]), min_size=1, max_size=8
) | st.sampled_from(
    ["North", "A, B", 'a "b"', "x;y|z", "two\nlines", "tab\there", "=1+1", "'", "NULL", "2024-01-01", "1,5", '"']
)


@st.composite
def facts(draw):
    """Sales of a company: moments by the clock of its zone, amounts and regions; and what the months must come to."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    moment = st.datetimes(
        dt.datetime(2019, 1, 1), dt.datetime(2024, 12, 31), timezones=st.just(zone), allow_imaginary=False
    )
    amount = st.decimals(min_value=-(10**6), max_value=10**6, places=draw(st.sampled_from([0, 2, 4])))
    regions = draw(st.lists(WORDS, min_size=1, max_size=4))
    return zone, draw(st.lists(st.tuples(moment, amount, st.sampled_from(regions)), min_size=1, max_size=30))


@st.composite
def dialects(draw):
    """How a program may write a table, honestly: what it writes means one thing to a reader who knows these choices."""
    return {
        "date": draw(st.sampled_from([day + clock for day in DAYS for clock in CLOCKS] + MOMENTS)),
        "zone": draw(st.sampled_from(ZONES)),
        "told": draw(st.booleans()),
        "headers": {name: draw(st.sampled_from(names)) for name, names in COLUMNS.items()},
        "order": draw(st.permutations(list(COLUMNS))),
        "delimiter": draw(st.sampled_from(",;\t|")),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "encoding": draw(
            st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-8-sig", "utf-8-sig", "utf-16", "cp1252"])
        ),
        "above": draw(st.sampled_from(["", "", "", "", "sep", "sep", "blank", "title"])),
        "last": draw(st.sampled_from(["end", "no end", "blank"])),
        "number": draw(st.sampled_from(list(NUMBERS))),
    }


def table_of(rows, dialect) -> str:
    """Return the sales as a program writes them."""
    out = io.StringIO(newline="")
    # csv.writer quotes a line break only where it is of the kind that ends its lines
    quoting = csv.QUOTE_ALL if dialect["end"] == "\r" else dialect["quoting"]
    write = csv.writer(out, delimiter=dialect["delimiter"], quoting=quoting, lineterminator=dialect["end"])
    write.writerow(dialect["headers"][name] for name in dialect["order"])
    for moment, amount, region in rows:
        written = NUMBERS[dialect["number"]](amount)
        cells = {"order_date": moment.strftime(dialect["date"]), "net_amount": written, "region": region, "note": ""}
        write.writerow(cells[name] for name in dialect["order"])
    above = {"sep": f"sep={dialect['delimiter']}", "blank": "", "title": f"Sales{dialect['delimiter']}Acme"}
    text = (above[dialect["above"]] + dialect["end"] if dialect["above"] else "") + out.getvalue()
    return {"end": text, "no end": text.removesuffix(dialect["end"]), "blank": text + dialect["end"]}[dialect["last"]]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(facts(), dialects())
def test_a_company_is_read_as_it_is_or_refused(tmp_path, made, dialect):
    zone, sales = made
    zoned = dialect["date"].endswith("%z")
    shown = ZoneInfo(dialect["zone"]) if zoned else zone  # by whose clock the moments are written
    rows = [(moment.astimezone(shown), amount, region) for moment, amount, region in sales]
    counts = zone if zoned and dialect["told"] else shown
    right = defaultdict(Decimal)
    for moment, amount, region in rows:
        right[f"{moment.astimezone(counts):%Y-%m}", region.strip()] += amount
    text = table_of(rows, dialect)
    try:
        content = text.encode(dialect["encoding"])
    except UnicodeEncodeError:
        content = text.encode()
    try:
        table = inspect(
            "csv", company(tmp_path, sales=content), time_zone=zone.key if dialect["told"] else None
        ).tables["sales"]
    except UserError:
        return
    found = {(month, region or ""): amount for (month, region), amount in by_month(table, "region").items()}
    assert found == right and (table.n_rows, table.total) == (len(rows), sum(right.values()))
