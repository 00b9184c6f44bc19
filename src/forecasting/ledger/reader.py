"""How the published database is read: from a copy that nobody can lock (`private_copy`), a new one after the file was replaced."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from forecasting.errors import UserError
from forecasting.ledger import private_copy

# What dbt's model of that name says.
COUNTED_FORECASTS = """
    create temp view counted_forecasts as
    select runs.domain, runs.cutoff, arg_max(runs.run_id, p.published_at) as run_id, max(p.published_at) as published_at
    from runs inner join publications as p on runs.run_id = p.run_id group by runs.domain, runs.cutoff
"""


# What a file lacks that an older version of the project published, and what stands for it until it is published again.
STANDS_FOR = {
    "counted_forecasts": COUNTED_FORECASTS,
    "counted_backfills": """
        create temp table counted_backfills (domain varchar, cutoff date, run_id varchar, filled_at timestamp)
    """,
    "restatements": """
        create temp table restatements (
            run_id varchar, domain varchar, unique_id varchar, region varchar, product_category varchar, ds date,
            y_before double, y double
        )
    """,
    "verdicts": """
        create temp table verdicts (
            run_id varchar, domain varchar, cutoff date, verdict varchar, reasons varchar, measures varchar, limits varchar,
            judged_at timestamp
        )
    """,
    "training_changes": """
        create temp table training_changes (
            run_id varchar, domain varchar, unique_id varchar, ds date, y double, region varchar, product_category varchar,
            is_imputed boolean
        )
    """,
    "restated_forecasts": """
        create temp table restated_forecasts (
            run_id varchar, domain varchar, aggregation varchar, unique_id varchar, region varchar, product_category varchar, cutoff date,
            horizon integer, ds date, predicted_value double, known_by varchar
        )
    """,
    "counted_overrides": """
        create temp table counted_overrides (
            run_id varchar, revision integer, domain varchar, aggregation varchar, unique_id varchar, region varchar,
            product_category varchar, cutoff date, horizon integer, ds date, model_name varchar, predicted_value double, lo_80 double,
            hi_80 double, lo_95 double, hi_95 double, own_override integer, override_ids varchar, overridden_by varchar,
            override_reason varchar, made_at timestamp
        )
    """,
    "override_revisions": """
        create temp table override_revisions (
            run_id varchar, domain varchar, revision integer, applied varchar, not_applied varchar, made_at timestamp
        )
    """,
    "overrides": """
        create temp table overrides (
            override_id integer, domain varchar, aggregation varchar, unique_id varchar, region varchar, product_category varchar,
            first_month date, until date, kind varchar, amount double, who varchar, why varchar, made_at timestamp, based_on varchar,
            source varchar, withdraws integer
        )
    """,
}


class NothingPublished(UserError):
    """Nothing of a domain has been published yet, which is no fault."""


class Unknown(UserError):
    """A region, category or run that is not among those published."""


def require_known(word: str, name: str | None, names: Sequence[str]) -> None:
    """Raise an Unknown that lists the names where one, if any is given, is not among them; `word` says what they are."""
    if name is not None and name not in names:
        raise Unknown(f"There is no {word} {name!r}; there are {', '.join(names)}.")


class Unreadable(UserError):
    """The published file is damaged, or lacks what this version of the project reads."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} cannot be read: it is damaged, or an older version of the project wrote it. "
            "Publish it again with `make report`."
        )


class Reader:
    """Reads one published file; may be used by any number of threads."""

    def __init__(self, path: Path | str) -> None:
        """`path`: the file, data/<name>/published.duckdb."""
        self.path = Path(path)

    @property
    def state(self) -> tuple:
        """What changes with every publication; () where nothing has been published."""
        return private_copy.state_of(self.path) if self.path.exists() else ()

    def ask(self, sql: str, **params: Any) -> pd.DataFrame:
        """Run one statement; dates come as datetime64.

        Raises
        ------
        NothingPublished
            If the file is not there.
        Unreadable
            If it is no database, is damaged, or lacks a table or column.
        """
        if not self.path.exists():
            raise NothingPublished("Nothing has been published yet: `make report` does it.")
        try:
            copy = private_copy.opened(self.path)
            with copy.connection.cursor() as connection:
                for name, made in STANDS_FOR.items():
                    if name not in copy.tables and re.search(rf"\b{name}\b", sql):
                        connection.execute(made)
                return connection.execute(sql, params).df()
        except FileNotFoundError:  # it went away between the two looks
            raise NothingPublished("Nothing has been published yet: `make report` does it.") from None
        except duckdb.Error as error:
            private_copy.forget(self.path)
            raise Unreadable(self.path) from error
