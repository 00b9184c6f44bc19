"""What is published and what is read of it: the only room that opens a database.

In: the finished runs of a workspace. Out: rows that are only added to the ledger in `warehouse.duckdb`, and `published.duckdb`, which
everybody else reads by asking `Published`.
"""

from forecasting.ledger.as_published import AsPublished, accuracy_as_published
from forecasting.ledger.backfilling import (
    BackfilledMonth,
    CountedRun,
    add_backfill,
    counted_months,
    counted_runs,
    noted_actuals,
    publish_backfill,
    run_ids,
)
from forecasting.ledger.comparisons import LATE_MONTHS
from forecasting.ledger.database import connect, locked_message, require_writable
from forecasting.ledger.delivery import publish_to
from forecasting.ledger.domain import RANGE, Domain, at, one_per_name
from forecasting.ledger.every_series import EverySeries
from forecasting.ledger.export import write_tables
from forecasting.ledger.finished_run import package_versions
from forecasting.ledger.in_sight import FEW, SHOWN, InSight
from forecasting.ledger.known_before import known_before
from forecasting.ledger.made import Noted
from forecasting.ledger.override_entry import add_overrides
from forecasting.ledger.overrides import WITHDRAWAL, Said, changes, overridden, standing
from forecasting.ledger.published import Published, PublishedRun
from forecasting.ledger.publishing import publish
from forecasting.ledger.reader import NothingPublished, Unknown, Unreadable, require_known
from forecasting.ledger.sign_policy import run_bounds_cut, run_points_cut
from forecasting.ledger.snapshot import standing_still

__all__ = [
    "FEW", "LATE_MONTHS", "RANGE", "SHOWN", "WITHDRAWAL", "AsPublished", "BackfilledMonth", "CountedRun", "Domain", "EverySeries",
    "InSight", "Noted", "NothingPublished", "Published", "PublishedRun", "Said", "Unknown", "Unreadable", "accuracy_as_published",
    "add_backfill", "add_overrides", "at", "changes", "connect", "counted_months", "counted_runs", "known_before",
    "locked_message", "noted_actuals", "one_per_name", "overridden", "package_versions", "publish", "publish_backfill",
    "publish_to", "require_known", "require_writable", "run_bounds_cut", "run_ids", "run_points_cut", "standing",
    "standing_still", "write_tables",
]  # fmt: skip
