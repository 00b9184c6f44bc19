"""What if: the published forecast that assumptions are laid over, the controls for them, and the table of what follows."""

from dataclasses import replace

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from forecasting.contracts import EXPENSES
from forecasting.dashboard.source import Workspace
from forecasting.dashboard.tables import styled
from forecasting.ledger import Domain
from forecasting.planning import Assumptions, Baseline, Scenario, baseline_of, compared, written
from forecasting.wording import month

NO_PROMOTION = "none"
HELP = {
    "volume": "How much more is sold, at the forecast's prices.",
    "price": "How much higher prices are. A change of price goes into profit in full.",
    "elasticity": "By how many % the volume changes for each % of price. At 0 no customer minds, at −1 sales stay the same.",
    "promotion": "The month in which there is a promotion.",
    "uplift": "How much more is sold in that month.",
    "discount": "How much lower prices are in that month.",
    "pull_forward": "The part of the uplift that is missing in the month after.",
    "margin": "What is left of an additional sale: profit before expenses ÷ sales.",
}


def forecast_of(workspace: Workspace, region: str, category: str) -> Baseline:
    """Return the published forecast of sales of a region and category, with profit where that was published."""
    profit = profit_of(workspace, region, category) if "profit" in workspace.domains() else None
    return baseline_of(workspace.part("sales", region, category), profit, region, category)


def profit_of(workspace: Workspace, region: str, category: str) -> Domain:
    """Return profit with what is known of a region and category, and of the region's expenses."""
    found = workspace.part("profit", region, category)
    if not found.in_sight:  # all of it was read
        return found
    spent = workspace.part("profit", region, EXPENSES)
    return replace(found, actuals=pd.concat([found.actuals, spent.actuals], ignore_index=True))


def assumptions(baseline: Baseline) -> tuple[Assumptions, float | None]:
    """Show a control for each assumption, and return them with the margin; None where no costs are known."""
    left, right = st.columns(2)
    with left:
        volume, price = percentage("volume", "Volume, %", -50, 50), percentage("price", "Price, %", -50, 50)
        elasticity = st.slider("Price elasticity", -5.0, 0.0, 0.0, 0.1, "%.1f", "if elasticity", HELP["elasticity"])
        margin = None if baseline.margin is None else own_margin(baseline)
    with right:
        promotion = promotion_month(baseline)
        none = promotion is None
        uplift = percentage("uplift", "Its uplift, %", 0, 200, none)
        discount = percentage("discount", "Its discount, %", 0, 90, none)
        pull_forward = percentage("pull_forward", "Pulled forward, %", 0, 100, none)
    return Assumptions(volume, price, elasticity, promotion, uplift, discount, pull_forward), margin


def percentage(name: str, label: str, low: int, high: int, disabled: bool = False) -> float:
    """Let a percentage be chosen, 0 at first, and return it as a share."""
    return st.slider(label, low, high, 0, help=HELP[name], key=f"if {name}", disabled=disabled) / 100


def promotion_month(baseline: Baseline) -> str | None:
    """Let a month of the forecast be chosen, '2025-08'; None where there is to be no promotion."""
    names = {NO_PROMOTION: NO_PROMOTION} | {key: month(f"{key}-01") for key in baseline.months}
    key = f"if promotion from {baseline.months[0]}"  # other months are another choice
    chosen = st.selectbox("Promotion in", list(names), format_func=names.get, help=HELP["promotion"], key=key)
    return None if chosen == NO_PROMOTION else chosen


def own_margin(baseline: Baseline) -> float:
    """Let the margin be changed; that of the last twelve months at first."""
    known = round(100 * baseline.margin, 1)
    key = f"if margin {baseline.region} {baseline.category} {known}"
    low, high = min(-100.0, known), max(100.0, known)
    return st.slider("Margin of sales, %", low, high, known, 0.1, "%.1f", key, HELP["margin"]) / 100


def download(baseline: Baseline, scenario: Scenario) -> pd.DataFrame:
    """Return the months of a scenario for a file, each with what it is about."""
    about = {"region": baseline.region, "product_category": baseline.category, "unit": baseline.unit}
    return scenario.rows.rename(columns={"baseline": "forecast", "profit_baseline": "profit_forecast"}).assign(**about)


def scenario_table(scenario: Scenario) -> Styler:
    """Return forecast and scenario as a table: one row per month, then the total."""
    rows = compared(scenario)
    return styled(rows, {"Month": str} | written(rows), {name: name for name in rows})
