"""Puts rows of text into DuckDB's temp tables, and takes out of them what is no fact: blank rows, totals, notes, repeated headers."""

from collections.abc import Iterable, Iterator
from itertools import count, islice

import duckdb
import pyarrow as pa

from forecasting.facts.table_files.shapes import LeftOut, Notes

NUMBERS = count(1)
BATCH = 50_000  # rows
Row = tuple  # line, text, reason, c1, c2 …; text and reason are null of a good one


def new_name() -> str:
    """Return a name for a relation that no other has."""
    return f"raw_{next(NUMBERS)}"


def batches(rows: Iterable[Row], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield rows as Arrow has them."""
    rows = iter(rows)
    while part := list(islice(rows, BATCH)):
        columns = zip(*part, strict=True)
        yield pa.record_batch([pa.array(cells, one.type) for cells, one in zip(columns, schema, strict=True)], schema)


def store(connection: duckdb.DuckDBPyConnection, relation: str, width: int, rows: Iterable[Row]) -> None:
    """Add rows to a relation and, those with a reason, to `<relation>_bad`, which are made where they are not there; no cell is ''."""
    names = [f"c{number}" for number in range(1, width + 1)]
    fixed = [("line", pa.int64()), ("text", pa.string()), ("reason", pa.string())]
    schema = pa.schema([*fixed, *((name, pa.string()) for name in names)])
    staged, listed = f"{relation}_staged", ", ".join(f"{name} varchar" for name in names)
    connection.register("rows_of_a_file", pa.RecordBatchReader.from_batches(schema, batches(rows, schema)))
    connection.execute(f"create temp table {staged} as select * from rows_of_a_file")
    connection.unregister("rows_of_a_file")
    connection.execute(f"create temp table if not exists {relation} (line bigint, {listed})")
    connection.execute(f"create temp table if not exists {relation}_bad (line bigint, text varchar, reason varchar)")
    cells = "".join(f", nullif({name}, '')" for name in names)
    connection.execute(f"insert into {relation} select line{cells} from {staged} where reason is null order by line")
    connection.execute(
        f"insert into {relation}_bad select line, text, reason from {staged} where reason is not null order by line"
    )
    connection.execute(f"drop table {staged}")


def take_out(connection: duckdb.DuckDBPyConnection, relation: str, condition: str, reason: str, notes: Notes) -> int:
    """Move the rows that meet a condition from a relation to what was left out; return how many."""
    cells = ", ".join(column_names(connection, relation))
    found = connection.execute(
        f"select line, concat_ws(' | ', {cells}) from {relation} where {condition} order by line"
    ).fetchall()
    notes.left_out += [LeftOut(line, text, reason) for line, text in found]
    if found:
        connection.execute(f"delete from {relation} where {condition}")
    return len(found)


def column_names(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """Return the names of a relation's columns without `line`."""
    return [column for column, *_ in connection.execute(f"select * exclude line from {relation} limit 0").description]


def rows_in(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    """Return the number of a relation's rows."""
    return connection.execute(f"select count(*) from {relation}").fetchone()[0]


def drop_empty_columns(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    names: tuple[str, ...],
    named: list[bool],
    typed: dict[str, str],
    notes: Notes,
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Drop the columns without a name and without a cell, number the others anew, and return their names and which are typed."""
    places = [at for at, has_name in enumerate(named) if not has_name]
    if not places:
        return names, typed
    counts = connection.execute(f"select {', '.join(f'count(c{at + 1})' for at in places)} from {relation}").fetchone()
    empty = {at for at, n in zip(places, counts, strict=True) if n == 0}
    if len(empty) == len(names) or not empty:
        return names, typed
    kept = [at for at in range(len(names)) if at not in empty]
    cells = ", ".join(f"c{old + 1} as c{new}" for new, old in enumerate(kept, start=1))
    connection.execute(f"create or replace temp table {relation} as select line, {cells} from {relation} order by line")
    notes.evidence.append(f"{len(empty)} of {len(names)} columns have no name and no cells: left out.")
    renamed = {f"c{new}": typed[f"c{old + 1}"] for new, old in enumerate(kept, start=1) if f"c{old + 1}" in typed}
    return tuple(names[at] for at in kept), renamed
