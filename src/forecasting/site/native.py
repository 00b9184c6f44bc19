"""What Excel itself draws in the workbook: a chart of each domain, the colours of the tabs, and bars in the columns of variance."""

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from forecasting import plots
from forecasting.contracts import DOMAINS
from forecasting.site.editions import InForce
from forecasting.site.sheets import HEADINGS, Book, amount_pattern, serial
from forecasting.site.views import COLUMNS, VIEWS, Column

TABS = dict(zip(DOMAINS, (plots.BLUE, plots.GREEN, plots.PURPLE), strict=True))
BELOW = "#9C3D7C"  # as on the pages
SHOWN = 36  # months of actuals in a chart
SIZE = {"width": 620, "height": 300}  # pixels
HALF_YEAR = 184  # days between two ticks: from a January or July on, each lies in the next July or January


def coloured(sheet: Worksheet, domain: str) -> None:
    """Give a tab the colour of its domain."""
    sheet.set_tab_color(TABS[domain])


def bars(sheet: Worksheet, columns: list[Column], n: int) -> None:
    """Show the variance in % of each of `n` rows as a bar, so that the largest are seen at once."""
    if n and COLUMNS["variance_share"] in columns:
        i = columns.index(COLUMNS["variance_share"])
        look = {
            "type": "data_bar",
            "data_bar_2010": True,
            "bar_solid": True,
            "bar_color": plots.SKY,
            "bar_negative_color": BELOW,
        }
        sheet.conditional_format(HEADINGS + 1, i, HEADINGS + n, i, look)


def chart(book: Book, run: InForce, actuals: pd.DataFrame, forecasts: pd.DataFrame) -> object:
    """Return a chart of a domain's total that reads the cells of its tabs; None where there is nothing to draw."""
    drawn = book.file.add_chart({"type": "scatter", "subtype": "straight"})
    lines = [("actuals", "y", actuals, "Actual", {"color": plots.ACTUAL, "width": 2.25})]
    lines += [("forecast", name, forecasts, text, look) for name, text, look in (
        ("predicted_value", "Forecast", {"color": plots.FORECAST, "width": 2.25}),
        ("lo_80", "80 % from", {"color": plots.FORECAST, "width": 0.75, "dash_type": "dash"}),
        ("hi_80", "80 % to", {"color": plots.FORECAST, "width": 0.75, "dash_type": "dash"}),
    )]  # fmt: skip
    found = [line for line in lines if (line[2]["aggregation"] == "total").any()]
    for view, column, rows, name, look in found:
        first, last = span(rows)
        tab = f"{run.title} {next(one.title for one in VIEWS if one.name == view)}"
        x, y = (list(rows.columns).index(one) for one in ("ds", column))
        drawn.add_series(
            {"name": name, "categories": [tab, first, x, last, x], "values": [tab, first, y, last, y], "line": look}
        )
    drawn.set_title(
        {"name": f"{run.title}: {run.measure}{f', {run.unit}' if run.unit else ''}", "name_font": {"size": 12}}
    )
    drawn.set_x_axis(months_axis([line[2] for line in found]))
    grid = {"visible": True, "line": {"color": "#D9DDE3"}}
    drawn.set_y_axis({"major_gridlines": grid, "num_format": amount_pattern(actuals["y"]), "line": {"none": True}})
    drawn.set_legend({"position": "bottom"})
    drawn.set_size(SIZE)
    return drawn if found else None


def months_axis(drawn: list[pd.DataFrame]) -> dict[str, object]:
    """Return the axis of the months of these tables, which is as long as they are and stands below negative amounts too."""
    months = pd.concat([rows.loc[rows["aggregation"] == "total", "ds"].tail(SHOWN) for rows in drawn])
    first = months.min() - pd.DateOffset(months=(months.min().month - 1) % 6)
    ends = dict(zip(("min", "max"), serial(pd.Series([first, months.max() + pd.DateOffset(months=1)])), strict=True))
    look = {"num_format": "mmm yyyy", "major_gridlines": {"visible": False}, "label_position": "low"}
    return look | ends | {"major_unit": HALF_YEAR}


def span(rows: pd.DataFrame) -> tuple[int, int]:
    """Return the first and the last row of the sheet on which the total's last months stand: they come first, in order."""
    n = int((rows["aggregation"] == "total").sum())
    return HEADINGS + 1 + max(n - SHOWN, 0), HEADINGS + n
