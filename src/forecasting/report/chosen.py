"""What follows the choice in a domain's trend: the key figures and the table of the next months, for every part that can be chosen."""

from dataclasses import replace

import pandas as pd

from forecasting.ledger import Domain, one_per_name
from forecasting.report import kpi
from forecasting.report.html import Chart
from forecasting.report.next_months import month_rows, next_id


def followed(domain: Domain, chart: Chart) -> Chart:
    """Return the trend with what follows its choice: the key figures, and the table of the next months."""
    groups = grouped(domain)
    parts = [of_part(domain, groups, (region, category)) for region, category, *_ in chart.choices]
    choices = [[*choice, *month_rows(part)] for choice, part in zip(chart.choices, parts, strict=True)]
    tiles = [[list(each) for each in kpi.texts(part)] for part in parts]
    return replace(chart, choices=choices, table=next_id(domain), tiles=(kpi.tiles_id(domain), tiles))


def grouped(domain: Domain) -> dict[str, dict[tuple, pd.DataFrame]]:
    """Return actuals, past and future of a domain by (region, category)."""
    rows = {name: one_per_name(domain.shown(getattr(domain, name))) for name in ("actuals", "past", "future")}
    return {name: dict(iter(one.groupby(["region", "product_category"]))) for name, one in rows.items()}


def of_part(domain: Domain, groups: dict[str, dict[tuple, pd.DataFrame]], name: tuple[str, str]) -> Domain:
    """Return a domain that is one part of this one, as if it were the total: what is said of a total can be said of it."""
    rows = {
        each: found.get(name, getattr(domain, each).iloc[:0]).assign(aggregation="total")
        for each, found in groups.items()
    }
    return replace(domain, **rows)
