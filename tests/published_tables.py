"""Any question to a published file, for tests that look at its tables."""

from pathlib import Path

import pandas as pd

from forecasting.ledger import Published


def query(path: Path | str, sql: str, params: dict | None = None) -> pd.DataFrame:
    """Run one SELECT on a published file."""
    return Published(path).ask(sql, **(params or {}))
