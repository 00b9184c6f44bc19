"""Facts in Parquet: any number of files in any layout give the sums of their rows; what is not understood is named."""

import datetime as dt
import hashlib
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.errors import UserError
from forecasting.facts import fingerprint, inspect
from read_facts import by_month

DAYS = [dt.date(2024, 1, 31), dt.date(2024, 2, 29), dt.date(2024, 2, 1)]
AMOUNTS = [Decimal("10.50"), Decimal("-3.00"), Decimal("0.25")]
REGIONS = ["North", "South East", None]
GOOD = pa.table({"order_date": DAYS, "net_amount": AMOUNTS, "region": REGIONS})


def write(path: Path, table: pa.Table = GOOD) -> Path:
    """Write a Parquet file, the folders above it too, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def with_column(name: str, values: pa.Array, table: pa.Table = GOOD) -> pa.Table:
    """Return a table with a column put in place of that of the name, or added."""
    at = table.schema.get_field_index(name)
    return table.append_column(name, values) if at < 0 else table.set_column(at, name, values)


def sales(place: Path, **options):
    """Return what is found of sales."""
    return inspect("parquet", place, **options).tables["sales"]


def error_of(place: Path, **options) -> str:
    """Return the message of the user's error that the facts raise."""
    with pytest.raises(UserError) as caught:
        inspect("parquet", place, **options)
    return str(caught.value)


# --- what is accepted

SIGNS = "abcä '&[]*?{}#%+"  # of names of folders and files, and of regions
ROWS = st.tuples(
    st.dates(dt.date(2020, 1, 1), dt.date(2020, 4, 30)),
    st.decimals(-1000, 1000, places=2),
    st.text(SIGNS, min_size=1, max_size=4).filter(str.strip),
)


@given(
    rows=st.lists(ROWS, min_size=1, max_size=12), n_files=st.integers(1, 4), folder=st.text(SIGNS.replace("/", ""), min_size=1, max_size=6),
    layout=st.sampled_from(["file", "many", "year", "region"]), large=st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_layout_gives_the_sums_of_the_rows(rows, n_files, folder, layout, large):
    expected, text = Counter(), pa.large_string() if large else pa.string()
    for day, amount, region in rows:
        expected[f"{day:%Y-%m}", region.strip()] += amount
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch, f"x{folder}x")
        for number in range(n_files):
            part = [row for at, row in enumerate(rows) if at % n_files == number]
            groups = {"": part}
            if layout in ("year", "region"):
                key = (
                    (lambda row: f"year={row[0]:%Y}")
                    if layout == "year"
                    else (lambda row: f"region={quote(row[2], safe='')}")
                )
                groups = {group: [row for row in part if key(row) == group] for group in map(key, part)}
            for group, own in groups.items():
                table = pa.table({
                    "Order Date": pa.array([row[0] for row in own], pa.date32()),
                    "net-amount": pa.array([row[1] for row in own], pa.decimal128(10, 2)),
                    **({} if layout == "region" else {"region": pa.array([row[2] for row in own], text)}),
                })  # fmt: skip
                name = (
                    "sales.parquet"
                    if layout == "file" and n_files == 1
                    else f"sales/{group}/part {number} {folder}.parquet"
                )
                write(place / name, table)
        found = sales(place)
        assert by_month(found, "region") == {key: amount for key, amount in expected.items()}
        assert (found.n_rows, found.total) == (len(rows), sum(row[1] for row in rows))
        assert (found.first_date, found.last_date) == (min(row[0] for row in rows), max(row[0] for row in rows))


def test_a_folder_of_three_tables_and_a_file_alone(tmp_path):
    write(tmp_path / "sales.parquet")
    write(tmp_path / "inventory" / "a.pq", pa.table({"snapshot_date": DAYS, "quantity_on_hand": [1, 2, 3]}))
    write(
        tmp_path / "expenses.parquet" / "part-0.snappy.parquet",
        pa.table({"expense_date": DAYS, "amount": [-1.0, -2.0, 3.0]}),
    )
    (tmp_path / "unrelated.txt").touch()
    found = inspect("parquet", tmp_path)
    assert {name: table.n_rows for name, table in found.tables.items()} == {"sales": 3, "inventory": 3, "expenses": 3}
    assert any("Most amounts in expenses.parquet/ are negative" in note for note in found.notes)
    assert sales(tmp_path / "sales.parquet").file == "sales.parquet"


def test_one_file_of_a_date_and_a_number_will_do(tmp_path):
    table = sales(write(tmp_path / "takings", pa.table({"takings": [1.5, 2.0], "day": DAYS[:2]})))
    assert table.columns == {"order_date": "day", "net_amount": "takings"} and table.total == Decimal("3.5")


def test_stated_names_and_unused_columns(tmp_path):
    table = GOOD.rename_columns(["Tag", "Betrag", "Gebiet"])
    found = sales(
        write(tmp_path / "a.parquet", table), columns={"sales": {"order_date": "Tag", "net_amount": "Betrag"}}
    )
    assert found.columns_unused == ("Gebiet",) and found.total == sum(AMOUNTS)
    message = error_of(tmp_path / "a.parquet", columns={"sales": {"order_date": "Tagg", "net_amount": "Betrag"}})
    assert (
        "no column 'Tagg', which params/ states for order_date. Found: Tag, Betrag, Gebiet. Did you mean 'Tag'?"
        in message
    )


def test_what_other_programs_leave_beside_the_files_is_passed_over(tmp_path):
    write(tmp_path / "sales" / "part-0.parquet")
    for name in ("_SUCCESS", ".part-0.parquet.crc", "_temporary/0/part-9.parquet", ".hidden.parquet"):
        (tmp_path / "sales" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sales" / name).write_text("x")
    assert sales(tmp_path).n_rows == sales(tmp_path / "sales").n_rows == 3


def test_names_of_folders_are_columns_and_what_the_files_say_comes_first(tmp_path):
    lines = GOOD.drop_columns(["region", "order_date"])
    write(tmp_path / "sales" / "dt=2024-01-31" / "region=N%2FE" / "a.parquet", lines)
    write(tmp_path / "sales" / "dt=2024-02-01" / "region=__HIVE_DEFAULT_PARTITION__" / "b.parquet", lines)
    found = sales(tmp_path, columns={"sales": {"order_date": "dt"}})
    half = sum(AMOUNTS)
    assert by_month(found, "region") == {("2024-01", "N/E"): half, ("2024-02", None): half}
    write(tmp_path / "region=West" / "f" / "sales" / "region=East" / "a.parquet")
    assert set(by_month(sales(tmp_path / "region=West" / "f"), "region")) == {
        ("2024-01", "North"),
        ("2024-02", None),
        ("2024-02", "South East"),
    }


def test_more_files_than_a_command_line_holds(tmp_path):
    for number in range(900):
        write(tmp_path / "sales" / f"{'long' * 15} {number}.parquet")
    found = sales(tmp_path)
    assert found.n_rows == 2700 and len(found.location) < 500 and sum(by_month(found).values()) == found.total
    write(tmp_path / "sales" / ".hidden.parquet")
    assert "900 files" in error_of(tmp_path)


def test_whole_numbers_dictionaries_and_empty_columns_in_one_of_the_files(tmp_path):
    write(tmp_path / "sales" / "a.parquet", with_column("region", pa.array(REGIONS).dictionary_encode()))
    write(tmp_path / "sales" / "b.parquet", with_column("net_amount", pa.array([1, 2, 3])))
    write(tmp_path / "sales" / "c.parquet", with_column("region", pa.nulls(3)))
    write(tmp_path / "sales" / "d.parquet", GOOD.slice(0, 0))
    write(
        tmp_path / "sales" / "e.parquet",
        with_column("order_date", pa.array([dt.datetime(2024, 1, 1, 23, 59)] * 3, pa.timestamp("ns"))),
    )
    found = sales(tmp_path)
    assert found.n_rows == 12 and found.total == 3 * sum(AMOUNTS) + 6


def test_moments_are_dated_by_the_clock_that_is_stated(tmp_path):
    late = pa.array([dt.datetime(2024, 1, 31, 23, 30, tzinfo=dt.UTC)] * 3, pa.timestamp("us", tz="UTC"))
    place = write(tmp_path / "sales.parquet", with_column("order_date", late)).parent
    assert "Set time_zone in params/" in error_of(place)
    assert sales(place, time_zone="Europe/Berlin").last_date == dt.date(2024, 2, 1)
    assert sales(place, time_zone="UTC").last_date == dt.date(2024, 1, 31)


# --- every error names the place and what to do


@pytest.mark.parametrize(
    ("column", "values", "parts"),
    [
        ("order_date", ["31.01.2024"] * 3, ["sales.parquet, column order_date: VARCHAR where a date belongs", "CSV"]),
        ("order_date", [20240131] * 3, ["BIGINT where a date belongs"]),
        ("order_date", [DAYS[0], None, None], ["sales.parquet, row 2, column order_date: the value is missing (1 more like it)"]),
        ("order_date", [DAYS[0], dt.date(204, 1, 1), DAYS[0]], ["row 2, column order_date: 0204-01-01 is not a usable date"]),
        ("net_amount", ["1,5"] * 3, ["VARCHAR where a number belongs"]),
        ("net_amount", [True] * 3, ["BOOLEAN where a number belongs"]),
        ("net_amount", [1.0, float("nan"), float("inf")], ["row 2, column net_amount: nan is not a usable number (1 more like it)"]),
        ("net_amount", [1e15, 1.0, 2.0], ["row 1, column net_amount", "not a usable number"]),
        ("net_amount", pa.array([1, 2, 3], pa.duration("s")), ["duration[s] where a number belongs"]),
        *(("net_amount", pa.array([1, 2, 3], kind), ["where a number belongs"]) for kind in (
            pa.duration("ms"), pa.duration("us"), pa.duration("ns"), pa.date32(), pa.time32("s"), pa.timestamp("ms"),
        )),
        ("net_amount", [[1.0], [2.0], [3.0]], ["where a number belongs"]),
        ("net_amount", [{"a": 1.0}] * 3, ["where a number belongs"]),
        ("net_amount", [0.00004, 1.0, 2.0], ["row 1, column net_amount"]),
        ("net_amount", [1.0, -0.00001, 2.0], ["row 2, column net_amount"]),
        ("net_amount", [1.0, None, 2.0], ["row 2, column net_amount: the value is missing. Correct the export."]),
        ("region", [b"x"] * 3, ["column region: BLOB where a text belongs"]),
        ("cost_amount", [1.0, None, float("inf")], ["row 3, column cost_amount: inf is not a usable number"]),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_named(tmp_path, column, values, parts):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    message = error_of(write(tmp_path / "sales.parquet", with_column(column, array)).parent)
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("sales/b.parquet", GOOD.drop_columns(["region"]), ["sales/b.parquet has no column region, which other files of sales/ have"]),
        ("sales/b.parquet", with_column("net_amount", pa.array([1.0, 2, 3])), ["b.parquet, column net_amount: DOUBLE, in sales/a.parquet"]),
        ("sales/b.parquet", with_column("region", pa.array([1, 2, 3])), ["b.parquet, column region: BIGINT, in sales/a.parquet it is"]),
        ("sales/b.parquet", b"", ["sales/b.parquet is empty (0 bytes)"]),
        ("sales/b.parquet", b"PAR1 no", ["sales/b.parquet cannot be read as Parquet", "Export it again"]),
        ("sales/b.csv", b"a,b", ["sales holds files that are not Parquet: sales/b.csv. Move them away"]),
        ("sales/year=2024/b.parquet", GOOD, ["sales/year=2024/b.parquet lies in folders of year", "Partition all files"]),
        ("sales/_delta_log/0.json", b"{}", ["a table of Delta", "plain Parquet"]),
        ("sales.parquet", GOOD, ["has sales twice: sales, sales.parquet"]),
        ("inventory/.keep", b"", ["inventory has no Parquet files"]),
    ],
)  # fmt: skip
def test_files_that_are_not_alike_or_none_are_named(tmp_path, name, content, parts):
    write(tmp_path / "sales" / "a.parquet")
    if isinstance(content, bytes):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    else:
        write(tmp_path / name, content)
    message = error_of(tmp_path)
    assert all(part in message for part in parts), message


def test_missing_places_and_empty_tables(tmp_path):
    write(tmp_path / "sale.parquet")
    assert "neither sales.parquet nor a folder sales. Found: sale.parquet. Did you mean 'sale.parquet'?" in error_of(
        tmp_path
    )
    write(tmp_path / "b" / "sales.parquet", GOOD.slice(0, 0))
    assert "sales.parquet is an empty table" in error_of(tmp_path / "b")
    write(tmp_path / "c" / "sales.parquet")
    write(tmp_path / "c" / "inventory.parquet", pa.table({"snapshot_date": DAYS, "quantity_on_hand": [1, None, 3]}))
    assert "inventory.parquet, row 2, column quantity_on_hand: the value is missing" in error_of(tmp_path / "c")


# --- when they have changed


def test_only_changed_files_are_read_again_and_their_places_count(tmp_path, monkeypatch):
    folder, cache = tmp_path / "facts", tmp_path / "cache.json"
    for number in (1, 2):
        write(folder / "sales" / f"m={number}" / "data.parquet")
    first = fingerprint("parquet", folder, cache)
    read, digest = [], hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, name: read.append(Path(file.name).parent.name) or digest(file, name)
    )
    assert fingerprint("parquet", folder, cache) == first and read == []
    write(folder / "sales" / "m=2" / "data.parquet", GOOD.slice(0, 2))
    second = fingerprint("parquet", folder, cache)
    assert read == ["m=2"] and second != first
    (folder / "sales" / "m=2").rename(folder / "sales" / "m=3")
    assert fingerprint("parquet", folder, cache) != second
    assert fingerprint("parquet", folder.rename(tmp_path / "moved"), tmp_path / "other.json") == fingerprint(
        "parquet", tmp_path / "moved", cache
    )
