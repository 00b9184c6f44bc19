"""The chart of what was published against what came: the actuals, and one line with its intervals for each lag."""

import pandas as pd
import plotly.graph_objects as go

from forecasting import plots
from forecasting.ledger import Domain, one_per_name
from forecasting.report.charts import BANDS, FIRST, SECOND, band, frame, month_axis, values_by_series
from forecasting.report.html import Chart
from forecasting.report.track_record import said
from forecasting.wording import SPACE, count, decimals_for, listing, month

BEFORE = 12  # months of actuals shown before the first published forecast
MANY = 60  # series beyond which only the sums can be chosen
STYLES = (  # by lag, so that the lines differ in colour, dash and sign
    (plots.FORECAST, "dash", "diamond"),
    (plots.GREEN, "dot", "square-open"),
    (plots.PURPLE, "dashdot", "triangle-up-open"),
)
RECORDS = {"published": "record", "backfilled as of": "backfill"}  # what the charts' names begin with
DRAWN_COLUMNS = [*BANDS, "predicted_value"]


def ahead(lag: int) -> str:
    """Write a lag, «1 month before», without a break in it."""
    return f"{count(int(lag), 'month')}{SPACE}before"


def lag_traces(lag: int, made: str, style: tuple[str, str, str], shown: bool, rank: int) -> list[go.Scatter]:
    """Return the four traces of the intervals and the line of one lag, empty; a click on the legend shows or hides all five."""
    colour, dash, symbol = style
    line = go.Scatter(
        name=f"{made.capitalize()} {ahead(lag)}",
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"symbol": symbol, "size": 7},
        legendgroup=f"lag{lag}",
        legendrank=rank,
    )
    traces = [*band(colour, f"lag{lag}", rank), line]
    for trace in traces:
        trace.update(visible=True if shown else "legendonly")
    return traces


def chart_actuals(domain: Domain, record: pd.DataFrame) -> pd.DataFrame:
    """Return the actuals from a year before the first published forecast on; as first known where a forecast met them."""
    key = ["aggregation", "unique_id", "ds"]
    first_known = record.drop_duplicates(key)[[*key, "actual"]]
    known = domain.shown(domain.actuals)
    shown = known[known["ds"] >= record["ds"].min() - pd.DateOffset(months=BEFORE)]
    shown = shown.merge(first_known, on=key, how="left")
    return shown.assign(y=shown["actual"].fillna(shown["y"])).drop(columns="actual")


def choosable(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Leave single series out where there are so many that the page would grow heavy."""
    n = rows.loc[rows["aggregation"] == "series", "unique_id"].nunique()
    return frame[frame["aggregation"] != "series"] if n > MANY else frame


def chart(domain: Domain, record: pd.DataFrame) -> Chart:
    """Return the chart of a domain's `track_record.load_record`, which holds at least one row; the shortest lag is shown first."""
    record = domain.shown(record.assign(region=record["region"].astype(object)))
    actuals, lags = one_per_name(choosable(chart_actuals(domain, record), record)), sorted(record["lag"].unique())
    decimals = decimals_for(actuals["y"])
    made = {lag: one_per_name(choosable(record[record["lag"] == lag], record)) for lag in lags}
    columns = [(made[lag], column) for lag in lags for column in DRAWN_COLUMNS] + [(actuals, "y")]
    months = [pd.DatetimeIndex(sorted(rows["ds"].unique())) for rows, _ in columns]
    found = [values_by_series(rows, ds, column, decimals) for (rows, column), ds in zip(columns, months, strict=True)]
    figure = go.Figure(drawn(lags, said(record)), layout(domain, actuals, decimals))
    key = ["region", "product_category"]
    names = actuals.sort_values(["rank", *key])[key].drop_duplicates().itertuples(index=False, name=None)
    choices = []
    for name in names:
        values = [known.get(name, [None] * len(ds)) for known, ds in zip(found, months, strict=True)]
        choices.append([*name, values, shown_range(values)])
    for trace, ds, y in zip(figure.data, months, choices[0][2], strict=True):
        trace.update(x=list(ds.strftime("%Y-%m-%d")), y=y)
    figure.update_yaxes(range=choices[0][3])
    return Chart(
        figure,
        f"{RECORDS[said(record)]}-{domain.name}",
        label(domain, record, lags),
        caption(domain, record, lags),
        choices,
    )


def shown_range(values: list[list]) -> list[float]:
    """Return a y axis that holds all values closely: it does not begin at 0, since it is the distance of the lines that counts."""
    known = [value for trace in values for value in trace if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    pad = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return [low - pad, high + pad]


def drawn(lags: list[int], made: str) -> list[go.Scatter]:
    """Return the empty traces: each lag's, then the actuals."""
    traces = [
        trace
        for i, lag in enumerate(lags)
        for trace in lag_traces(lag, made, STYLES[i % len(STYLES)], i == 0, SECOND + 10 * i)
    ]
    actual = go.Scatter(
        name="Actual",
        legendrank=FIRST,
        mode="lines+markers",
        line={"color": plots.ACTUAL, "width": 2.2},
        marker={"symbol": "circle", "size": 5},
    )
    return [*traces, actual]


def layout(domain: Domain, actuals: pd.DataFrame, decimals: int) -> dict:
    """Return the layout: from a year before the first forecast to the last known month."""
    first, last = actuals["ds"].min() - pd.DateOffset(days=12), actuals["ds"].max() + pd.DateOffset(days=12)
    return {**frame(domain, decimals), "height": 380, "xaxis": month_axis(first, last)}


def caption(domain: Domain, record: pd.DataFrame, lags: list[int]) -> str:
    """Say what the chart shows and how to see the other lags."""
    text = f"{domain.title} by month: the actual as it was first known, and what {was(record)} {ahead(lags[0])}. "
    if len(lags) > 1:
        others = listing([str(lag) for lag in lags[1:]])
        text += f'<span class="screen">A click on the legend shows what {was(record)} {others} months before. </span>'
    text += "Shaded: 80 % (dark) and 95 % (light) intervals. The axis does not begin at 0."
    if record.loc[record["aggregation"] == "series", "unique_id"].nunique() > MANY:
        text += " Single series are in the tables."
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def was(record: pd.DataFrame) -> str:
    """Say how what a chart shows came to be, as a verb."""
    return "had been published" if said(record) == "published" else f"was {said(record)}"


def label(domain: Domain, record: pd.DataFrame, lags: list[int]) -> str:
    """Return the text that stands for the chart."""
    span = f"{month(record['ds'].min())} to {month(record['ds'].max())}"
    made = listing([str(lag) for lag in lags])
    return f"{domain.title}: actuals and the forecasts {said(record)} {made} months before with 80 % and 95 % intervals, {span}."
