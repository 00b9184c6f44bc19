"""How numbers, months and comparisons are written, the same on every page, card and button.

In: numbers and dates. Out: text: «1.23 M EUR», «−4.2 %», «December 2013», never «nan»; names that spreadsheets take for text.
"""

from forecasting.wording.comparisons import NO_PERCENTAGE, amount, change_pct, compared, is_nothing, revised, signed
from forecasting.wording.numbers import (
    DASH,
    MINUS,
    SPACE,
    Amounts,
    amounts_in,
    between,
    capital,
    compact,
    count,
    day,
    decimals_for,
    is_known,
    is_scaled,
    listing,
    month,
    number,
    percent,
    share,
)
from forecasting.wording.overrides import override_amount, override_months
from forecasting.wording.spreadsheets import sql_as_text, without_formulas

__all__ = [
    "DASH", "MINUS", "NO_PERCENTAGE", "SPACE", "Amounts", "amount", "amounts_in", "between", "capital", "change_pct", "compact",
    "compared", "count", "day", "decimals_for", "is_known", "is_nothing", "is_scaled", "listing", "month", "number",
    "override_amount", "override_months", "percent", "revised", "share", "signed", "sql_as_text", "without_formulas",
]  # fmt: skip
