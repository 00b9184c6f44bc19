"""What Excel itself draws in the workbook: a chart of each domain, the colours of the tabs, and bars in the columns of variance."""

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from forecasting import plots
from forecasting.contracts import DOMAINS
from forecasting.site.editions import InForce
from forecasting.site.sheets import HEADINGS, Book
from forecasting.site.views import COLUMNS, VIEWS, Column

TABS = dict(zip(DOMAINS, (plots.BLUE, plots.GREEN, plots.PURPLE), strict=True))
BELOW = "#9C3D7C"  # as on the pages
SHOWN = 36  # months of actuals in a chart
SIZE = {"width": 760, "height": 300}


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
    drawn.set_x_axis({"num_format": "mmm yyyy", "major_gridlines": {"visible": False}})
    drawn.set_y_axis({"major_gridlines": {"visible": True, "line": {"color": "#D9DDE3"}}})
    drawn.set_legend({"position": "bottom"})
    drawn.set_size(SIZE)
    return drawn if found else None


def span(rows: pd.DataFrame) -> tuple[int, int]:
    """Return the first and the last row of the sheet on which the total's last months stand: they come first, in order."""
    n = int((rows["aggregation"] == "total").sum())
    return HEADINGS + 1 + max(n - SHOWN, 0), HEADINGS + n
