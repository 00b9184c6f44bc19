"""What is published and what is read of it: the only room that opens a database.

In: the finished runs of a workspace. Out: rows that are only added to the ledger in `warehouse.duckdb`, and `published.duckdb`, which
everybody else reads by asking `Published`.
"""

from forecasting.ledger.as_published import AsPublished, accuracy_as_published
from forecasting.ledger.database import connect, locked_message, require_writable
from forecasting.ledger.delivery import publish_to
from forecasting.ledger.domain import RANGE, Domain, at, one_per_name
from forecasting.ledger.export import write_tables
from forecasting.ledger.known_before import known_before
from forecasting.ledger.override_entry import add_overrides
from forecasting.ledger.overrides import WITHDRAWAL, Said, changes, overridden, standing
from forecasting.ledger.published import Published, PublishedRun
from forecasting.ledger.publishing import publish
from forecasting.ledger.reader import NothingPublished, Unknown, Unreadable, require_known
from forecasting.ledger.sign_policy import run_bounds_cut, run_points_cut

__all__ = [
    "RANGE", "WITHDRAWAL", "AsPublished", "Domain", "NothingPublished", "Published", "PublishedRun", "Said", "Unknown", "Unreadable",
    "accuracy_as_published", "add_overrides", "at", "changes", "connect", "known_before", "locked_message", "one_per_name", "overridden",
    "publish", "publish_to", "require_known", "require_writable", "run_bounds_cut", "run_points_cut", "standing", "write_tables",
]  # fmt: skip
