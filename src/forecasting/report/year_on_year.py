"""Year on year: each year a line from January to December, and what the years came to, with the year to date."""

from html import escape

import pandas as pd
import plotly.graph_objects as go

from forecasting import plots
from forecasting.ledger import Domain, one_per_name
from forecasting.report.charts import BANDS, FIRST, LATER, SECOND, frame, rgba, values_by_series, visible_range
from forecasting.report.html import Chart, note, table, tag
from forecasting.report.order import natural_rank
from forecasting.report.periods import is_flow, together, word
from forecasting.wording import DASH, NO_PERCENTAGE, amounts_in, change_pct, count, decimals_for, month, number, percent

YEARS = 4  # the last ones, the current one among them
MONTHS = list(pd.date_range("2000-01-01", periods=12, freq="MS").strftime("%b"))
# The newest first. Lines differ in colour, marker and width, so that they can be told apart without colour as well.
STYLES = (
    (plots.BLUE, "circle", 2.6),
    (plots.PURPLE, "square", 1.6),
    (plots.GREEN, "triangle-up", 1.6),
    (plots.GREY, "x", 1.6),
)
HEAD = ["Year", "Months", "Same months of the year before", "Change", "Change %"]
KEY = ["region", "product_category"]

Values = dict[pd.Timestamp, float]


def years(rows: pd.DataFrame, most: int = YEARS) -> list[int]:
    """Return the last years of `ds`, the oldest first."""
    return sorted(set(pd.DatetimeIndex(rows["ds"]).year))[-most:]


def year_chart(domain: Domain) -> Chart:
    """Return one line a year for the total; the trend's choice of region and category holds here too."""
    decimals = decimals_for(domain.actuals["y"])
    actuals, future = (one_per_name(domain.shown(rows)) for rows in (domain.actuals, domain.future))
    traces, parts = [], []
    for n, (year, style) in enumerate(zip(reversed(years(actuals)), STYLES, strict=False)):
        traces.append(year_trace(year, style, LATER + n if n else FIRST))
        parts.append(by_name(actuals, year, "y", decimals))
    traces, parts = traces[::-1], parts[::-1]
    for year in years(future, most=len(future)):
        traces += forecast_traces(year)
        parts += [by_name(future, year, column, decimals) for column in ("hi_80", "lo_80", "predicted_value")]
    choices = all_choices(domain, actuals, future, parts, decimals)
    for trace, y in zip(traces, choices[0][2], strict=True):
        trace.update(x=MONTHS, y=y)
    figure = go.Figure(traces, layout(domain, decimals))
    figure.update_yaxes(range=choices[0][3])
    return Chart(figure, f"years-{domain.name}", label(domain), caption(domain), choices, table=table_id(domain))


def by_name(rows: pd.DataFrame, year: int, column: str, decimals: int) -> dict[tuple, list]:
    """Return the twelve values of a year by (region, category), None where there is none."""
    return values_by_series(rows, pd.date_range(f"{year}-01-01", periods=12, freq="MS"), column, decimals)


def all_choices(
    domain: Domain, actuals: pd.DataFrame, future: pd.DataFrame, parts: list[dict[tuple, list]], decimals: int
) -> list[list]:
    """Return [region, category, y values of every trace, y range, cells of the table, what it shows] of every series, the total first."""
    names = (
        actuals.sort_values(["rank", *KEY], key=natural_rank)[KEY].drop_duplicates().itertuples(index=False, name=None)
    )
    known, coming = by_month(actuals, "y"), by_month(future, "predicted_value")
    plan, found = year_plan(domain), []
    for name in names:
        y = [values.get(name, [None] * 12) for values in parts]
        shown, _ = visible_range([[]] * len(BANDS) + y, decimals)
        mine = known.get(name, {})
        both = {**coming.get(name, {}), **mine}
        sums = [year_sums(domain, both if with_forecast else mine, year) for _, year, with_forecast in plan]
        found.append([*name, y, shown, *year_rows(domain, [text for text, *_ in plan], sums)])
    return found


def by_month(rows: pd.DataFrame, column: str) -> dict[tuple, Values]:
    """Return the values of a column by (region, category) and month."""
    return {name: dict(zip(part["ds"], part[column].astype(float), strict=True)) for name, part in rows.groupby(KEY)}


def year_trace(year: int, style: tuple[str, str, float], rank: int) -> go.Scatter:
    """Return the empty line of one year of actuals, told in the place of its rank."""
    colour, symbol, width = style
    return go.Scatter(
        name=str(year),
        legendrank=rank,
        mode="lines+markers",
        line={"color": colour, "width": width},
        marker={"symbol": symbol, "size": 6},
    )


def forecast_traces(year: int) -> list[go.Scatter]:
    """Return the empty traces of a year's forecast: the ends of its 80 % range and the dashed line."""
    group = f"forecast {year}"
    edge = {"mode": "lines", "line": {"width": 0, "color": plots.FORECAST}, "legendgroup": group, "showlegend": False}
    fill = {"fill": "tonexty", "fillcolor": rgba(plots.FORECAST, plots.BAND_80)}
    line = {"color": plots.FORECAST, "dash": "dash", "width": 2.2}
    marker = {"symbol": "diamond", "size": 7}
    return [
        go.Scatter(name=f"{year}, 80 % up to", legendrank=SECOND + 2, **edge),
        go.Scatter(name=f"{year}, 80 % from", legendrank=SECOND + 1, **edge, **fill),
        go.Scatter(
            name=f"{year}, forecast",
            legendrank=SECOND,
            mode="lines+markers",
            line=line,
            marker=marker,
            legendgroup=group,
        ),
    ]


def layout(domain: Domain, decimals: int) -> dict:
    """Return the layout: the months of a year from left to right."""
    x = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": MONTHS,
        "showgrid": False,
        "range": [-0.3, 11.3],
    }
    return {**frame(domain, decimals), "height": 400, "xaxis": x}


def label(domain: Domain) -> str:
    """Return the text that stands for the chart."""
    drawn = ", ".join(map(str, years(domain.actuals)))
    return (
        f"{domain.title} by calendar month, a line for each of the years {drawn}, and the forecast with its 80 % range."
    )


def caption(domain: Domain) -> str:
    """Return the caption, as HTML."""
    return (
        f"{domain.title} in {escape(domain.unit) or 'its own unit'}, each year a line, known up to {month(domain.last_month)}. "
        "Dashed with diamonds: the published forecast with its 80 % range."
    )


def table_id(domain: Domain) -> str:
    """Return the id of the table below the chart."""
    return f"year-totals-{domain.name}"


def year_plan(domain: Domain) -> list[tuple[str, int, bool]]:
    """Return the rows of the table, the same for every series: what they are called, the year, whether forecasts count."""
    last = domain.last_month
    coming = pd.DatetimeIndex(sorted(domain.future["ds"].unique()))
    plan = []
    for year in sorted(set(coming.year), reverse=True):
        what = "with the forecast" if year == last.year else "forecast"
        plan.append((f"{up_to(year, coming[coming.year == year].max())}, {what}", year, True))
    for year in reversed(years(domain.actuals)):
        plan.append((up_to(year, last) if year == last.year else str(year), year, False))
    return plan


def up_to(year: int, last: pd.Timestamp) -> str:
    """Write a year that is known up to a month, «2025 to Jun»; a whole year is only its number."""
    return str(year) if last.month == 12 else f"{year} to {MONTHS[last.month - 1]}"


def year_sums(domain: Domain, values: Values, year: int) -> tuple[int, float | None, float | None]:
    """Return how many months of a year are known, what they come to, and the same months of the year before; None where unknown.

    `values` are those of one series by month; the year before counts where all of the same months are known.
    """
    months = [ds for ds in values if ds.year == year]
    now = together(domain, (values[ds] for ds in months))
    before = together(domain, (values.get(ds.replace(year=year - 1), float("nan")) for ds in months))
    return len(months), now, before


def year_rows(
    domain: Domain, names: list[str], sums: list[tuple[int, float | None, float | None]]
) -> tuple[list[list[str]], str]:
    """Return a row for each of `year_sums`, with the change between what is shown, and what the table shows, with its unit."""
    amount = amounts_in(domain.unit, *(pd.Series([row[i] for row in sums], dtype=float) for i in (1, 2)))
    rows = []
    for name, (n, now, before) in zip(names, sums, strict=True):
        change = None if now is None or before is None else amount.rounded(now) - amount.rounded(before)
        texts = [amount(now), amount(before), amount(change, plus=True)]
        rows.append([name, number(n), *texts, percent(change_pct(now, before), plus=True)])
    return rows, f"{domain.name} by year{amount.told(',')}"


def year_table(domain: Domain, chart: Chart) -> str:
    """Return what the years came to: the total, or what is chosen above."""
    head = [HEAD[0], HEAD[1], word(domain).capitalize(), *HEAD[2:]]
    *_, cells, text = chart.choices[0]
    rows = [[escape(text) for text in row] for row in cells]
    return table(head, rows, f"Total: {text}", id_=table_id(domain)) + dash_note(chart) + year_note(domain)


def dash_note(chart: Chart) -> str:
    """Say what a dash means; hidden while the table has none, and left out where it has none for any choice."""
    has_dash = [any(DASH in row for row in choice[4]) for choice in chart.choices]
    if not any(has_dash):
        return ""
    hidden = {} if has_dash[0] else {"hidden": ""}
    return tag("p", f"{DASH} {NO_PERCENTAGE}", "note", id=f"{chart.table}-dash", **hidden)


def year_note(domain: Domain) -> str:
    """Say what is compared with what."""
    text = "A year that has not ended is compared with the same months of the year before. "
    if not is_flow(domain):
        text += "A stock cannot be added up over months, so its month-ends are averaged. "
    coming = domain.future["ds"].nunique()
    text += f"With the forecast: actuals, and {count(coming, 'month')} of forecast. " if coming else ""
    return note(text.strip())
