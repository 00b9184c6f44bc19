"""The door for files of any make: `make import` reads one by a mapping, and leaves facts in the contract's names and types.

In: a file (CSV, Excel, Parquet), and `params/imports/<name>.yml`, which a proposal writes where it is not there. Out: in
`data/<name>/`, `facts/<table>/<file>.parquet`, `quarantine/<table>-<file>.csv` with the rows that could not be read, and
`imports.json`. Rows and totals in = loaded + quarantined + left out by a rule, checked each time.
"""

from forecasting.imports.command import import_file

__all__ = ["import_file"]
