"""Which day a moment is: by the clock as written, or by that of the stated time zone, and the same on every machine."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dbt_process import run_dbt
from forecasting.errors import UserError
from forecasting.facts import inspect
from forecasting.run import Workspace, params
from forecasting.training_set import building
from read_facts import by_month, company

BERLIN = {"2024-03": Decimal(30), "2024-04": Decimal(9), "2024-10": Decimal(100), "2024-11": Decimal(5)}
UTC = {"2024-03": Decimal(38), "2024-04": Decimal(1), "2024-10": Decimal(104), "2024-11": Decimal(1)}
# by the clock in Berlin, an amount each; on 31 March 2024 it is two hours before UTC, at the end of October one
MOMENTS = [
    ("2024-03-31 23:59:59", 30),
    ("2024-04-01 00:00:00", 8),
    ("2024-04-30 12:00:00", 1),
    ("2024-10-31 23:30:00", 100),
    ("2024-11-01 00:30:00", 4),
    ("2024-11-30 12:00:00", 1),
]
LOCAL = [(pd.Timestamp(text, tz="Europe/Berlin"), amount) for text, amount in MOMENTS]


def written(style: str, zone: str = "Europe/Berlin") -> str:
    """Return the moments as a CSV, each as `style` writes it by the clock of a zone."""
    rows = (f"{moment.tz_convert(zone).strftime(style)},{amount}\n" for moment, amount in LOCAL)
    return "order_date,net_amount\n" + "".join(rows)


def colon(text: str) -> str:
    """Return a text with offsets written +01:00."""
    return (
        text.replace("+0100", "+01:00").replace("+0200", "+02:00").replace("-0400", "-04:00").replace("-0500", "-05:00")
    )


ZONED = {
    "offset": written("%Y-%m-%dT%H:%M:%S%z"),
    "offset with a colon": colon(written("%Y-%m-%dT%H:%M:%S%z")),
    "offset, blank, no seconds": colon(written("%Y-%m-%d %H:%M %z")),
    "hours of offset": written("%Y-%m-%d %H:%M:%S%z").replace("00,", ","),
    "microseconds": written("%Y-%m-%d %H:%M:%S.%f%z"),
    "New York": colon(written("%Y-%m-%d %H:%M:%S%z", "America/New_York")),
    "Z": written("%Y-%m-%dT%H:%M:%SZ", "UTC"),
    "Z, no seconds": written("%Y-%m-%dT%H:%MZ", "UTC"),
    "milliseconds": written("%Y-%m-%dT%H:%M:%S.123Z", "UTC"),
    "some with milliseconds": written("%Y-%m-%dT%H:%M:%SZ", "UTC").replace("00Z", "00.5Z", 3),
    "Z and offsets": colon(written("%Y-%m-%dT%H:%M:%S%z", "UTC")).replace("+0000", "Z", 3),
    "nanoseconds": written("%Y-%m-%dT%H:%M:%S.123456789Z", "UTC"),
    "UTC": written("%Y-%m-%d %H:%M:%S UTC", "UTC"),
    "Postgres": written("%Y-%m-%d %H:%M:%S+00", "UTC"),
}
WALL = {
    "ISO": written("%Y-%m-%d %H:%M:%S"),
    "T, no seconds": written("%Y-%m-%dT%H:%M"),
    "SQL Server": written("%Y-%m-%d %H:%M:%S.0000000"),
    "a comma": written('"%Y-%m-%d %H:%M:%S,250"'),
    "US": written("%m/%d/%Y %I:%M %p"),
    "US with seconds": written("%m/%d/%Y %I:%M:%S %p").replace("AM", "am").replace("PM", "pm"),
    "AM and PM": written("%Y-%m-%d %I:%M:%S %p"),
    "German": written("%d.%m.%Y %H:%M"),
}


@pytest.mark.parametrize("style", ZONED)
def test_moments_are_dated_by_the_stated_time_zone(tmp_path, style):
    table = inspect("csv", company(tmp_path, sales=ZONED[style]), time_zone="Europe/Berlin").tables["sales"]
    assert by_month(table) == BERLIN
    assert f"{table.first_date} {table.last_date}" == "2024-03-31 2024-11-30"
    assert not any("offsets" in note for note in table.notes)


@pytest.mark.parametrize("style", ZONED)
def test_without_a_time_zone_the_clock_as_written_counts_and_that_is_said(tmp_path, style):
    table = inspect("csv", company(tmp_path, sales=ZONED[style])).tables["sales"]
    as_written = {}
    for line in ZONED[style].splitlines()[1:]:
        cell, amount = line.split(",")
        as_written[cell[:7]] = as_written.get(cell[:7], 0) + Decimal(amount)
    assert by_month(table) == as_written
    assert any(
        "carry offsets from UTC" in note and "clock as written" in note and "time_zone" in note for note in table.notes
    )


@pytest.mark.parametrize("zone", [None, "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("style", WALL)
def test_a_clock_without_an_offset_is_taken_as_written(tmp_path, style, zone):
    table = inspect("csv", company(tmp_path, sales=WALL[style]), time_zone=zone).tables["sales"]
    assert by_month(table) == BERLIN and not any("offsets" in note for note in table.notes)


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", ZONED["Z"]),
        ("%Y-%m-%d %H:%M:%S UTC", ZONED["UTC"]),
        ("%Y-%m-%d %H:%M:%S %Z", ZONED["UTC"]),
        ("%d/%m/%Y %H.%M %z", colon(written("%d/%m/%Y %H.%M %z"))),
        ("%d/%m/%Y %H.%M%z", written("%d/%m/%Y %H.%M%z", "Asia/Tokyo")),
    ],
)
def test_a_stated_format_may_end_with_an_offset(tmp_path, stated, text):
    place = company(tmp_path, sales=text)
    table = inspect("csv", place, date_format=stated, time_zone="Europe/Berlin").tables["sales"]
    assert by_month(table) == BERLIN


def test_seconds_since_1970_are_read_only_when_stated(tmp_path):
    rows = [(int(moment.timestamp()), amount) for moment, amount in LOCAL]
    for name, factor in (("epoch seconds", 1), ("epoch milliseconds", 1000)):
        place = company(tmp_path, sales="order_date,net_amount\n" + "".join(f"{n * factor},{y}\n" for n, y in rows))
        for options, part in (
            ({}, f"line 2, column 'order_date': '{rows[0][0] * factor}' is not a date. If it counts from 1970"),
            ({"date_format": name}, f"its dates count {name} from 1970"),
        ):
            with pytest.raises(UserError, match="time_zone") as caught:
                inspect("csv", place, **options)
            assert part in str(caught.value) and name in str(caught.value)
        table = inspect("csv", place, date_format=name, time_zone="Europe/Berlin").tables["sales"]
        assert by_month(table) == BERLIN
        assert by_month(inspect("csv", place, date_format=name, time_zone="UTC").tables["sales"]) == UTC


@pytest.mark.parametrize(
    "cell", ["2024-03-31 10:00:00", "2024-03-31", "2024-03-31T10:00:00 CET", "2024-03-31T10:00:00+25:00"]
)
def test_a_column_that_mixes_offsets_and_others_is_refused_at_its_line(tmp_path, cell):
    place = company(tmp_path, sales=ZONED["Postgres"] + f"{cell},1\n")
    for zone in (None, "Europe/Berlin"):
        with pytest.raises(
            UserError, match=f"line 8, column 'order_date': '{cell[:10]}.*is not a date written as"
        ) as caught:
            inspect("csv", place, time_zone=zone)
        assert "one format must read every row" in str(caught.value)


@pytest.mark.parametrize("stated", ["%z %Y-%m-%d %H:%M", "%Y-%m-%d%z"])
def test_an_offset_stands_behind_a_clock(tmp_path, stated):
    with pytest.raises(UserError, match="%z may only stand at the end, behind a clock"):
        inspect("csv", company(tmp_path, sales=ZONED["Z"]), date_format=stated)


@pytest.mark.parametrize("zone", ["Europe/Berln", "CET", "+01:00", "localtime", "europe/berlin", "'; --"])
def test_a_time_zone_is_a_place_or_utc(tmp_path, zone):
    with pytest.raises(UserError, match="time_zone .* is not a time zone such as Europe/Berlin or UTC"):
        inspect("csv", company(tmp_path, sales=ZONED["Z"]), time_zone=zone)


# --- moments as other programs write them: the clock's month as written, and in Berlin (None: refused, not guessed)

OTHERS = {
    "half an hour": ("2024-02-01T03:00:00+05:30", "2024-02", "2024-01"),
    "minus zero": ("2024-01-31T23:30:00-00:00", "2024-01", "2024-02"),
    "GMT": ("2024-01-31 23:30:00 GMT", "2024-01", "2024-02"),
    "small letters": ("2024-01-31t23:30:00z", "2024-01", "2024-02"),
    "a true minus": ("2024-01-31T20:30:00−05:00", "2024-01", "2024-02"),
    "a comma in seconds": ("2024-01-31T23:30:00,123Z", "2024-01", "2024-02"),
    "the earliest clock": ("2024-02-01T09:30:00+14:00", "2024-02", "2024-01"),
    "the latest clock": ("2024-01-31T12:30:00-12:00", "2024-01", "2024-02"),
    "summer time": ("2024-06-30T22:30:00Z", "2024-06", "2024-07"),
    "no summer time yet": ("2024-03-31T22:30:00Z", "2024-03", "2024-04"),
    "midnight in Berlin": ("2024-01-31T23:00:00Z", "2024-01", "2024-02"),
    "a second before": ("2024-01-31T22:59:59Z", "2024-01", "2024-01"),
    "midnight by a clock of twelve hours": ("01/31/2024 12:00 AM", "2024-01", "2024-01"),
    "noon by a clock of twelve hours": ("01/31/2024 12:59 PM", "2024-01", "2024-01"),
    "points in PM": ("01/31/2024 11:30 p.m.", "2024-01", "2024-01"),
    "no blank before PM": ("01/31/2024 11:30PM", "2024-01", "2024-01"),
    "an hour that summer time leaves out": ("2024-03-31 02:30:00", "2024-03", "2024-03"),
} | {text: (text, None, None) for text in (
    "2024-01-31 23:30:00 GMT+1", "2024-01-31 23:30:00 UTC+01:00", "2024-01-31 23:30:00 EST", "2024-01-31 23:30:00 Europe/Berlin",
    "2024-01-31T23:30:00+01:00[Europe/Berlin]", "Wed, 31 Jan 2024 23:30:00 +0000", "2024-01-31T24:00:00Z", "2024-01-31T24:00:00",
    "2023-12-31T23:59:60Z", "20240131T233000Z", "01/31/2024 13:00 PM", "01/31/2024 00:30 AM", "2024-01-31T23:30:00+15:00",
    "2024-01-31 20:00:00+05:99", "31-JAN-24 11.30.00.000000 PM +00:00", "2024-01-31+01:00", "1706743800", "2024-W05-3T23:30:00Z",
)}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_moment_of_another_program_is_of_the_right_month_or_refused(tmp_path, name):
    cell, *months = OTHERS[name]
    place = company(tmp_path, sales=f'order_date,net_amount\n"{cell}",5\n')
    for zone, month in zip((None, "Europe/Berlin"), months, strict=True):
        if month:
            assert by_month(inspect("csv", place, time_zone=zone).tables["sales"]) == {month: 5}
        else:
            with pytest.raises(UserError, match="line 2, column 'order_date': .* is not a date"):
                inspect("csv", place, time_zone=zone)


# --- Parquet


def parquet_of(folder: Path, days: pa.Array) -> Path:
    """Write the facts of the source sample with these days of sales."""
    names = {name: pa.array(["N"]) for name in ("region", "product_category", "product")}
    one = {name: pa.array([1.0]) for name in ("quantity_on_hand", "unit_cost", "cost_amount", "quantity", "amount")}
    day, n = pa.array([pd.Timestamp("2024-03-31").date()]), len(days)
    amounts = pa.array([float(amount) for _, amount in MOMENTS])
    many = {name: pa.array(["N"] * n) for name in names} | {
        name: pa.array([1.0] * n) for name in ("cost_amount", "quantity")
    }
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table({"order_date": days, "net_amount": amounts, **many}), folder / "sales.parquet")
    stock = {name: one[name] for name in ("quantity_on_hand", "unit_cost")}
    pq.write_table(pa.table({"snapshot_date": day, **stock, **names}), folder / "inventory.parquet")
    pq.write_table(
        pa.table({"expense_date": day, "amount": one["amount"], "region": names["region"]}), folder / "expenses.parquet"
    )
    return folder


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_moments_in_parquet_need_a_time_zone(tmp_path, unit):
    moments = [moment for moment, _ in LOCAL]
    place = parquet_of(tmp_path, pa.array(moments, pa.timestamp(unit, "UTC")))
    with pytest.raises(UserError, match=r"sales\.parquet, column order_date: moments without a clock.*Set time_zone"):
        inspect("sample", place)
    table = inspect("sample", place, time_zone="Europe/Berlin").tables["sales"]
    assert f"{table.first_date} {table.last_date} {table.total}" == "2024-03-31 2024-11-30 144.0000"
    place = parquet_of(tmp_path, pa.array([moment.tz_localize(None) for moment in moments], pa.timestamp(unit)))
    table = inspect("sample", place).tables["sales"]
    assert f"{table.first_date} {table.last_date}" == "2024-03-31 2024-11-30"


# --- every machine


def test_how_facts_are_read_is_part_of_what_they_are(tmp_path, root):
    for name in ("dbt", "src", "requirements.lock"):
        (tmp_path / name).symlink_to(root / name)
    place = Workspace(tmp_path, "acme", "csv", str(company(tmp_path / "facts", sales=ZONED["Z"])))
    settings = params.resolve(root, "acme", "sales")
    changes = [{}, {"time_zone": "Europe/Berlin"}, {"time_zone": "UTC"}, {"decimal_mark": ","}, {"date_format": "%Y"}]
    stamps = [building.data_stamp(place, {**settings, **change}) for change in changes]
    assert len(set(stamps)) == len(changes) and building.data_stamp(place, settings) == stamps[0]


CODE = """
import json, sys
from forecasting.facts import inspect
from read_facts import by_month
for zone in (None, "Europe/Berlin"):
    table = inspect("csv", sys.argv[1], time_zone=zone).tables["sales"]
    print(json.dumps([by_month(table), str(table.first_date), str(table.last_date)], default=str, sort_keys=True))
table = inspect("sample", sys.argv[2], time_zone="Europe/Berlin").tables["sales"]
print(table.first_date, table.last_date)
"""


def test_the_time_zone_of_the_machine_changes_nothing(tmp_path, root):
    place = company(tmp_path / "csv", sales=ZONED["New York"])
    parquet = parquet_of(tmp_path / "parquet", pa.array([moment for moment, _ in LOCAL], pa.timestamp("us", "UTC")))
    said = set()
    for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
        env = {**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root / "tests")])}
        done = subprocess.run([sys.executable, "-c", CODE, place, parquet], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.add(done.stdout)
    (text,) = said
    assert json.loads(text.splitlines()[1])[0] == {month: f"{y:.4f}" for month, y in BERLIN.items()}
    assert text.splitlines()[2] == "2024-03-31 2024-11-30"


def sales_by_month(source: str, place: Path, scratch: Path, root: Path, machine: str) -> dict[str, Decimal]:
    """Let dbt select the sales of a source on a machine in some time zone, and return them by month."""
    scratch.mkdir(exist_ok=True)
    variables = json.dumps({**inspect(source, place, time_zone="Europe/Berlin").dbt_vars(), "as_of": None})
    where = [word for name in ("project", "profiles") for word in (f"--{name}-dir", str(root / "dbt"))]
    where += [word for name in ("target", "log") for word in (f"--{name}-path", str(scratch))]
    command = ["--quiet", "run", "--select", "+stg_sales", "--vars", variables, *where]
    warehouse = str(scratch / "warehouse.duckdb")
    done = run_dbt(command, root, scratch / "said", FORECASTING_WAREHOUSE=warehouse, TZ=machine)
    assert done.returncode == 0, done.stdout
    with duckdb.connect(warehouse, read_only=True) as connection:
        connection.execute("set TimeZone = 'Europe/Berlin'")  # as dbt does: the rows are a view on the files
        grouped = "select strftime(order_date, '%Y-%m'), sum(net_amount) from stg_sales group by 1"
        return dict(connection.execute(grouped).fetchall())


@pytest.mark.parametrize("source", ["csv", "sample"])
def test_dbt_reads_the_same_days_and_only_these_files(tmp_path, root, source):
    """The folder's name is a pattern that means its neighbour too, and a Hive partition, and is quoted in SQL and Jinja."""
    name, neighbour = "region=N*[1]?' {{ {n}", "region=NN11' {{ {n}"
    days = pa.array([moment for moment, _ in LOCAL], pa.timestamp("us", "UTC"))
    for folder in (name, neighbour):
        text = ZONED["Postgres"] if folder == name else ZONED["Postgres"].replace(",", ",1")
        company(tmp_path / folder, sales=text)
        parquet_of(tmp_path / folder, days)
    assert sales_by_month(source, tmp_path / name, tmp_path / "scratch", root, "America/Los_Angeles") == BERLIN
