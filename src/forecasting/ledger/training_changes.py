"""The training set of every run that was published, kept as what changed from one run to the next, to the last bit."""

from pathlib import Path

import duckdb
import pandas as pd

from forecasting.contracts import TRAIN_COLUMNS
from forecasting.ledger.database import parquet

ROUNDING = 1e-9  # of the value: what differs by less is the same number
# The training set of a run, or where $run_id is null what is known now. Runs follow one another as they were published first.
KNOWN = f"""
    select {", ".join(TRAIN_COLUMNS)} from (
        select changes.* from training_changes as changes inner join runs using (run_id)
        where changes.domain = $domain
            and ($run_id is null or runs.published_at <= (select published_at from runs where run_id = $run_id))
        qualify row_number() over (partition by unique_id, ds order by runs.published_at desc) = 1
    ) where y is not null order by unique_id, ds
"""


def add_changes(connection: duckdb.DuckDBPyConnection, run_id: str, domain: str, train: Path) -> None:
    """Note where a training set differs from what the ledger knows: new and other months, and those that are gone (y is null).

    `train` is the Parquet file of the set. It is called before the run itself is added.
    """
    connection.execute(
        f"""
        insert into training_changes by name
        with known as ({KNOWN}),
        found as (select {", ".join(TRAIN_COLUMNS)} from (select * replace (ds::date as ds) from {parquet(train)})),
        changed as (select * from found except select * from known),
        gone as (
            select * replace (null::double as y) from known anti join found on known.unique_id = found.unique_id and known.ds = found.ds
        )
        select $new as run_id, $domain as domain, * from (select * from changed union all select * from gone)
        """,
        {"domain": domain, "run_id": None, "new": run_id},
    )


def known_by(connection: duckdb.DuckDBPyConnection, run_id: str, domain: str) -> pd.DataFrame:
    """Return the training set of a run (TRAIN_COLUMNS); no rows where it is of before the ledger kept it."""
    rows = connection.execute(KNOWN, {"domain": domain, "run_id": run_id}).df()
    return rows.assign(ds=rows["ds"].astype("datetime64[ns]"))
