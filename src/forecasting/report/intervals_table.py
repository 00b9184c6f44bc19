"""How a domain's intervals and sums were made: the errors that the intervals rest on, and what makes the sums agree."""

from html import escape

import pandas as pd

from forecasting.ledger import Domain
from forecasting.report.glossary import term
from forecasting.report.html import paragraph, table
from forecasting.tables import RECONCILIATIONS
from forecasting.wording import count, number

AGGREGATION_NAMES = {"total": "Total", "region": "Regions", "category": "Categories", "series": "Single series"}
METHODS = {
    "bottom_up": "the forecasts of the series are added up; those of the sums themselves are not used",
    "ols": "all forecasts, of series and of sums, are moved to the nearest ones that add up, each counting alike",
    "wls_struct": (
        "all forecasts, of series and of sums, are moved to the nearest ones that add up; a sum, of which more is known, moves "
        "others more the more series it holds"
    ),
    "lcc": (
        "the forecasts of the sums are kept, as far as they agree with each other; the series share the difference, each by its usual error"
    ),
}


def intervals(domain: Domain) -> str:
    """Return the method of the intervals with the errors behind each, and the method of the sums."""
    return (
        paragraph(
            f"Each is a {term('conformal interval')}: its width comes from the errors that the model made in the back-test, "
            "in months it did not know, not from assumptions. Errors are pooled over series of one kind, in units of each "
            "series' own size of errors, apart for the next three months and for later ones where there are enough of them."
        )
        + pool_table(domain)
        + sums(domain)
    )


def pool_table(domain: Domain) -> str:
    """Return on which errors, and how many, the intervals of each level rest."""
    rows = domain.pools.dropna(subset="interval_pool")
    rows = rows.assign(place=rows["aggregation"].map(list(AGGREGATION_NAMES).index)).sort_values(
        ["place", "first", "interval_pool"]
    )
    cells = [
        [
            AGGREGATION_NAMES[row["aggregation"]],
            str(row["first"]) if row["first"] == row["last"] else f"{row['first']} to {row['last']}",
            escape(pool_words(row["interval_pool"])),
            number(row["n"]),
        ]
        for row in rows.to_dict("records")
    ]
    head = ["Intervals of", "Months ahead", "Rest on the errors of", "Errors"]
    return table(head, cells, "The errors behind the intervals", (0, 1, 2), "not recorded") if cells else ""


def pool_words(pool: str) -> str:
    """Write the name of a pool of errors, «total, horizons 1-3», in words."""
    words = pool.replace("horizons ", "").replace("all", "all").split(", ")
    levels = {
        "series": "single series",
        "intermittent": "what sells now and then",
        "intermittent and other series": "all single series",
        "sums": "all sums",
        "total": "the total",
        "region": "regions",
        "category": "categories",
    }
    first = levels.get(words[0], words[0])
    rest = [f"{part.replace('-', ' to ')} months ahead" if part[0].isdigit() else part for part in words[1:]]
    return ", ".join([first, *rest])


def sums(domain: Domain) -> str:
    """Say how series and sums are made to agree, and by how much that method was the better one."""
    found = domain.manifest.explanation
    method = found.reconciliation
    if not method:
        return paragraph(
            f"Series and sums are made to agree ({term('reconciliation')}); the run did not note by which method."
        )
    text = f"Every sum is the sum of its series ({term('reconciliation')}): {escape(METHODS.get(method, method))}."
    mase = pd.Series(found.mase, dtype=float).dropna()
    if method in mase.index and len(mase) > 1:
        figures = "; ".join(f"{RECONCILIATIONS.get(name, name)} {number(value, 3)}" for name, value in mase.items())
        text += f" By {term('MASE')}, averaged over series, regions, categories and the total: {escape(figures)}."
        text += " Adding up is kept unless another is at least 1\N{NO-BREAK SPACE}% better."
    cut = found.cut.get("bounds")
    if cut:
        text += f" {count(cut, 'interval was', 'intervals were')} cut at zero, because the settings allow no negative values."
    return paragraph(text)
