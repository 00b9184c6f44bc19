"""What is published and what is read of it: the only room that opens a database.

In: the finished runs of a workspace. Out: rows that are only added to the ledger in `warehouse.duckdb`, and `published.duckdb`, which
everybody else reads through `Published` and `Domain`.
"""

from forecasting.ledger.database import connect, locked_message, query, require_writable
from forecasting.ledger.domain import RANGE, Domain, at, load_domain, load_domains, one_per_name
from forecasting.ledger.published import ONE_AT_A_TIME, NothingPublished, Published, PublishedRun, Unknown
from forecasting.ledger.publishing import publish

__all__ = [
    "ONE_AT_A_TIME",
    "RANGE",
    "Domain",
    "NothingPublished",
    "Published",
    "PublishedRun",
    "Unknown",
    "at",
    "connect",
    "load_domain",
    "load_domains",
    "locked_message",
    "one_per_name",
    "publish",
    "query",
    "require_writable",
]
