"""The champion's back-test in detail: by months ahead, by region and by category, on the cutoffs that chose no model."""

from html import escape

import pandas as pd

from forecasting.ledger import FEW, SHOWN, Domain, at
from forecasting.models import model_name
from forecasting.report import provenance
from forecasting.report.html import Cell, fold, note, table
from forecasting.report.track_record import Measures, Together, measures
from forecasting.wording import amounts_in, count, number, share

PARTS = {"region": "region", "category": "product_category"}
MISSING = "cannot be computed: every actual or every change on the year is 0"


def details(domain: Domain, rows: pd.DataFrame, measured: list[Together] | None = None) -> str:
    """Return the champion's back-test by months ahead, region and category, each folded; nothing without a back-test.

    `measured`: of all series, where they are too many for all of them to be among the rows.
    """
    if rows.empty:
        return ""
    return by_months_ahead(domain, rows, measured) + "".join(by_part(domain, rows, part) for part in PARTS)


def by_months_ahead(domain: Domain, rows: pd.DataFrame, measured: list[Together] | None) -> str:
    """Return the champion's back-test by months ahead, for the total and over the series."""
    parts = []
    for level, of in (("total", "the total"), ("series", "single series")):
        found = {count(int(lag), "month"): measures(part) for lag, part in at(rows, level).groupby("lag")}
        if level == "series" and measured is not None:
            found = {count(each.measures.lag, "month"): each.measures for each in measured}
        parts.append(accuracy_of(domain, found, "Ahead", f"Back-test of {of} by months ahead"))
    whole = note("Of all series, not of the sample.") if provenance.sample(domain.accuracy) else ""
    return fold("By months ahead", who(domain, rows) + whole + "".join(parts))


def by_part(domain: Domain, rows: pd.DataFrame, part: str) -> str:
    """Return the champion's back-test by region or category, the largest first; a sentence where there is only one."""
    mine = at(rows, part)
    names = mine.groupby(PARTS[part], observed=True)
    if len(names) < 2:
        return fold(f"By {part}", note(f"The facts know one {part} only."))
    size = (
        mine["actual"].abs().groupby(mine[PARTS[part]], observed=True).sum().sort_values(ascending=False, kind="stable")
    )
    hidden = len(size) > FEW
    found = {escape(str(name)): measures(names.get_group(name)) for name in size.index[: SHOWN if hidden else None]}
    first = f"the {SHOWN} largest of {number(len(size))}" if hidden else "the largest first"
    body = accuracy_of(domain, found, part.capitalize(), f"Back-test by {part}, {first}", sortable=True)
    return fold(f"By {part}", who(domain, rows) + body)


def who(domain: Domain, rows: pd.DataFrame) -> str:
    """Say whose back-test it is and on how many cutoffs it rests."""
    cutoffs = count(rows["cutoff"].nunique(), "cutoff")
    return note(f"The champion ({escape(model_name(domain.champion))}), on the {cutoffs} held out.")


def accuracy_of(domain: Domain, found: dict[str, Measures], first: str, caption: str, sortable: bool = False) -> str:
    """Return one row per name (HTML) with its accuracy."""
    biases, gains = ([getattr(one, name) for one in found.values()] for name in ("bias", "fva"))
    amount = amounts_in(domain.unit, pd.Series(biases, dtype=float), pd.Series(gains, dtype=float))
    cells = [
        [
            label,
            share(one.wape),
            number(one.mase, 2),
            number(one.masc, 2),
            Cell(amount(one.bias, plus=True), one.bias),
            share(one.bias_share, plus=True),
            share(one.coverage_80.share, 0),
            share(one.coverage_95.share, 0),
            Cell(amount(one.fva, plus=True), one.fva),
            share(one.fva_share, 0, plus=True),
            number(one.n),
        ]
        for label, one in found.items()
    ]
    head = [
        first,
        "WAPE",
        "MASE",
        "Stability",
        "Bias",
        "Bias, %",
        "Inside 80 %",
        "Inside 95 %",
        "FVA",
        "FVA, %",
        "Forecasts",
    ]
    return table(
        head, cells, caption + amount.told("; bias and FVA"), missing=MISSING, tall=len(cells) > 12, sortable=sortable
    )
