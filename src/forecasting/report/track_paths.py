"""The chart of every forecast's path: what was said of the total from each month on, against what came."""

import pandas as pd
import plotly.graph_objects as go

from forecasting import plots
from forecasting.ledger import Domain, Published, at
from forecasting.report.charts import frame
from forecasting.report.html import Chart, tag
from forecasting.report.labelled_lines import ROOM, Line, names
from forecasting.report.track_chart import ahead, chart_actuals, shown_range
from forecasting.wording import Amounts, compact, count, decimals_for, month, share

MONTHS = 36  # closed months of which the paths are drawn
TICKS = 4  # months that are written below: more would not fit beside the names on a phone
ACTUAL, PATHS = "Actual", "Forecasts"
RECORDS = {"published": "published", "backfill": "filled in later", "walk_forward": "tried on the past"}


def tried(published: str, domain: Domain) -> pd.DataFrame:
    """Return the total's back-test by the model in use of the last months, as rows of `Published.record`."""
    rows = Published(published).lately(domain.name, ("total",), MONTHS)
    return rows[rows["forecast_kind"] == "walk_forward"].rename(columns={"horizon": "lag", "forecast_kind": "kind"})


def paths_chart(domain: Domain, record: pd.DataFrame) -> list[str | Chart]:
    """Return a title and a chart of the total's paths; nothing where there is none. `record` are rows of one kind of `Published.record`."""
    whole = at(record, "total")
    if whole.empty:
        return []
    rows = whole[whole["ds"] > whole["ds"].max() - pd.DateOffset(months=MONTHS)].sort_values(["cutoff", "ds"])
    actuals = at(chart_actuals(domain, rows), "total").sort_values("ds")
    decimals = decimals_for(actuals["y"])
    x, y = with_gaps(rows, decimals)
    paths = Line(PATHS, x, y, plots.FORECAST, accent=True)
    came = Line(ACTUAL, dates(actuals["ds"]), [round(value, decimals) for value in actuals["y"]], plots.ACTUAL)
    kind = rows["kind"].iloc[0]
    chart = Chart(
        figure(domain, [paths, came], decimals, actuals["ds"]),
        f"paths-{kind.replace('_', '-')}-{domain.name}",
        f"{domain.title}, total: actuals and the paths of {count(rows['cutoff'].nunique(), 'forecast')} {RECORDS[kind]}, "
        f"{month(rows['ds'].min())} to {month(rows['ds'].max())}. {title(domain, rows)}.",
        f"The total by month{Amounts(domain.unit).told(',')}. Each thin line is one forecast, {RECORDS[kind]}: from the month after the "
        f"last it knew to the latest that has come{f'; the last {MONTHS} months' if len(rows) < len(whole) else ''}. "
        f"The axis does not begin at 0.",
    )
    return [tag("h4", title(domain, rows)), chart]


def title(domain: Domain, rows: pd.DataFrame) -> str:
    """Say how far forecasts missed the total, made longest and shortest before."""
    lags = sorted(rows["lag"].unique())
    said = {lag: missed(domain, rows[rows["lag"] == lag]) for lag in (lags[-1], lags[0])}
    if len(said) == 2 and len(set(said.values())) == 1:
        return f"The total of {domain.name}: forecasts made {ahead(lags[-1])} {said[lags[-1]]}, and so did those made {ahead(lags[0])}"
    return (
        f"The total of {domain.name}: forecasts {', '.join(f'made {ahead(lag)} {text}' for lag, text in said.items())}"
    )


def missed(domain: Domain, rows: pd.DataFrame) -> str:
    """Say by how much forecasts missed, as a share of what came; as an amount where that was 0."""
    error, size = (rows["predicted_value"] - rows["actual"]).abs(), rows["actual"].abs().sum()
    if not error.sum():
        return "met what came"
    return f"missed by {share(error.sum() / size) if size else compact(error.mean(), domain.unit)}"


def with_gaps(rows: pd.DataFrame, decimals: int) -> tuple[list, list]:
    """Return the months and values of all paths as one line, with a gap after each."""
    x, y = [], []
    for _, path in rows.groupby("cutoff", sort=True):
        x += [*dates(path["ds"]), None]
        y += [*(round(value, decimals) for value in path["predicted_value"]), None]
    return x[:-1], y[:-1]


def dates(months: pd.Series) -> list[str]:
    """Return months as a chart reads them."""
    return list(months.dt.strftime("%Y-%m-%d"))


def figure(domain: Domain, lines: list[Line], decimals: int, months: pd.Series) -> go.Figure:
    """Return the figure: the paths thin, what came above them, both named at the right."""
    first, last = months.min(), months.max()
    width = max(last - first, pd.Timedelta(days=60))
    axis = {**frame(domain, decimals)["yaxis"], "range": shown_range([line.y for line in lines])}
    axis.pop("rangemode")
    ticks = sorted(months.unique())[:: -(-months.nunique() // TICKS)]
    x = {"type": "date", "hoverformat": "%B %Y", "tickmode": "array", "tickvals": [f"{tick:%Y-%m-%d}" for tick in ticks],
         "ticktext": [f"{tick:%b<br>%Y}" for tick in ticks], "tickangle": 0, "showgrid": False,
         "range": [str((first - 0.02 * width).date()), str((last + 0.02 * width).date())]}  # fmt: skip
    drawn = [line.trace() for line in lines]
    drawn[0].update(line={"width": 1.2}, marker={"size": 3})
    drawn[1].update(line={"width": 2.2})
    return go.Figure(
        drawn,
        {**frame(domain, decimals), "height": 320, "showlegend": False, "hovermode": "closest", "xaxis": x, "yaxis": axis,
         "margin": {**frame(domain, decimals)["margin"], "r": ROOM}, **names(lines, axis["range"])},
    )  # fmt: skip
