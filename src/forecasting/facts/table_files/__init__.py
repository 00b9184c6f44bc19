"""Any file of a table as text: CSV, TSV, Excel (.xlsx .xls .xlsb .ods), Parquet, also in .gz and .zip. Nothing is read as a number here.

    table = read_table_file(connection, path, stated)      # stated: what a mapping says of the dialect, a plain dict

`table.relation` is a DuckDB temp table: line (where the row starts in the file, as an editor or Excel counts; of Parquet the row's
number), c1, c2 … (the cell as written, untrimmed; null where empty). `<relation>_bad` has line, text, reason of each row that does not
fit. `names` has a name per column, blanks collapsed and made unique. `typed` says of c1 … which came as numbers or dates in every cell:
their text is plain ('1234.5', '2024-01-31', '2024-01-31 13:05:00'). `left_out` has what is no fact: titles above, totals, notes, blank
rows. Always: rows of the file = n_rows + n_bad + the rows of left_out (and of the header). `evidence` says why, in sentences.

One table of a workbook is read at a time: `sheets_with_cells` names the sheets, `stated` the one that is meant. A row of one cell between
rows stays in the relation, as it may be a heading ('North', 'NOT ADJUSTED'). `Limits` bound what is unpacked and held.

`table.dialect.to_dict()` goes into a mapping, and comes back as `stated`. Where the file leaves a choice open, Undecided is raised:
a UserError with `key` (of the dialect) and `choices` (value → what speaks for it), for whoever can ask.
"""

from forecasting.facts.table_files.reading import read_table_file
from forecasting.facts.table_files.shapes import Dialect, LeftOut, Limits, RawTable, Undecided
from forecasting.facts.table_files.workbook import sheet_rows, sheets_with_cells

__all__ = [
    "Dialect",
    "LeftOut",
    "Limits",
    "RawTable",
    "Undecided",
    "read_table_file",
    "sheet_rows",
    "sheets_with_cells",
]
