"""What is out of the ordinary among the published forecasts: actuals outside their interval, forecasts that lean to one side."""

from html import escape

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report.html import Cell, fold, note, table
from forecasting.report.track_chart import ahead
from forecasting.report.track_record import SIGNAL_LIMIT, misses, said, signals
from forecasting.wording import Amounts, amounts_in, count, month, number, percent, share

SHOWN = 12  # rows from which a table scrolls
LIMIT = 60  # rows that are listed
AGGREGATION_NAMES = {"total": "Total", "region": "Region", "category": "Category", "series": "Series"}


def name(aggregation: str, unique_id: str) -> str:
    """Write a node as people do, as HTML: «Total», «East», «Bikes», «East/Bikes»."""
    if aggregation == "total":
        return "Total"
    parts = unique_id.split("/", 1)
    text = {"region": parts[0], "category": parts[-1]}.get(aggregation, unique_id)
    return escape(text).replace("/", "/<wbr>")


def hidden(n: int) -> str:
    """Say how many rows are not listed."""
    return note(f"The first {number(LIMIT)} of {number(n)} are listed.") if n > LIMIT else ""


def outside(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `track_record.signals` beyond the limit, the furthest first."""
    out = found[found["signal"].abs() > SIGNAL_LIMIT]
    return out.iloc[out["signal"].abs().argsort(kind="stable")[::-1]]


def leaning_table(domain: Domain, record: pd.DataFrame) -> str:
    """Return the regions, categories and series whose forecasts lean to one side; a sentence where none does."""
    parts = record[record["aggregation"] != "total"]
    found = outside(signals(parts))
    if found.empty:
        return note(f"No region, category or series has a tracking signal beyond ±{SIGNAL_LIMIT:.0f}.")
    amount = amounts_in(domain.unit, found["bias"].head(LIMIT))
    cells = [
        [
            name(row["aggregation"], row["unique_id"]),
            AGGREGATION_NAMES[row["aggregation"]],
            Cell(ahead(row["lag"]), row["lag"]),
            number(row["n"]),
            Cell(amount(row["bias"], plus=True), row["bias"]),
            Cell(share(row["bias_share"], plus=True), row["bias_share"]),
            Cell(number(row["signal"], 1, plus=True), row["signal"]),
            "too high" if row["signal"] > 0 else "too low",
        ]
        for row in found.head(LIMIT).to_dict("records")
    ]
    head = [
        "Name",
        "Level",
        said(record).capitalize(),
        "Months",
        "Bias",
        "Bias, %",
        "Tracking signal",
        "They keep being",
    ]
    caption = f"Forecasts that lean to one side{amount.told(', bias')}"
    body = table(head, cells, caption, (0, 1, 2, 7), "of nothing", tall=len(cells) > SHOWN, sortable=True)
    return fold(f"{count(len(found), 'forecast')} of parts that lean to one side", body + hidden(len(found)))


def miss_tables(domain: Domain, record: pd.DataFrame) -> str:
    """Return the months in which an actual left its interval: of the total, then of regions and categories, then of series."""
    found = misses(record)
    if found.empty:
        return note("No actual left its 80\N{NO-BREAK SPACE}% interval.")
    total = at(found, "total")
    sums, series = found[found["aggregation"].isin(["region", "category"])], at(found, "series")
    none = note("The total never left its 80\N{NO-BREAK SPACE}% interval.")
    parts = [
        miss_table(domain, total, "Months in which the total left its interval") if len(total) else none,
        folded(domain, sums, "Months in which a region or category left its interval", "of regions and categories"),
        folded(domain, series, "Months in which a series left its interval", "of single series"),
    ]
    return "".join(parts)


def folded(domain: Domain, rows: pd.DataFrame, caption: str, of: str) -> str:
    """Return a folded table of misses; nothing where there are none."""
    if rows.empty:
        return ""
    far = int((rows["level"] == 95).sum())
    what = f"{count(len(rows), 'actual')} {of} outside 80 %, {number(far)} of them outside 95 %"
    return fold(
        what.replace(" %", "\N{NO-BREAK SPACE}%"),
        miss_table(domain, rows.head(LIMIT), caption) + hidden(len(rows)),
        "screen" if rows["aggregation"].eq("series").all() else "",
    )


def miss_table(domain: Domain, rows: pd.DataFrame, caption: str) -> str:
    """Return rows of `track_record.misses`, the latest month first, with what lay how far beyond which bound."""
    amount = amounts_in(domain.unit, rows["actual"], rows["beyond"])
    cells = [miss_row(row, amount) for row in rows.to_dict("records")]
    head = [
        "Month",
        "Name",
        said(rows).capitalize(),
        "Actual",
        "Interval from",
        "to",
        "Left",
        "Beyond by",
        "% of the forecast",
    ]
    missing = "no share of a forecast of 0"
    return table(head, cells, caption + amount.told(","), (0, 1, 2, 6), missing, tall=len(cells) > SHOWN, sortable=True)


def miss_row(row: dict, amount: Amounts) -> list[str]:
    """Return the cells of one actual outside its interval."""
    part = abs(row["beyond"] / row["predicted_value"]) if row["predicted_value"] else None
    side = "below" if row["beyond"] < 0 else "above"
    return [
        Cell(month(row["ds"], short=True), f"{row['ds']:%Y-%m}"),
        name(row["aggregation"], row["unique_id"]),
        Cell(ahead(row["lag"]), row["lag"]),
        Cell(amount(row["actual"]), row["actual"]),
        Cell(amount(row["low"]), row["low"]),
        Cell(amount(row["high"]), row["high"]),
        f"{percent(row['level'], 0)}, {side}",
        Cell(amount(abs(row["beyond"])), abs(row["beyond"])),
        Cell(share(part), part),
    ]
