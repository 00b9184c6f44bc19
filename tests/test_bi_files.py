"""`make export`: every published table in files that hold its rows, and no formula."""

import datetime as dt
import random

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.errors import UserError
from forecasting.ledger.tables import FOR_BI
from forecasting.site import export
from forecasting.wording.spreadsheets import STARTS
from published_rows import any_rows, shapes, write

AT = dt.datetime(2024, 1, 10, 12)


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_every_table_is_there_as_it_was_published(seed, tmp_path):
    """Parquet to the bit; CSV with the same values, but for an apostrophe before what a spreadsheet would compute."""
    published, folder = (
        write(tmp_path / "published.duckdb", any_rows(random.Random(seed), 6), AT),
        tmp_path / "it's a folder" / "bi",
    )
    assert export(published, folder) == len(FOR_BI) + 1
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{kind}" for name in (*FOR_BI, "publications") for kind in ("csv", "parquet")
    }
    for name in FOR_BI:
        with duckdb.connect(str(published), read_only=True) as connection:
            path = str(folder / f"{name}.parquet").replace("'", "''")
            rows = connection.execute(f'from "{name}"').fetchall()
            assert repr(connection.execute(f"from '{path}'").fetchall()) == repr(rows)
        content = (folder / f"{name}.csv").read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        found = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
        assert list(found) == list(shapes()[name][0]) and len(found) == len(rows)
        for (column, kind), *cells in zip(shapes()[name][0].items(), *rows, strict=True):
            if kind == "varchar":
                assert [read.removeprefix("'") for read in found[column]] == [
                    (cell or "").removeprefix("'") for cell in cells
                ]
                assert not any(read.startswith(tuple(STARTS)) for read in found[column])
            elif kind == "double":
                assert repr([float(read or "nan") for read in found[column]]) == repr(
                    [float("nan") if c is None else c for c in cells]
                )


def test_what_was_there_goes_and_what_fails_leaves_it(tmp_path):
    folder = tmp_path / "bi"
    export(write(tmp_path / "published.duckdb", any_rows(random.Random(1)), AT), folder)
    (folder / "old.csv").write_text("old")
    export(tmp_path / "published.duckdb", folder)
    held = sorted(path.name for path in folder.iterdir())
    assert "old.csv" not in held and "PredSales1m.parquet" in held
    with pytest.raises(UserError, match="Nothing has been published yet"):
        export(tmp_path / "none.duckdb", folder)
    (tmp_path / "damaged.duckdb").write_bytes(b"no database at all")
    with pytest.raises(UserError, match="cannot be opened as a DuckDB database"):
        export(tmp_path / "damaged.duckdb", folder)
    assert sorted(path.name for path in folder.iterdir()) == held and [path.name for path in tmp_path.glob("bi*")] == [
        "bi"
    ]
