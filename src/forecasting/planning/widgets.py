"""The controls of notebooks/explore/what_if.ipynb: sliders for the assumptions, and the scenario as a picture and a table."""

from functools import partial

import ipywidgets as widgets
import pandas as pd

from forecasting import plots
from forecasting.errors import UserError
from forecasting.models import model_name
from forecasting.planning.scenario import Assumptions, Baseline, Scenario, what_if
from forecasting.wording import DASH, compact, decimals_for, is_known, month, number, percent, share

NO_PROMOTION = "none"
HONEST = (
    "The changes are assumptions of whoever moves the sliders, laid over the model's forecast. Nothing about prices, promotions or "
    "volumes was learned from the data, and the forecast itself stays uncertain: 80 % of the months are expected in the shaded range."
).replace(" %", "\N{NO-BREAK SPACE}%")
WIDE = {"description_width": "11rem"}
BEFORE = 12  # months of actuals in the picture


class WhatIf(widgets.VBox):
    """Sliders beside the scenario that follows from them; `scenario` is the last one that could be computed."""

    def __init__(self, baseline: Baseline, assumed: Assumptions | None = None) -> None:
        """Begin with some assumptions; by default with none."""
        self.baseline, self.scenario = baseline, None
        self.controls = controls(baseline, assumed or Assumptions())
        self.message, self.picture, self.table = widgets.HTML(), widgets.Image(format="png"), widgets.HTML()
        self.picture.layout.max_width = "100%"
        super().__init__([widgets.HTML(HONEST), *self.controls.values(), self.message, self.picture, self.table])
        for control in self.controls.values():
            control.observe(self._show, "value")
        self._show()

    @property
    def assumed(self) -> Assumptions:
        """What the sliders say."""
        value = {name: control.value for name, control in self.controls.items()}
        promotion = None if value["promotion"] == NO_PROMOTION else value["promotion"]
        shares = {name: value[name] / 100 for name in ("volume", "price", "uplift", "discount", "pull_forward")}
        return Assumptions(promotion=promotion, elasticity=value["elasticity"], **shares)

    def _show(self, change: object = None) -> None:
        """Compute the scenario and show it, or say why it cannot be."""
        margin = self.controls["margin"].value / 100 if "margin" in self.controls else None
        try:
            self.scenario = what_if(self.baseline, self.assumed, margin)
        except UserError as error:
            self.message.value = f"<b>{error}</b> What you see is the scenario before."
            return
        self.message.value = outcome(self.baseline, self.scenario)
        self.picture.value = picture(self.baseline, self.scenario).png()
        self.table.value = table(self.baseline, self.scenario)


def controls(baseline: Baseline, assumed: Assumptions) -> dict[str, widgets.Widget]:
    """Return a control for each assumption, and one for the margin where profit is known."""
    found = {
        "volume": slider("Volume, %", 100 * assumed.volume, -50, 50),
        "price": slider("Price, %", 100 * assumed.price, -50, 50),
        "elasticity": slider("Price elasticity", assumed.elasticity, -5, 0, 0.1),
        "promotion": widgets.Dropdown(
            description="Promotion in", options=[NO_PROMOTION, *baseline.months], value=assumed.promotion or NO_PROMOTION, style=WIDE
        ),
        "uplift": slider("Its uplift, %", 100 * assumed.uplift, 0, 200),
        "discount": slider("Its discount, %", 100 * assumed.discount, 0, 90),
        "pull_forward": slider("Pulled forward, %", 100 * assumed.pull_forward, 0, 100),
    }  # fmt: skip
    if baseline.margin is not None:
        found["margin"] = slider("Margin of sales, %", round(100 * baseline.margin, 1), -100, 100, 0.1)
    return found


def slider(label: str, value: float, low: float, high: float, step: float = 1.0) -> widgets.FloatSlider:
    """Return a slider whose range holds its first value; it can be typed into as well."""
    return widgets.FloatSlider(
        value=value, min=min(low, value), max=max(high, value), step=step, description=label, style=WIDE, readout_format=".1f",
        continuous_update=False, layout={"width": "32rem", "max_width": "100%"},
    )  # fmt: skip


def outcome(baseline: Baseline, scenario: Scenario) -> str:
    """Say what the scenario makes of the months together."""
    total, unit = scenario.totals, baseline.unit
    sales = against(total["scenario"], total["baseline"], unit)
    text = f"Sales of {len(scenario.rows)} months: {compact(total['scenario'], unit)}, {sales}."
    if is_known(total["profit_scenario"]):
        profit = against(total["profit_scenario"], total["profit_baseline"], unit)
        text += f" {baseline.profit_measure.capitalize()}: {compact(total['profit_scenario'], unit)}, {profit}."
    if scenario.outside:
        outside = compact(scenario.outside, unit)
        text += f" The promotion takes {outside} from the month after the last one, which is not in the table."
    return text


def against(value: float, base: float, unit: str) -> str:
    """Write a total beside that of the forecast: the difference, and its share where the forecast is above zero."""
    part = f" ({percent(100 * (value / base - 1), plus=True)})" if base > 0 else ""
    return f"{compact(value - base, unit, plus=True)}{part} against the forecast"


def source(baseline: Baseline) -> str:
    """Say what the baseline is and where the margin comes from."""
    text = f"Sales, {baseline.name}: published forecast by {model_name(baseline.model)}, from data up to {month(baseline.cutoff)}"
    text += f", in {baseline.unit}." if baseline.unit else "."
    if baseline.margin is None:
        return f"{text} No costs are known, so nothing can be said of profit."
    first, last = baseline.margin_months
    return (
        f"{text} The margin of sales, profit before expenses ÷ sales, was {share(baseline.margin)} from {month(first)} to "
        f"{month(last)}. Expenses are taken to stay as forecast."
    )


def picture(baseline: Baseline, scenario: Scenario) -> plots.Picture:
    """Draw the last year's sales, the forecast with its 80 % interval, and the scenario."""
    figure, (ax,) = plots.canvas(f"Sales, {baseline.name}: forecast and scenario")
    past, rows = baseline.history.tail(BEFORE), scenario.rows
    ax.plot(past["ds"], past["sales"], color=plots.ACTUAL, linewidth=1.4, label="actual")
    ahead = baseline.rows
    label = "80 % interval of the forecast"
    ax.fill_between(
        ahead["ds"], ahead["lo_80"], ahead["hi_80"], color=plots.FORECAST, alpha=plots.BAND_95, linewidth=0, label=label
    )
    ax.plot(rows["ds"], rows["baseline"], "--D", color=plots.FORECAST, markersize=3.5, label="forecast")
    ax.plot(rows["ds"], rows["scenario"], "-s", color=plots.GREEN, markersize=4, label="scenario")
    ax.set_ylabel(baseline.unit, fontsize=8)
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    plots.month_axis(ax)
    ax.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.1), ncols=4)
    return plots.Picture(figure, f"Sales, {baseline.name}, by month: actual, forecast and scenario.")


def compared(scenario: Scenario) -> pd.DataFrame:
    """Return forecast, scenario and difference of sales, and of profit where it is known: one row per month, then the total.

    «Month» is text; the other columns bear the names that people read and hold numbers, NaN where one is not known.
    """
    rows = pd.concat([scenario.rows, scenario.totals.to_frame().T], ignore_index=True)
    found = pd.DataFrame({"Month": [*scenario.rows["ds"].map(month), "Total"]})
    for what, first, second in (("sales", "baseline", "scenario"), ("profit", "profit_baseline", "profit_scenario")):
        if rows[second].notna().any():
            found[f"{what.capitalize()}, forecast"] = rows[first].astype(float)
            found[f"{what.capitalize()}, scenario"] = rows[second].astype(float)
            found[f"Difference in {what}"] = (rows[second] - rows[first]).astype(float)
    return found


def written(found: pd.DataFrame) -> dict[str, partial]:
    """Return how each column of `compared` is written; sales and profit each with the decimals that suit their forecast."""
    formats = {}
    for name in found.columns[1:]:
        what = name.removeprefix("Difference in ").partition(",")[0].capitalize()
        decimals = decimals_for(found[f"{what}, forecast"])
        formats[name] = partial(number, decimals=decimals, plus=name.startswith("Difference"))
    return formats


def table(baseline: Baseline, scenario: Scenario) -> str:
    """Return forecast and scenario of every month, with totals and differences, as HTML."""
    found = compared(scenario)
    shown = found.assign(**{name: found[name].map(form) for name, form in written(found).items()})
    style = shown.style.hide(axis="index").set_properties(**{"text-align": "right", "padding": "0.2em 0.9em"})
    unit = [f"In {baseline.unit}."] if baseline.unit else []
    gap = [f"{DASH}: no profit was forecast for the month."] if shown.isin([DASH]).any(axis=None) else []
    note = f"<p>{' '.join(unit + gap)}</p>"
    return style.set_uuid("scenario").to_html() + note
