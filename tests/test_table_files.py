"""Any file of a table becomes the same text: however it is written, packed or framed, cell by cell, with the lines where rows start."""

import gzip
import zipfile
from pathlib import Path

import pytest

from forecasting.facts.table_files import RawTable, Undecided, read_table_file
from forecasting.facts.tables import connect

SHARED = Path(__file__).parents[2] / "shared/data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not beside this checkout")
ROWS = "Date,Region,Amount\n2024-01-31,North,1.5\n2024-02-29,South,2\n"


def read(path: Path, content: str | bytes | None = None, **stated: object) -> tuple[RawTable, list[tuple], list[tuple]]:
    """Read a file, written first where there is content; return the table, its rows and the bad ones."""
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    connection = connect()
    table = read_table_file(connection, path, stated)
    rows = connection.execute(f"select * from {table.relation} order by line").fetchall()
    assert len(rows) == table.n_rows
    return table, rows, connection.execute(f"select * from {table.relation}_bad order by line").fetchall()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_plain_text_is_read_with_its_lines(tmp_path: Path, delimiter: str) -> None:
    """Whatever sign stands between the cells."""
    table, rows, bad = read(tmp_path / "a.csv", ROWS.replace(",", delimiter))
    assert table.dialect.delimiter == delimiter
    assert table.names == ("Date", "Region", "Amount")
    assert rows == [(2, "2024-01-31", "North", "1.5"), (3, "2024-02-29", "South", "2")] and not bad


def test_packed_files_are_read(tmp_path: Path) -> None:
    """Of a .zip with several files one is asked for."""
    packed = tmp_path / "a.csv.gz"
    assert read(packed, gzip.compress(ROWS.encode()))[0].n_rows == 2
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one.csv", ROWS)
        archive.writestr("two.csv", ROWS)
    with pytest.raises(Undecided) as asked:
        read(tmp_path / "a.zip")
    assert asked.value.key == "member" and list(asked.value.choices) == ["one.csv", "two.csv"]
    assert read(tmp_path / "a.zip", member="two.csv")[0].dialect.member == "two.csv"


def test_rows_that_do_not_fit_are_kept_apart(tmp_path: Path) -> None:
    """With the line, the text and the reason; the rows around them are read."""
    _, rows, bad = read(tmp_path / "a.csv", ROWS + "2024-03-31,West\n2024-04-30,East,4\n")
    assert [row[0] for row in rows] == [2, 3, 5]
    assert bad == [(4, "2024-03-31,West", "2 cells where the table has 3 columns")]


def test_line_breaks_in_cells_count_as_lines(tmp_path: Path) -> None:
    """So that the line is the one that an editor shows."""
    _, rows, _ = read(tmp_path / "a.csv", 'Date,Note,Amount\n2024-01-31,"a\nb",1\n2024-02-29,c,2\n')
    assert rows == [(2, "2024-01-31", "a\nb", "1"), (4, "2024-02-29", "c", "2")]


@needs_shared
@pytest.mark.parametrize(
    ("name", "n_rows", "n_columns"),
    [
        ("superstore_us_mdy.csv.gz", 9994, 21),
        ("us_regional_sales_A_iso.csv.gz", 7991, 16),
        ("us_regional_sales_B_dmy_dollar_thousands.csv.gz", 7991, 16),
        ("uci_online_retail_ii_2009_2010.parquet", 525461, 8),
    ],
)
def test_real_files_are_read_whole(name: str, n_rows: int, n_columns: int) -> None:
    """Each row, and each column."""
    table = read_table_file(connect(), SHARED / "messy" / name)
    assert (table.n_rows, table.n_bad, len(table.names)) == (n_rows, 0, n_columns)
