"""How far a domain's forecast for the same month moves from one month's report to the next, in one sentence."""

from forecasting.ledger import Domain, at
from forecasting.report.glossary import term
from forecasting.report.html import paragraph
from forecasting.report.periods import span
from forecasting.wording import number

SAID = {
    "published": "From one published report to the next",
    "held_out": "In the back-test on the cutoffs held out, from one month to the next",
}


def sentence(domain: Domain) -> str:
    """Say how far the forecast of the total moved: as published or, until there is enough of that, in the back-test; «» where unknown."""
    rows = at(domain.accuracy, "total")
    rows = rows[(rows["horizon_group"] == "all") & rows["is_champion"] & rows["masc"].notna()]
    for kind, found in (
        ("published", rows[rows["forecast_kind"] == "published"]),
        ("held_out", rows[(rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == "held_out")]),
    ):
        if len(found):
            row = found.iloc[0]
            over = span([row["first_cutoff"], row["last_cutoff"]])
            return paragraph(
                f"{SAID[kind]}, the forecast of the total for the same month moved by {number(row['masc'], 2)} of a typical error on "
                f"average ({term('stability')}; data up to {over}): a typical error is how far repeating last year missed in the history."
            )
    return ""
