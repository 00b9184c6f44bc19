"""What a planner wants, in a few words, the same in the terminal, on the pages and in the dashboard."""

import pandas as pd

from forecasting.wording.numbers import SPACE, decimals_for, month, number


def override_months(first: object, until: object) -> str:
    """Write the months that an override holds for: «Jul 2025», «Jul 2025 to Sep 2025», or «until Sep 2025» where it has no first one."""
    last = month(until, short=True)
    if pd.isna(first):
        return f"until {last}"
    return last if first == until else f"{month(first, short=True)} to {last}"


def override_amount(kind: str, amount: float) -> str:
    """Write what an override wants: «+10 %» of the forecast's size, or a value."""
    return f"{amount:+g}{SPACE}%" if kind == "percent" else number(amount, decimals_for(pd.Series([amount])))
