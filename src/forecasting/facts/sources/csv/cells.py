"""The cells of one CSV as text, under the names of the contract, and the place of each."""

from dataclasses import dataclass

import duckdb

from forecasting.errors import UserError
from forecasting.facts.sources.csv.file import CsvFile
from forecasting.facts.tables import TableSpec, quoted, spec_of


@dataclass(frozen=True)
class Cells:
    """The table `cells`: a row per fact with its number n and, under the contract's names, the columns as text."""

    connection: duckdb.DuckDBPyConnection
    file: CsvFile
    table: str
    columns: dict[str, str]
    groups: tuple[str, ...] = ()

    @property
    def spec(self) -> TableSpec:
        """What the contract asks of the table, and `groups`, columns that `levels:` groups series by."""
        return spec_of(self.table, self.groups)

    def query(self, sql: str) -> tuple:
        """Run a query and return its first row."""
        return self.connection.execute(sql).fetchone() or ()

    def place(self, column: str, row: int) -> str:
        """Return 'file, line, column' of a row."""
        header = self.columns[column]
        called = f"'{header}'" + (f" ({column})" if header != column else "")
        return f"{self.file.name}, line {self.file.line_of(row)}, column {called}"

    def fail_at_first(self, column: str, condition: str, problem: str) -> None:
        """Raise a UserError at the first row that meets the condition; it counts the others."""
        n, row = self.query(f"select count(*), min(n) from cells where {condition}")
        if not n:
            return
        (cell,) = self.query(f"select {column} from cells where n = {row}")
        said = "the cell is empty" if cell is None else f"'{cell}' is"
        more = f" ({n - 1:,} more like it)" if n > 1 else ""
        raise UserError(f"{self.place(column, row)}: {said}{problem}{more}")


def load(cells: Cells) -> int:
    """Read the file into the table `cells`, trimmed, empty cells as nulls; return the number of rows."""
    file = cells.file
    texts = ", ".join(f"nullif(trim({quoted(header)}), '') as {column}" for column, header in cells.columns.items())
    numbered = f"select row_number() over () as n, {texts} from {file.location}"
    file.query(cells.connection, f"create temp table cells as {numbered}")
    (n_rows,) = cells.query("select count(*) from cells")
    if not n_rows:
        raise UserError(
            file.what_is_wrong()
            or f"{file.name} is an empty table: it names columns but has no rows. Add a line per fact."
        )
    return n_rows
