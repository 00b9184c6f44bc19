"""What a reader must know first: rules that look for it in what was published, ranked by the money it is about and by how surprising it is.

Every rule returns findings with the money at stake, in the domain's unit, and a surprise: how far something is from what was to be
expected, in halves of an 80 % range, so 1 for what happens in two of ten months. First comes the largest product of both, the money in
months of the domain (its mean absolute month), so that sales and profit can be compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.report import restatements
from forecasting.report.champion import misses
from forecasting.report.html import bullets, choosing
from forecasting.report.notices import listed, readable
from forecasting.report.periods import named
from forecasting.report.sums import open_month, points
from forecasting.run import Champion
from forecasting.wording import SPACE, between, compact, day, is_known, is_nothing, month, percent, share

SHOWN = 5  # findings in sight; the others are folded
SIGN = 2.0  # surprise of a forecast below zero where the year before was not
AGAIN = 0.5  # and where it was
TOLD = ("restated",)  # codes of warnings that are findings here
HALF = 0.5  # of a month, and of what was to be expected of it by then
PARTS = 3  # parts of a domain that are named for the same reason


@dataclass(frozen=True)
class Finding:
    """Something to look at: `text` is HTML, `head` the same in a few words for the headline, empty where it is none."""

    text: str
    money: float
    surprise: float
    head: str = ""

    def weight(self, usual: float) -> float:
        """Return what it is ranked by: money in months of the domain, times surprise."""
        return self.money / usual * self.surprise if usual else 0.0


def ranked(domains: list[Domain]) -> list[Finding]:
    """Return the findings of all domains, what weighs most first."""
    found = [(one.weight(usual(domain)), one) for domain in domains for rule in RULES for one in rule(domain)]
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]


def usual(domain: Domain) -> float:
    """Return the mean absolute month of a domain's total in the last year."""
    last = at(domain.actuals, "total").sort_values("ds")["y"].tail(12).abs().mean()
    return float(last) if is_known(float(last)) else 0.0


def link(domain: Domain, name: str) -> str:
    """Return a link to a domain's page."""
    return f'<a href="{domain.name}.html">{escape(name)}</a>'


def subject(domain: Domain) -> str:
    """Return what a domain counts: «Sales», «Operating profit»."""
    return domain.measure.capitalize() if domain.name == "profit" else domain.title


def losses(domain: Domain) -> list[Finding]:
    """Find coming months whose total is expected below zero."""
    coming, known = points(domain), at(domain.actuals, "total").set_index("ds")["y"]
    below = coming[coming < 0]
    if below.empty or is_nothing(compact(below.sum())):
        return []
    before = [known.get(ds - pd.DateOffset(years=1)) for ds in below.index]
    is_new = any(value is None or value >= 0 for value in before)
    text = f"{link(domain, subject(domain))} is expected below zero in <strong>{named(below.index)}</strong>"
    text += f": {escape(compact(below.sum(), domain.unit))}{' together' if len(below) > 1 else ''}"
    if all(is_known(value) for value in before):
        text += f"; {escape(compact(float(np.sum(before)), domain.unit))} a year before"
    if len(below) == 1:
        row = at(domain.future, "total").set_index("ds").loc[below.index[0]]
        text += f"; 80{SPACE}% range {escape(between(row['lo_80'], row['hi_80'], domain.unit))}"
    head = f"{subject(domain).lower()} below zero in {named(below.index, year=False)}{'' if is_new else ', as a year before'}"
    return [Finding(text + ".", abs(float(below.sum())), SIGN if is_new else AGAIN, head)]


def missed(domain: Domain) -> list[Finding]:
    """Find where the last closed month ended outside its 80 % range: the total, and the parts furthest off a published forecast."""
    rows = domain.past[domain.past["ds"] == domain.last_month]
    rows = rows[(rows["actual"] < rows["lo_80"]) | (rows["actual"] > rows["hi_80"])]
    found = [miss(domain, "total", row) for row in at(rows, "total").to_dict("records")]
    for aggregation in ("region", "category", "series"):
        part = at(rows[rows["is_published"].astype(bool)], aggregation)
        part = part.sort_values("variance", key=abs, ascending=False, kind="stable").head(PARTS)
        found += [miss(domain, aggregation, row) for row in part.to_dict("records")]
    return found


def miss(domain: Domain, aggregation: str, row: dict) -> Finding:
    """Return the finding of one actual outside its range."""
    width = (row["hi_80"] - row["lo_80"]) / 2
    surprise = abs(row["variance"]) / width if width > 0 else 1.0
    side, unit = ("above" if row["variance"] > 0 else "below"), domain.unit
    who = link(domain, domain.title)
    if aggregation != "total":
        who += ", " + choosing(
            row["region"], row["product_category"], escape(restatements.name(row)), f"{domain.name}.html"
        )
    what = "of its forecast" if row["is_published"] else "that this model would have said"
    pct = f" ({percent(abs(row['variance_pct']))})" if is_known(row["variance_pct"]) else ""
    text = (
        f"{who}: {month(row['ds'])} was <strong>{escape(compact(row['actual'], unit))}, "
        f"{escape(compact(abs(row['variance']), unit))}{pct} {side}</strong> the {escape(compact(row['predicted_value'], unit))} {what}, "
        f"outside the 80{SPACE}% range of {escape(between(row['lo_80'], row['hi_80'], unit))}."
    )
    head = f"{month(row['ds'])} {domain.name} {side} what was to be expected" if aggregation == "total" else ""
    return Finding(text, abs(row["variance"]), surprise, head)


def restated(domain: Domain) -> list[Finding]:
    """Find published months that have other values now; so many that the forecast is in doubt are a warning instead."""
    if not any(warning.severity != "high" for warning in restatements.warnings(domain)):
        return []
    money = float(domain.restated["change"].abs().sum())
    text = f"{link(domain, domain.title)}: {escape(restatements.sentence(domain, restatements.totals(domain)))}"
    return [Finding(text, money, 1.0)]


def beaten(domain: Domain) -> list[Finding]:
    """Find a total for which repeating last year missed less than the forecast."""
    mine, naive, n = misses(domain)
    if not (is_known(mine) and is_known(naive)) or mine <= naive:
        return []
    champion = domain.manifest.champion
    gain = 1 - champion.mase_held_out / champion.seasonal_naive_mase_held_out if is_better(champion) else 0.0
    used = f"because it missed the single series by {share(gain, 0)} less" if gain else "all the same"
    text = (
        f"{link(domain, domain.title)}: for the total, <strong>repeating last year missed less</strong> in the past ({share(naive)} "
        f"against {share(mine)}, {n} forecasts each); "
        f'the forecast is used {used}<span class="elsewhere"> (<a href="model_card.html#{domain.name}">more</a>)</span>.'
    )
    return [Finding(text, (mine - naive) * usual(domain), 1.0)]


def is_better(champion: Champion) -> bool:
    """Say whether a champion missed less than repeating last year over the single series, at the cutoffs that did not choose it."""
    mine, naive = champion.mase_held_out, champion.seasonal_naive_mase_held_out
    return is_known(mine) and is_known(naive) and mine < naive


def under_way(domain: Domain) -> list[Finding]:
    """Find an open month of sales that is half over and of which less than half of what was to be expected by then has come in."""
    known = open_month(domain)
    if known is None or known.until is None:
        return []
    expected = points(domain)[known.ds]
    by_then = expected * known.until.day / known.ds.days_in_month
    if known.until.day < HALF * known.ds.days_in_month or known.amount >= HALF * by_then:
        return []
    amount, when = compact(known.amount, domain.unit), f"{known.ds:%B} so far"
    text = (
        f"{link(domain, domain.title)}: <strong>{when} is {escape(amount)}</strong> up to {day(known.until)}, "
        f"{percent(100 * known.amount / expected)} of its forecast: facts may be missing, or the forecast is far off."
    )
    return [Finding(text, by_then - known.amount, SIGN, f"{when} only {amount}")]


def watched(domain: Domain) -> list[Finding]:
    """Find what the monitor asks of people."""
    found = domain.monitor
    if found.verdict not in ("ask a person", "retrain") or not found.reasons:
        return []
    advice = {"ask a person": "somebody who knows the company should look", "retrain": "the models are to learn anew"}[
        found.verdict
    ]
    reasons = " ".join(escape(readable(reason["text"])) for reason in found.reasons)
    text = f'{link(domain, domain.title)}: <strong>{advice}</strong>. {reasons} <a href="accuracy.html#came-due">Measured</a>.'
    return [Finding(text, usual(domain), 1.0)]


RULES: tuple[Callable[[Domain], list[Finding]], ...] = (losses, missed, under_way, restated, beaten, watched)


def look_at(domains: list[Domain], missing: list[str]) -> tuple[str, str]:
    """Return what to look at as a list, the weightiest first, and the rest, with what the data checks noted, as another.

    `missing` are sentences on what there are no facts for: they come last.
    """
    found = [one.text for one in ranked(domains)]
    noted = listed(domains, "medium", named=True, without=TOLD)
    rest = [*found[SHOWN:], *noted, *map(escape, missing)]
    return bullets(found[:SHOWN]) if found else "", bullets(rest) if rest else ""
