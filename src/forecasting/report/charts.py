"""The report's charts: the interactive trend (plotly) and small drawings that need no script (SVG)."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecasting import plots
from forecasting.ledger import RANGE, Domain, one_per_name
from forecasting.report import many
from forecasting.report.html import Chart
from forecasting.report.order import natural_rank
from forecasting.wording import SPACE, decimals_for, is_scaled, listing, month

FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
# In what appears where one points, and in the legend: the actual, the forecast with its ranges, the rest
FIRST, SECOND, LATER = 1, 2, 10
BANDS = {"hi_95": "95 % up to", "lo_95": "95 % from", "hi_80": "80 % up to", "lo_80": "80 % from"}
LONGEST = 60  # months that the trend shows at first
CUT = " A back-test's interval that would flatten the rest is cut off at the edge."
SHORT = 5  # signs of a unit that stands beside the highest number of an axis
ROOM = 0.5  # how far, in heights of all the rest, a back-test's interval may stretch the chart


def rgba(colour: str, opacity: float) -> str:
    """Return a hex colour as rgba()."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def forecast_rows(domain: Domain) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the walk-forward rows and the published ones (of months that are over and to come)."""
    published = domain.past["is_published"].astype(bool)
    return domain.past[~published], pd.concat([domain.past[published], domain.future], ignore_index=True)


def band(colour: str, group: str, rank: int = SECOND) -> list[go.Scatter]:
    """Return the four empty traces of an 80 % and a 95 % interval; the lower bound fills up to the upper.

    They are told after the line whose `rank` they are given, the narrower one first.
    """
    traces = []
    for place, (column, label) in enumerate(reversed(BANDS.items()), start=1):
        fill = rgba(colour, plots.BAND_95 if column.endswith("95") else plots.BAND_80)
        traces.append(
            go.Scatter(
                mode="lines",
                line={"width": 0, "color": colour},
                legendgroup=group,
                legendrank=rank + place,
                showlegend=False,
                name=label,
                fill="tonexty" if column.startswith("lo") else None,
                fillcolor=fill,
            )
        )
    return traces[::-1]


def trend_traces(labels: tuple[str, str]) -> list[go.Scatter]:
    """Return the empty traces of the trend: the intervals at the back, then the actuals, then both forecasts."""
    walk = go.Scatter(
        name=labels[0],
        legendgroup="walk",
        legendrank=LATER,
        mode="lines+markers",
        line={"color": plots.WALK_FORWARD, "dash": "dot", "width": 2},
        marker={"symbol": "circle-open", "size": 7},
    )
    made = go.Scatter(
        name=labels[1],
        legendgroup="made",
        legendrank=SECOND,
        mode="lines+markers",
        line={"color": plots.FORECAST, "dash": "dash", "width": 2},
        marker={"symbol": "diamond", "size": 7},
    )
    actual = go.Scatter(name="Actual", legendrank=FIRST, mode="lines", line={"color": plots.ACTUAL, "width": 2.2})
    bands = band(plots.WALK_FORWARD, "walk", LATER), band(plots.FORECAST, "made")
    return [*bands[0], *bands[1], actual, walk, made]


def values_by_series(rows: pd.DataFrame, months: pd.DatetimeIndex, column: str, decimals: int) -> dict[tuple, list]:
    """Return the values of one column by (region, category), in the order of `months`, None where there is none."""
    wide = rows.pivot_table(
        index=["region", "product_category"], columns="ds", values=column, aggfunc="first", observed=True
    )
    wide = wide.reindex(columns=months).round(decimals).astype(object)
    wide = wide.where(wide.notna(), None)
    return dict(zip(wide.index, wide.to_numpy().tolist(), strict=True))


def trend_values(domain: Domain, decimals: int) -> tuple[list[pd.DatetimeIndex], dict[tuple, list[list]]]:
    """Return the months of every trace, and by (region, category) the values of every trace."""
    walk, made = (one_per_name(domain.shown(rows)) for rows in forecast_rows(domain))
    actuals = one_per_name(domain.shown(domain.actuals))
    columns = [(rows, column) for rows in (walk, made) for column in BANDS]
    columns += [(actuals, "y"), (walk, "predicted_value"), (made, "predicted_value")]
    months = [pd.DatetimeIndex(sorted(rows["ds"].unique())) for rows, _ in columns]
    found = [values_by_series(rows, ds, column, decimals) for (rows, column), ds in zip(columns, months, strict=True)]
    key = ["region", "product_category"]
    names = (
        actuals.sort_values(["rank", *key], key=natural_rank)[key].drop_duplicates().itertuples(index=False, name=None)
    )
    pairs = list(zip(found, months, strict=True))
    return months, {name: [values.get(name, [None] * len(ds)) for values, ds in pairs] for name in names}


def visible_range(values: list[list], decimals: int) -> tuple[list[float], bool]:
    """Return the y axis for the values of every trace, and whether it cuts off a back-test's interval.

    A back-test that knew few errors has intervals many times as wide as the actuals are high; drawn whole, one of
    them flattens everything else.
    """
    rest = [v for trace in values[len(BANDS) :] for v in trace if v is not None] + [0.0]
    wide = [v for trace in values[: len(BANDS)] for v in trace if v is not None] + rest
    room = ROOM * (max(rest) - min(rest))
    low, high = max(min(wide), min(rest) - room), min(max(wide), max(rest) + room)
    pad = 0.05 * (high - low) or 1.0
    shown = [round(low - pad if low < 0 else low, decimals), round(high + pad if high > 0 else high, decimals)]
    return (shown if shown[0] < shown[1] else [low - pad, high + pad]), low > min(wide) or high < max(wide)


def hidden(domain: Domain, months: list[pd.DatetimeIndex], cut: bool) -> str:
    """Say what the trend does not show at first: months long ago, intervals that are cut off."""
    parts = []
    if domain.actuals["ds"].min() < first_shown(domain, months, LONGEST):
        parts.append(f"all {domain.actuals['ds'].nunique()} months")
    return listing(parts + (["the back-test's intervals in full"] if cut else []))


def first_shown(domain: Domain, months: list[pd.DatetimeIndex], longest: int) -> pd.Timestamp:
    """Return the month at which the chart begins."""
    last = max(ds.max() for ds in months if len(ds))
    return max(domain.actuals["ds"].min(), last - pd.DateOffset(months=longest + 6))


def trend(domain: Domain, div_id: str, caption: str) -> Chart:
    """Return the chart of actuals and forecasts, in which every series of the tables can be chosen."""
    decimals = decimals_for(domain.actuals["y"])
    months, values = trend_values(domain, decimals)
    traces = trend_traces(("Walk-forward (back-test), not published", "Published forecast"))
    first = values[("All", "All")]
    for trace, ds, y in zip(traces, months, first, strict=True):
        trace.update(x=list(ds.strftime("%Y-%m-%d")), y=y, showlegend=trace.showlegend is not False and len(ds) > 0)
    ranges = {name: visible_range(y, decimals) for name, y in values.items()}
    figure = go.Figure(traces, layout(domain, months, decimals))
    figure.update_yaxes(range=ranges["All", "All"][0])
    choices = [[*name, y, ranges[name][0]] for name, y in values.items()]
    cut = any(cut for _, cut in ranges.values())
    caption += CUT if cut else ""
    search = (
        {"series": domain.name, "n_series": many.how_many(domain), "unit": domain.unit}
        if "series" in domain.in_sight
        else {}
    )
    return Chart(figure, div_id, trend_label(domain), caption, choices, hidden(domain, months, cut), **search)


def frame(domain: Domain, decimals: int) -> dict:
    """Return what the layouts of all charts share: the y axis in the domain's unit, fonts, margins and the legend on top."""
    unit, largest = domain.unit, domain.actuals["y"].abs().max()
    y = {"hoverformat": f",.{decimals}f", "rangemode": "tozero", "nticks": 6}
    if is_scaled(unit) or largest < 1000:
        y["tickformat"] = ","
    elif largest < 1e9:
        y["tickformat"] = "~s"
    else:
        y["exponentformat"] = "B"  # «~s» would write a billion as G
    if len(unit) <= SHORT:  # what a longer one is called stands in the caption
        y |= {"ticksuffix": f"{SPACE}{unit}" * bool(unit), "showticksuffix": "last"}
    return {
        "margin": {"l": 72, "r": 12, "t": 10, "b": 36},
        "font": {"family": FONT, "size": 13},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified",
        "hoverlabel": {"namelength": -1},
        "dragmode": False,
        "yaxis": y,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "grouped"},
    }


def month_axis(first: pd.Timestamp, last: pd.Timestamp) -> dict:
    """Return an x axis of months between two days."""
    return {
        "type": "date",
        "tickformat": "%b\n%Y",
        "hoverformat": "%B %Y",
        "nticks": 8,
        "ticks": "outside",
        "ticklen": 7,  # between the lowest number and the first month
        "tickcolor": "rgba(0,0,0,0)",
        "showgrid": False,
        "range": [str(first.date()), str(last.date())],
    }


def layout(domain: Domain, months: list[pd.DatetimeIndex], decimals: int) -> dict:
    """Return the layout of a trend; colours of text, lines and background come from the style sheet."""
    last = max(ds.max() for ds in months if len(ds))
    first = first_shown(domain, months, LONGEST)
    edge = domain.last_month + pd.DateOffset(days=15)
    return {
        **frame(domain, decimals),
        "height": 420,
        "xaxis": month_axis(first, last + pd.DateOffset(days=12)),
        "shapes": [
            {
                "type": "line",
                "x0": str(edge.date()),
                "x1": str(edge.date()),
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": plots.GREY, "width": 1, "dash": "dot"},
            }
        ],
    }


def trend_label(domain: Domain) -> str:
    """Return the text that stands for a trend chart."""
    parts = [f"{domain.title}: monthly actuals, {month(domain.actuals['ds'].min())} to {month(domain.last_month)}"]
    walk, made = forecast_rows(domain)
    for rows, name in ((walk, "walk-forward back-test"), (made, "published forecast")):
        if len(rows):
            parts.append(f"{name} with 80 % and 95 % intervals, {month(rows['ds'].min())} to {month(rows['ds'].max())}")
    return "; ".join(parts) + "."


def drawing(
    actual: pd.DataFrame, forecast: pd.DataFrame, label: str, width: int = 220, height: int = 56, months: int = 24
) -> str:
    """Return actuals (`ds, y`) and a forecast with its 80 % range as SVG lines; no axis, the label says what it is."""
    actual = actual.sort_values("ds").tail(months)
    ds = pd.DatetimeIndex([*actual["ds"], *forecast["ds"]])
    shown = [*actual["y"], *forecast["predicted_value"], *forecast[RANGE[0]], *forecast[RANGE[1]]]
    low, high = min(np.nanmin(shown), 0.0), max(np.nanmax(shown), 0.0)
    left, days = ds.min(), max((ds.max() - ds.min()).days, 1)

    def points(dates: pd.Series, values: pd.Series) -> str:
        """Return the coordinates of a line."""
        x = 2 + (pd.to_datetime(dates) - left).dt.days / days * (width - 4)
        y = height - 3 - (values - low) / ((high - low) or 1.0) * (height - 6)
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))

    backwards = forecast.iloc[::-1]
    area = points(forecast["ds"], forecast["hi_80"]) + " " + points(backwards["ds"], backwards["lo_80"])
    zero = points(pd.Series([ds.min(), ds.max()]), pd.Series([0.0, 0.0]))
    return (
        f'<svg class="drawing" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
        f'<polyline class="zero" points="{zero}"/><polygon class="band" points="{area}"/>'
        f'<polyline class="actual" points="{points(actual["ds"], actual["y"])}"/>'
        f'<polyline class="forecast" points="{points(forecast["ds"], forecast["predicted_value"])}"/></svg>'
    )


def variance_bar(value: float, largest: float) -> str:
    """Return a bar to the left (below forecast) or right (above) of a centre line; the number stands beside it."""
    length = 48 * min(abs(value) / largest, 1.0) if largest > 0 and np.isfinite(value) else 0.0
    x = 50 - length if value < 0 else 50
    return (
        f'<svg class="bar" viewBox="0 0 100 12" aria-hidden="true"><line x1="50" x2="50" y1="0" y2="12"/>'
        f'<rect class="{"below" if value < 0 else "above"}" x="{x:.1f}" y="2" width="{length:.1f}" height="8"/></svg>'
    )
