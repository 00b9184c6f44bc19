"""Checks a company's own CSV files before anything is built from them: their columns, and that every cell can be read.

Errors name the file, the line, the column and the cell, and what to do. Nothing is repaired: cells are only trimmed.
"""

from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts.cells import DateStyle, NumberStyle
from forecasting.facts.cells.dates import EPOCHS
from forecasting.facts.sources.csv.cells import Cells, load
from forecasting.facts.sources.csv.columns import two_columns
from forecasting.facts.sources.csv.dates import DateError, find_style, or_error
from forecasting.facts.sources.csv.file import open_csv
from forecasting.facts.sources.csv.notes import notes_of
from forecasting.facts.sources.csv.numbers import check_numbers
from forecasting.facts.sources.csv.quotes import require_no_swallowed_lines
from forecasting.facts.stated import alike, resolve
from forecasting.facts.tables import AMOUNT, TABLES, FactTable, Reading, connect, literal, quoted


def inspect_csv(table: str, path: Path, mapping: dict[str, str], reading: Reading, alone: bool = False) -> FactTable:
    """Check one CSV of a fact table and return what it has.

    `mapping` is what the user stated, contract's name → header. `alone`: the file is all there is, so that two columns
    under any header will do: whichever has the dates is the date.
    """
    file, spec = open_csv(path), TABLES[table]
    with connect(memory=reading.memory) as connection:
        named = bool(mapping) or any(alike(name, file) for name in spec.required)
        if alone and len(file.header) == 2 and not named:
            mapping = two_columns(connection, file, reading.date_format)
        cells = Cells(connection, file, table, resolve(table, file, mapping, reading.groups), reading.groups)
        n_rows = load(cells)
        require_no_header_within(cells)
        require_filled(cells)
        numbers = check_numbers(cells, reading.decimal_mark)
        style = check_dates(cells, reading)
        styles = {**{column: decision.chosen for column, decision in numbers.items()}, spec.date: style}
        amount = spec.amount(cells.columns)
        require_no_swallowed_lines(connection, file, cells.columns[spec.date], cells.columns[amount], style)
        require_named_values(cells)
        unused = [
            name
            for given, name in zip(file.names, file.header, strict=True)
            if given and name not in cells.columns.values()
        ]
        date = style.sql("cell")
        first, last = cells.query(f"select min({date}), max({date}) from dates")
        (total,) = cells.query(f"select sum(cast({amount} as {AMOUNT})) from cells")
        return FactTable(
            table,
            file.name,
            cells.columns,
            n_rows,
            date_format=style.date_format,
            location=file.location,
            cells={column: cell_sql(cells, column, styles.get(column)) for column in cells.columns},
            notes=tuple(notes_of(cells, n_rows, styles, reading, unused)),
            columns_unused=tuple(unused),
            first_date=first,
            last_date=last,
            total=total,
            total_of=amount,
        )


def cell_sql(cells: Cells, column: str, style: DateStyle | NumberStyle | None) -> str:
    """Return the SQL by which dbt reads a column of the file, before it is cast; a text has no style."""
    header = quoted(cells.columns[column])
    cell = f"nullif(trim({header}), '')"
    if style:
        return or_error(cell, style.sql(cell), "date" if column == cells.spec.date else "number")
    return f"case when {cell} is not null then trim({header}, ' ') end"  # other blanks make another name, which is said


def require_no_header_within(cells: Cells) -> None:
    """Raise a UserError at the first row that is the header once more, as where files were put together."""
    names = dict(zip(cells.file.header, cells.file.names, strict=True))
    again = " and ".join(f"{column} = {literal(names[header])}" for column, header in cells.columns.items())
    (row,) = cells.query(f"select min(n) from cells where {again}")
    if row:
        line = cells.file.line_of(row)
        raise UserError(f"{cells.file.name}, line {line}: the names of the columns stand here again. Delete the line.")


def require_named_values(cells: Cells) -> None:
    """Raise a UserError at the first value in a column whose header is empty: part of a number, as in 10,206.65, may stand there."""
    file = cells.file
    unnamed = [header for name, header in zip(file.names, file.header, strict=True) if not name]
    unnamed = [header for header in unnamed if header not in cells.columns.values()]
    if not unnamed:
        return
    filled = f"concat({', '.join(map(quoted, unnamed))})"
    numbered = f"select row_number() over () as n, {filled} as value from {file.location}"
    (found,) = file.query(
        cells.connection, f"select min(n), min_by(value, n) from ({numbered}) where regexp_matches(value, '\\S')"
    )
    if found[0]:
        place = f"{file.name}, line {file.line_of(found[0])}: '{found[1]}' stands in a column without a name"
        raise UserError(
            f"{place} (column {file.header.index(unnamed[0]) + 1}). Name it, or put cells with a '{file.delimiter}' in quotes."
        )


def require_filled(cells: Cells) -> None:
    """Raise a UserError at the first empty cell of a required column."""
    for column in cells.spec.required:
        cells.fail_at_first(column, f"{column} is null", ". Fill it in, or delete the line.")
    offered = [column for column in cells.spec.one_of if column in cells.columns]
    filled = [f"count({column}) = count(*)" for column in offered]
    if filled and not any(cells.query(f"select {', '.join(filled)} from cells")):
        either = f". One of {' and '.join(offered)} must be filled in, in every row."
        advice = either if offered[1:] else ". Fill it in, or delete the line."
        cells.fail_at_first(offered[0], f"{offered[0]} is null", advice)


def check_dates(cells: Cells, reading: Reading) -> DateStyle:
    """Return the one style that reads every date.

    Raises
    ------
    UserError
        At a date that cannot be read, that could be read in two ways, or that lies centuries away.
    """
    column = cells.spec.date
    cells.query(f"create temp table dates as select min(n) as n, {column} as cell from cells group by {column}")
    try:
        style = find_style(cells.connection, reading.date_format, reading.time_zone)
        if style.date_format in EPOCHS and not reading.time_zone:
            raise UserError(
                f"{cells.file.name}: its dates count {style.date_format} from 1970, which is no day yet. Set time_zone in params/."
            )
    except DateError as error:
        raise UserError(f"{cells.place(column, error.row)}: '{error.text}' {error}") from None
    return style
