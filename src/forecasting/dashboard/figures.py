"""The dashboard's charts. Their colours have enough contrast on a light and on a dark background."""

import pandas as pd
import plotly.graph_objects as go

from forecasting import plots
from forecasting.dashboard.selection import BACK_TEST, Selection
from forecasting.models import model_name
from forecasting.planning import Baseline, Scenario
from forecasting.report import BANDS, trend_traces, visible_range
from forecasting.wording import SPACE, decimals_for, is_scaled, month

LABELS = ("Back-test, not published", "Forecast")
READING = (
    "Shaded: 80 % and 95 % intervals. The back-test is what the model would have said, knowing only the months before; it was not "
    "published."
).replace(" %", f"{SPACE}%")
CONFIG = {"displayModeBar": False}
HEIGHT = 420
BEFORE = 12  # months of actuals before a scenario


def trend(chosen: Selection) -> go.Figure:
    """Return actuals, the back-test and the published forecasts with their 80 % and 95 % intervals."""
    rows, decimals = chosen.rows, decimals_for(chosen.rows["actual"])
    walk = rows[rows["kind"] == BACK_TEST]
    made = rows[rows["kind"].notna() & (rows["kind"] != BACK_TEST)]
    parts = [(walk, column) for column in BANDS] + [(made, column) for column in BANDS]
    parts += [(chosen.past, "actual"), (walk, "predicted_value"), (made, "predicted_value")]
    traces = filled(trend_traces(LABELS), [(part["ds"], part[column]) for part, column in parts], decimals)
    shown = [[None if pd.isna(v) else v for v in part[column]] for part, column in parts]
    figure = go.Figure(traces, layout(chosen.domain.unit, rows["actual"], decimals))
    figure.update_yaxes(range=visible_range(shown, decimals)[0])
    return figure


def filled(traces: list[go.Scatter], values: list[tuple[pd.Series, pd.Series]], decimals: int) -> list[go.Scatter]:
    """Return those of the empty traces that have values, with their months."""
    for trace, (ds, y) in zip(traces, values, strict=True):
        trace.update(x=list(ds.dt.strftime("%Y-%m-%d")), y=[None if pd.isna(v) else round(v, decimals) for v in y])
    return [trace for trace in traces if len(trace.x)]


def own(history: pd.DataFrame, forecast: pd.DataFrame) -> go.Figure:
    """Return a series that somebody brought (`ds, y`) and its forecast (`ds, predicted_value` and bounds)."""
    decimals = decimals_for(history["y"])
    made = [(forecast["ds"], forecast[column]) for column in BANDS]
    values = [(history["ds"], history["y"]), (forecast["ds"], forecast["predicted_value"])]
    none = trend_traces(LABELS)
    actual, line = none[-3], none[-1]
    actual.name = "Your series"
    traces = filled([*none[4:8], actual, line], made + values, decimals)
    return go.Figure(traces, layout("", history["y"], decimals))


def scenario(baseline: Baseline, found: Scenario) -> go.Figure:
    """Return the last year's sales, the forecast with its 80 % interval, and the scenario."""
    past, ahead = baseline.history.tail(BEFORE), baseline.rows
    decimals = decimals_for(past["sales"])
    none = trend_traces(LABELS)
    _, _, high, low, actual, _, made = none[4:]
    changed = go.Scatter(
        name="Scenario", mode="lines+markers", line={"color": plots.GREEN, "width": 2.2}, marker={"symbol": "square", "size": 7}
    )  # fmt: skip
    values = [(ahead["ds"], ahead["hi_80"]), (ahead["ds"], ahead["lo_80"]), (past["ds"], past["sales"])]
    values += [(ahead["ds"], ahead["sales"]), (found.rows["ds"], found.rows["scenario"])]
    traces = filled([high, low, actual, made, changed], values, decimals)
    return go.Figure(traces, layout(baseline.unit, past["sales"], decimals))


def scenario_described(baseline: Baseline) -> str:
    """Return the text that stands for the chart of a scenario."""
    return f"Sales, {baseline.name}, by month: actual, forecast with its 80 % interval, and scenario."


def layout(unit: str, values: pd.Series, decimals: int) -> dict:
    """Return what both trends share; fonts, text and grid have the colours of Streamlit's theme."""
    y = {"title": {"text": unit}, "hoverformat": f",.{decimals}f", "nticks": 6, "rangemode": "tozero"}
    largest = values.abs().max()
    y["tickformat"] = "," if is_scaled(unit) or not largest >= 1000 else "~s"
    if largest >= 1e9 and not is_scaled(unit):
        y = {key: value for key, value in y.items() if key != "tickformat"} | {"exponentformat": "B"}
    return {
        "height": HEIGHT,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        "hovermode": "x unified",
        "dragmode": False,  # a finger that scrolls the page must not move the chart
        "yaxis": y,
        "xaxis": {"type": "date", "tickformat": "%b\n%Y", "hoverformat": "%B %Y", "nticks": 8, "showgrid": False},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    }


def described(chosen: Selection) -> str:
    """Return the text that stands for a trend."""
    ds = chosen.rows["ds"]
    return f"{chosen.domain.title}, {chosen.name}: actuals and forecasts with intervals, {month(ds.min())} to {month(ds.max())}."


def own_described(span: str) -> str:
    """Return the text that stands for the chart of a series that somebody brought."""
    return f"Your series, {span}, and its forecast with intervals."


def ranking(board: pd.DataFrame, measure: str) -> go.Figure:
    """Return one bar per model, the best on top: the champion in its colour, the seasonal naive as a dotted line.

    `board` has model_name, is_champion and the measure; models of which it is not known are left out.
    """
    known = board.dropna(subset=[measure]).sort_values(measure, ascending=False)
    names = [
        model_name(name) + (f"{SPACE}★" if champion else "")
        for name, champion in known[["model_name", "is_champion"]].to_numpy()
    ]
    colours = [plots.FORECAST if champion else plots.GREY for champion in known["is_champion"]]
    text = [f"{value:.2f}" for value in known[measure]]
    bars = go.Bar(
        x=known[measure], y=names, orientation="h", marker={"color": colours}, text=text, textposition="outside", cliponaxis=False
    )  # fmt: skip
    margin = {"l": 10, "r": 40, "t": 10, "b": 10}
    figure = go.Figure(bars, {"height": 70 + 32 * len(known), "margin": margin, "dragmode": False})
    naive = known.loc[known["model_name"] == "seasonal_naive", measure]
    if len(naive):
        figure.add_vline(naive.iloc[0], line={"color": plots.ACTUAL, "dash": "dot", "width": 2})
    return figure.update_xaxes(rangemode="tozero", title=measure.upper(), showgrid=False)
