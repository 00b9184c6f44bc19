"""What is expected on the levels that `levels:` in params/ names beside regions and categories: a table for each."""

from html import escape

import pandas as pd

from forecasting.contracts import ALL
from forecasting.ledger import Domain, Published, at
from forecasting.report.domain_page import TALL, part_row
from forecasting.report.html import note, table, tag
from forecasting.wording import amounts_in, month, number

MOST = 40  # sums of a level that are shown, the largest


def sections(published: str, domain: Domain) -> str:
    """Return the forecast on each level, one row per sum, with its 80 % range; nothing where the company names no level."""
    levels = domain.manifest.params.get("levels", {})
    if not levels:
        return ""
    rows = Published(published).forecasts_on_levels(domain.manifest.run_id)
    return "".join(by_level(domain, at(rows, level), level) for level in levels if level in set(rows["aggregation"]))


def by_level(domain: Domain, rows: pd.DataFrame, level: str) -> str:
    """Return the forecast of the largest sums of a level, in the order of their size, and the total."""
    size = rows["predicted_value"].abs().groupby(rows["unique_id"]).sum().sort_values(ascending=False, kind="stable")
    shown = {name: part for name, part in rows.groupby("unique_id", sort=False) if name in set(size.index[:MOST])}
    months, total = sorted(rows["ds"].unique()), at(domain.future, "total")
    parts = rows.loc[rows["unique_id"].isin(shown), "predicted_value"]
    amount = amounts_in(domain.unit, parts, total["predicted_value"])
    cells = [part_row(name_of(shown[name]), shown[name], months, amount) for name in size.index[:MOST]]
    cells.append(part_row("Total", total, months, amount))
    body = table(
        [level, *(month(ds, short=True) for ds in months)],
        cells,
        f"Forecast by {level}, with its 80 % range{amount.told(',')}",
        missing="no forecast",
        tall=len(cells) > TALL,
        total=True,
        sortable=True,
    )
    hidden = len(size) - MOST
    more = (
        note(f"The {MOST} largest are shown; {number(hidden)} more are in the published tables.") if hidden > 0 else ""
    )
    return tag("h3", escape(f"By {level}")) + body + more


def name_of(rows: pd.DataFrame) -> str:
    """Return the heading of a row: what the level says of regions, of categories or of both."""
    region, category = (str(rows[key].iloc[0]) for key in ("region", "product_category"))
    return " · ".join(escape(name) for name in (region, category) if name != ALL)
