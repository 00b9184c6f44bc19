"""The form with which a planner overrides a forecast, and the tables beside it."""

from pathlib import Path

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from forecasting.contracts import ALL
from forecasting.dashboard.finding import region_and_category
from forecasting.dashboard.source import Workspace
from forecasting.dashboard.tables import styled
from forecasting.ledger import Domain, Published, standing
from forecasting.wording import decimals_for, month, number, override_amount, override_months

VALUE, PERCENT = "A value", "A percentage"
SHOWN = {
    "override_id": "ID", "unique_id": "Region and category", "when": "Months", "wanted": "Override", "who": "Who", "why": "Why",
    "made_at": "Made (UTC)", "applied": "Applied",
}  # fmt: skip
MOST = 500  # rows of what would change that are shown


def cells(workspace: Workspace, domain: Domain) -> dict[str, str]:
    """Show the fields of the form and return what is in them, as a row of a CSV has it."""
    first, second, third = st.columns(3)
    region, category = region_and_category(workspace, domain, first, second, "override ")
    months = sorted(domain.future["ds"].unique())
    span = third.select_slider(
        "Months",
        months,
        (months[0], months[0]),
        lambda ds: month(ds, short=True),
        key=f"override months {domain.name} {months[0]}",
    )
    kind = first.segmented_control("What you give", [VALUE, PERCENT], default=VALUE, key="override kind", required=True)
    unit = f" in {domain.unit}" if domain.unit else ""
    label = f"Your value{unit}, each month" if kind == VALUE else "Your %: 10 is up, −10 down"
    amount = second.text_input(label, key=f"override {kind}")
    who = first.text_input("Who", key="override who")
    why = second.text_input("Why", key="override why")
    return {
        "domain": domain.name, "region": region, "product_category": category, "month": f"{span[0]:%Y-%m}", "until": f"{span[1]:%Y-%m}",
        ("value" if kind == VALUE else "percent"): amount, "who": who, "why": why, "run_id": domain.manifest.run_id,
    }  # fmt: skip


def before_and_after(found: pd.DataFrame) -> Styler:
    """Return what would change as a table: one row per series or sum and month."""
    decimals = decimals_for(found["forecast"])
    names = {
        "unique_id": "Region and category",
        "ds": "Month",
        "forecast": "Forecast",
        "now": "In force",
        "then": "With yours",
    }
    formats = dict.fromkeys(("forecast", "now", "then"), lambda value: number(value, decimals))
    formats |= {"ds": lambda ds: month(ds, short=True)}
    return styled(found[list(names)].head(MOST), formats, names)


def in_force(data: Path, domain: Domain) -> pd.DataFrame:
    """Return the overrides of a domain that stand, the last one first, with words on what each is; empty where there is none."""
    published = Published(data / "published.duckdb")
    rows = standing(published.overrides())
    rows = rows[rows["domain"] == domain.name].iloc[::-1]
    lost = published.not_applied(domain.manifest.run_id)
    first = domain.future["ds"].min()
    return rows.assign(
        when=[override_months(row.first_month, row.until) for row in rows.itertuples()],
        wanted=[override_amount(row.kind, row.amount) for row in rows.itertuples()],
        applied=[lost.get(row.override_id) or ("over" if row.until < first else "yes") for row in rows.itertuples()],
        made_at=rows["made_at"].dt.strftime("%Y-%m-%d %H:%M"),
    )[list(SHOWN)].rename(columns=SHOWN)  # fmt: skip


def whole(region: str, category: str) -> str:
    """Say what an override is split over, «» for a single series."""
    if ALL not in (region, category):
        return ""
    return "It is split over the series of this sum in proportion to their forecasts."
