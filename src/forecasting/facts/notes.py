"""What a reader must know of facts that passed the checks, a sentence each, whatever they were read from."""

from collections.abc import Iterable
from decimal import Decimal

from forecasting.facts.tables import TableSpec


def missing_names(spec: TableSpec, file: str, columns: Iterable[str]) -> list[str]:
    """Return a note for each of region and category that sales do not have; expenses may concern all regions."""
    named = ["region", "product_category"] if "net_amount" in spec.columns else []
    return [f"{file} has no {name}: it is 'All'." for name in named if name not in columns]


def missing_costs(file: str, n: int, n_rows: int, first: str, amount: Decimal) -> str:
    """Return a note on the n sales without a cost where others have one, which profit leaves out; `first`: the place of one, if known."""
    place = f" (the first is {first})" if first else ""
    return (
        f"{n:,} of {n_rows:,} sales in {file} have no cost{place}: "
        f"profit leaves them out, and with them a net amount of {amount:,.2f}."
    )


def negative_expenses(file: str) -> str:
    """Return a note on expenses that are mostly negative, as some books have them: they would add to profit."""
    advice = "money spent is a positive amount, so these add to profit. Turn the signs if that is not meant."
    return f"Most amounts in {file} are negative: {advice}"
