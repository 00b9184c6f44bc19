"""Random tables, written in random dialects, are read back unchanged, cell by cell, with the lines where their rows start."""

import datetime as dt
import gzip
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.facts.table_files import read_table_file, text_table
from forecasting.facts.tables import connect

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.text(st.sampled_from("abcXYZ -.ü"), min_size=1, max_size=8).filter(lambda text: any(map(str.isalpha, text)))
ODD = st.one_of(
    WORDS, st.text(st.sampled_from("ab,;\t|\"' ü"), max_size=8), st.text(st.sampled_from('ab"\n\r x'), max_size=6)
)
ROW = st.tuples(
    st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)).map(str),
    st.one_of(ODD, st.just("")),
    st.decimals(-1000, 1000, places=2).map(str),
    st.one_of(ODD, st.just("Müller")),
)
TITLES = st.lists(st.sampled_from(["Sales report", "Printed by ACME", ""]), max_size=3)
FOOT = st.sampled_from([[], [["Total", "", "12.5", ""]], [["", "Grand total", "12.5", ""], ["Source: our own books"]]])
HEADER = ["Date", "Who, and\nwhere", "Amount", "Note"]


CONNECTION = connect()


def write_row(text: io.StringIO, cells: Sequence[str], delimiter: str, everywhere: bool, end: str) -> None:
    """Write a record, cells in quotes where they need them, or everywhere."""
    quoted = [
        '"' + cell.replace('"', '""') + '"' if everywhere or re.search(rf'[{delimiter}"\r\n]', cell) else cell
        for cell in cells
    ]
    text.write(delimiter.join(quoted) + end)


@st.composite
def written(draw: st.DrawFn) -> tuple[bytes, list[tuple], str]:
    """Return a file's bytes, its rows with their lines, and how it is packed."""
    rows = draw(st.lists(ROW, min_size=3, max_size=12))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    everywhere = draw(st.booleans())
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    text = io.StringIO(newline="")
    text.write("".join(title + end for title in draw(TITLES)))
    write_row(text, HEADER, delimiter, everywhere, end)
    found = []
    for row in rows:
        found.append((1 + len(re.findall(r"\r\n|\r|\n", text.getvalue())), *(cell or None for cell in row)))
        write_row(text, row, delimiter, everywhere, end)
    for row in draw(FOOT):
        write_row(text, row, delimiter, everywhere, end)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]))
    content = text.getvalue()
    if encoding == "cp1252":  # letters alone do not tell a code page, words do
        content = re.sub("(?<!M)ü", "u", content)
        found = [(line, *(cell and re.sub("(?<!M)ü", "u", cell) for cell in cells)) for line, *cells in found]
    return content.encode(encoding), found, draw(st.sampled_from(["", ".gz", ".zip"]))


@FEW
@given(written())
@pytest.mark.parametrize("by", ["DuckDB where it can", "record by record"])
def test_random_texts_are_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str, file: tuple[bytes, list[tuple], str]
) -> None:
    """Both ways of reading give what was written."""
    content, rows, packed = file
    path = tmp_path / f"table.csv{packed}"
    if packed == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("table.csv", content)
    else:
        path.write_bytes(gzip.compress(content) if packed else content)
    if by == "record by record":
        monkeypatch.setattr(text_table, "by_duckdb", lambda *_: None)
    table = read_table_file(CONNECTION, path)
    assert CONNECTION.execute(f"select * from {table.relation} order by line").fetchall() == rows
    assert table.n_bad == 0 and table.names == ("Date", "Who, and where", "Amount", "Note")


@FEW
@given(
    rows=st.lists(
        st.tuples(
            st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)), ODD, st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9)
        ),
        min_size=3,
        max_size=12,
    ),
    titles=TITLES,
    left=st.integers(0, 2),
)
def test_random_workbooks_are_read_back(tmp_path: Path, rows: list[tuple], titles: list[str], left: int) -> None:
    """Dates and numbers as plain text, 15 digits of them, and known to be such."""
    path = tmp_path / "table.xlsx"
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yy"}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_column(0, left, titles)
        sheet.write_row(len(titles), left, ["Date", "Who", "Units", "Amount"])
        for at, (day, who, units, amount) in enumerate(rows, start=len(titles) + 1):
            sheet.write_datetime(at, left, dt.datetime.combine(day, dt.time()))
            sheet.write_string(at, left + 1, who)
            sheet.write_number(at, left + 2, units)
            sheet.write_number(at, left + 3, amount)
    table = read_table_file(CONNECTION, path)
    found = CONNECTION.execute(f"select * from {table.relation} order by line").fetchall()
    assert table.names == ("Date", "Who", "Units", "Amount")
    assert {name: kind for name, kind in table.typed.items() if name != "c2"} == {
        "c1": "date",
        "c3": "number",
        "c4": "number",
    }
    for line, (cells, row) in enumerate(zip(found, rows, strict=True), start=len(titles) + 2):
        assert cells[0] == line and cells[1] == str(row[0]) and int(cells[3]) == row[2]
        assert (cells[2] or "").replace("\r\n", "\n").replace("\r", "\n") == row[1].replace("\r\n", "\n").replace(
            "\r", "\n"
        )
        assert float(cells[4]) == pytest.approx(row[3], rel=1e-14, abs=1e-300)
