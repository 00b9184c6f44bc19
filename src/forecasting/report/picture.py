"""The one chart of a domain on the first page: what was, and joined to it what is expected, with the lines named where they run."""

from html import escape

import pandas as pd
import plotly.graph_objects as go

from forecasting import plots
from forecasting.ledger import Domain, at
from forecasting.report.charts import FIRST, LATER, SECOND, frame, month_axis, rgba
from forecasting.report.html import Chart
from forecasting.wording import SPACE, compact, decimals_for, is_known, month

SHOWN = 24  # months of actuals
HEIGHT = 300
ROOM = 0.45  # above the highest line, in heights of all
ROWS = (0.07, 0.2)  # how far below the upper edge the labels stand, in heights of the chart
BEHIND = "before"  # the legend group of what is shown on request


def picture(domain: Domain, paths: pd.DataFrame) -> Chart:
    """Return the chart of a domain's total; `paths`, as of `Published.paths`, are what was forecast of the months that are over."""
    rows = {name: at(getattr(domain, name), "total").sort_values("ds") for name in ("actuals", "future")}
    actual, coming = rows["actuals"].tail(SHOWN), rows["future"]
    decimals = decimals_for(rows["actuals"]["y"])
    said = one_ahead(paths, actual["ds"].min())
    figure = go.Figure(traces(actual, coming, year_before(rows["actuals"], coming), said, decimals))
    figure.update_layout(layout(domain, actual, coming, decimals))
    low, high = with_room(figure)
    heights = tuple(high - row * (high - low) for row in ROWS)
    figure.update_layout(yaxis_range=[low, high], annotations=labels(domain, actual, coming, heights))
    what = "what was forecast" if said["is_published"].all() else "what this model would have said"
    behind = (BEHIND, f"Show {what} a month ahead") if len(said) else ("", "")
    return Chart(
        figure, f"picture-{domain.name}", label(domain, actual, coming), caption(domain, coming), behind=behind
    )


def one_ahead(paths: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Return what was said of each shown month that is over one month before."""
    return paths[(paths["horizon"] == 1) & (paths["ds"] >= first)].sort_values("ds")


def year_before(actuals: pd.DataFrame, coming: pd.DataFrame) -> pd.DataFrame:
    """Return the actuals of the year before at the coming months, where all of them are known."""
    known = actuals.set_index("ds")["y"]
    before = coming["ds"].map(lambda ds: known.get(ds - pd.DateOffset(years=1)))
    return (
        coming.assign(y=before)[["ds", "y"]] if len(coming) and before.notna().all() else coming.iloc[:0].assign(y=None)
    )


def line(rows: pd.DataFrame, column: str, decimals: int, **look: object) -> go.Scatter:
    """Return a trace of one column by month."""
    return go.Scatter(
        x=list(rows["ds"].dt.strftime("%Y-%m-%d")), y=list(rows[column].round(decimals)), showlegend=False, **look
    )


def traces(
    actual: pd.DataFrame, coming: pd.DataFrame, before: pd.DataFrame, said: pd.DataFrame, decimals: int
) -> list[go.Scatter]:
    """Return the lines, the range at the back; the forecast begins at the last actual, so that the two are one line."""
    last = actual.tail(1)
    joined = pd.concat([last.assign(predicted_value=last["y"], lo_80=last["y"], hi_80=last["y"]), coming])
    ahead = ["skip", *["all"] * len(coming)]  # the last actual is said by its own line
    edge = {"mode": "lines", "line": {"width": 0, "color": plots.FORECAST}, "hoverinfo": ahead}
    fill = {"fill": "tonexty", "fillcolor": rgba(plots.FORECAST, plots.BAND_80)}
    found = [
        line(joined, "hi_80", decimals, name="80 % up to", legendrank=SECOND + 2, **edge),
        line(joined, "lo_80", decimals, name="80 % from", legendrank=SECOND + 1, **edge, **fill),
        line(before, "y", decimals, name="A year before", legendrank=LATER, mode="lines",
             line={"color": plots.GREY, "width": 1.5, "dash": "dot"}),
        line(actual, "y", decimals, name="Actual", legendrank=FIRST, mode="lines",
             line={"color": plots.ACTUAL, "width": 2.4}),
        line(joined, "predicted_value", decimals, name="Forecast", legendrank=SECOND, mode="lines+markers",
             line={"color": plots.FORECAST, "width": 2.4}, marker={"size": [0, *[6] * len(coming)]}, hoverinfo=ahead),
    ]  # fmt: skip
    look = {"mode": "markers", "marker": {"symbol": "circle-open", "size": 7, "color": plots.FORECAST}}
    if len(said):
        found.append(
            line(
                said,
                "predicted_value",
                decimals,
                name="Forecast a month ahead",
                legendgroup=BEHIND,
                legendrank=LATER + 1,
                visible=False,
                **look,
            )
        )
    return found


def layout(domain: Domain, actual: pd.DataFrame, coming: pd.DataFrame, decimals: int) -> dict:
    """Return the layout: room at the right for the forecast's name, the labels where the lines run."""
    last = coming["ds"].max() if len(coming) else actual["ds"].max()
    return {
        **frame(domain, decimals),
        "height": HEIGHT,
        "margin": {"l": 72, "r": 16, "t": 12, "b": 36},
        "showlegend": True,  # of no line: without it the order in which one points at them would not hold
        "xaxis": month_axis(actual["ds"].min() - pd.DateOffset(days=10), last + pd.DateOffset(days=45)),
    }


def with_room(figure: go.Figure) -> list[float]:
    """Return a y axis from or to zero, with room above the highest line for what is written there."""
    known = [value for trace in figure.data for value in trace.y if is_known(value)]
    low, high = min([*known, 0.0]), max([*known, 0.0])
    size = (high - low) or 1.0
    return [low - 0.05 * size if low < 0 else low, high + ROOM * size]


def labels(domain: Domain, actual: pd.DataFrame, coming: pd.DataFrame, heights: tuple[float, float]) -> list[dict]:
    """Return the texts in the chart, one above the other: one month of the forecast (`marked`), and the last actual."""
    said = [("Forecast", row["ds"], row["predicted_value"], heights[0]) for row in marked(coming).to_dict("records")]
    last = actual.iloc[-1]
    return [labelled(domain, *each) for each in [("Actual", last["ds"], last["y"], heights[1]), *said]]


def marked(coming: pd.DataFrame) -> pd.DataFrame:
    """Return the month of the forecast that is labelled: the lowest below zero, else next December, else the last."""
    december = coming[coming["ds"].dt.month == 12]
    if (coming["predicted_value"] < 0).any():
        return coming.loc[[coming["predicted_value"].idxmin()]]
    return december if len(december) else coming.tail(1)


def labelled(domain: Domain, what: str, ds: pd.Timestamp, value: float, height: float) -> dict:
    """Return the text above one month of a line: what it is, the month and the number."""
    return {
        "x": str(ds.date()),
        "y": value,
        "text": f"{what}, {month(ds, short=True)}<br><b>{compact(value, domain.unit)}</b>",
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 1,
        "arrowcolor": plots.GREY,
        "axref": "x",
        "ayref": "y",
        "ax": str(ds.date()),
        "ay": height,
        "align": "right",
        "xanchor": "right",
        "yanchor": "middle",
        "font": {"size": 12},
    }


def caption(domain: Domain, coming: pd.DataFrame) -> str:
    """Say what the lines are, as HTML."""
    unit = f", {escape(domain.unit)}" if domain.unit else ""
    text = f"{escape(domain.measure.capitalize())} by month{unit}: blue is known"
    if len(coming):
        text += f", orange is expected; eight of ten months should end in the shaded range (80{SPACE}%). "
        text += "Dotted grey: the same months a year before"
    return f'{text}. <a href="{domain.name}.html">More on {domain.name}</a>.'


def label(domain: Domain, actual: pd.DataFrame, coming: pd.DataFrame) -> str:
    """Return the text that stands for the chart."""
    text = f"{domain.title}: actuals {month(actual['ds'].min())} to {month(domain.last_month)}"
    if coming.empty:
        return f"{text}; no forecast."
    return f"{text}; forecast with its 80 % range to {month(coming['ds'].max())}."
