"""Comparisons in words that are right for every sign: «4.2 % above», «120 k EUR below», never «an increase of −5 %»."""

from forecasting.wording.numbers import compact, is_known, percent

FAR = 2.0  # a change from which a percentage says little
NO_PERCENTAGE = f"not known, or no percentage: of zero, of or for a loss, or of more than {percent(100 * FAR, 0)}"


def change_pct(value: float | None, base: float | None) -> float | None:
    """Return the change from `base` in %, the same on every page.

    None where a percentage would mislead: no positive base, a loss, a change beyond `FAR`; or where one is not known.
    """
    if not (is_known(value) and is_known(base)) or base <= 0 or value < 0 or abs(value / base - 1) > FAR:
        return None
    return 100 * (value / base - 1)


def is_nothing(text: str) -> bool:
    """Return whether a written number shows no digit but zeros."""
    return not any(digit in text for digit in "123456789")


def difference(value: float, base: float, unit: str) -> str:
    """Write how far `value` is from `base`, without a sign: «4.2 %», «120 k EUR»; «» where nothing of it would be seen."""
    change = change_pct(value, base)
    shown = compact(abs(value - base)) if change is None else percent(abs(change))
    if is_nothing(shown):
        return ""
    return shown if change is not None else compact(abs(value - base), unit)


def signed(value: float, base: float, unit: str) -> str:
    """Write the change from `base` with its sign, for a card: «+4.2 %», «−120 k EUR»."""
    change = change_pct(value, base)
    return compact(value - base, unit, plus=True) if change is None else percent(change, plus=True)


def compared(value: float, base: float, unit: str) -> str:
    """Compare in words that a name can follow: «4.2 % above», «120 k EUR below», «about the same as», «the same as»."""
    size = difference(value, base, unit)
    if not size:
        return "the same as" if value == base else "about the same as"
    return f"{size} {'above' if value > base else 'below'}"


def revised(now: float, then: float, unit: str) -> str:
    """Say what became of a forecast: «was raised by 4.2 %», «was lowered by 120 k EUR», «is unchanged»."""
    size = difference(now, then, unit)
    if not size:
        return "is unchanged" if now == then else "is almost unchanged"
    return f"was {'raised' if now > then else 'lowered'} by {size}"


def amount(value: float, unit: str, domain: str) -> str:
    """Write an amount in a sentence; a negative profit is «a loss of 113 k EUR»."""
    if domain == "profit" and value < 0 and not is_nothing(compact(value)):
        return f"a loss of {compact(-value, unit)}"
    return compact(value, unit)
