"""Numbers and dates as people read them: thousands separators, a real minus sign, month names, never «nan»."""

import math
from dataclasses import dataclass

import pandas as pd

MINUS = "−"
DASH = "–"  # stands for a value that is not known; the page says why beside it
SPACE = "\N{NO-BREAK SPACE}"
STEPS = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))
LEAST = 0.005  # below half a cent an amount is nothing
MULTIPLES = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"))


def is_known(value: object) -> bool:
    """Return whether `value` is a finite number (NULL, NaN, NaT and infinities are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def decimals_for(values: pd.Series) -> int:
    """Return the decimals that suit a whole column: 0 from a hundred on, 1 from ten on, else 2; 0 for whole numbers."""
    known = pd.to_numeric(values, errors="coerce").dropna()
    known = known[known.abs() < math.inf]
    largest = known.abs().max() if len(known) else 0.0
    if largest >= 100 or (known == known.round()).all():
        return 0
    return 1 if largest >= 10 else 2


def number(value: float | None, decimals: int = 0, plus: bool = False) -> str:
    """Write a number in full, «−1,234,568»; `plus` shows the sign of positive ones; unknown is a dash."""
    if not is_known(value):
        return DASH
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0.,"):
        return text  # no «−0»
    return (MINUS if value < 0 else "+" if plus else "") + text


def three_digits(value: float) -> str:
    """Write a size below a thousand with three digits: 1.23, 12.3, 123."""
    for decimals, limit in ((2, 9.995), (1, 99.95)):
        if value < limit:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}"


def is_scaled(unit: str) -> bool:
    """Return whether the unit names a multiple already, as «million USD» does, so that a second one would confuse."""
    return any(word in unit.lower().split() for word in ("million", "millions", "thousand", "thousands", "billion"))


@dataclass(frozen=True)
class Amounts:
    """How one table writes its amounts: in which multiple of their unit, and with how many decimals of that.

    An amount of which these would leave nothing is written with as many decimals as it takes: 312 EUR are 0.3 thousand, not 0.
    """

    unit: str = ""
    multiple: str = ""
    divisor: float = 1.0
    decimals: int = 0

    def __call__(self, value: float | None, plus: bool = False) -> str:
        """Write an amount that is given in the unit itself; unknown is a dash."""
        return number(value / self.divisor, self.decimals_of(value), plus) if is_known(value) else DASH

    def decimals_of(self, value: float) -> int:
        """Return with how many decimals an amount is written."""
        size = abs(value) / self.divisor
        would_vanish = bool(self.multiple) and size < 0.5 * 10**-self.decimals and abs(value) >= LEAST
        return math.ceil(-math.log10(size)) if would_vanish else self.decimals

    def rounded(self, value: float) -> float:
        """Return an amount as it is written, in the unit itself."""
        return round(value, self.decimals_of(value) - round(math.log10(self.divisor))) if is_known(value) else value

    def told(self, text: str) -> str:
        """Say in a caption what the amounts are in, «, in thousand EUR»; nothing where there is nothing to say."""
        name = f"{self.multiple} {self.unit}".strip() if self.unit else self.multiple and f"{self.multiple}s"
        return f"{text} in {name}" if name else ""

    @property
    def digits(self) -> int:
        """The decimals of an amount in the unit itself, as `round` takes them: −3 where whole thousands are shown."""
        return self.decimals - round(math.log10(self.divisor))


def amounts_in(unit: str, *columns: pd.Series) -> Amounts:
    """Return how a table writes the amounts in some of its columns: as short as they still tell what they tell.

    The largest has at most five digits before the point, but a multiple is taken only where three quarters of each column's amounts
    are one of it or more; below ten of it, one decimal is shown. A unit that is a multiple already gets no second one.
    """
    largest, typical = sizes_of(columns)
    if not is_scaled(unit):
        for divisor, multiple in MULTIPLES:
            if largest >= 100 * divisor and typical >= divisor:
                return Amounts(unit, multiple, divisor, 0 if typical >= 10 * divisor else 1)
    return Amounts(unit, decimals=decimals_for(pd.concat(columns)) if columns else 0)


def sizes_of(columns: tuple[pd.Series, ...]) -> tuple[float, float]:
    """Return the largest size in some columns, and the least of their lower quartiles, of what is more than nothing beside the largest."""
    sizes = [pd.to_numeric(column, errors="coerce").astype(float).abs() for column in columns]
    sizes = [size[size < math.inf] for size in sizes]
    largest = max((size.max() for size in sizes if len(size)), default=0.0)
    counted = [size[size > 1e-9 * largest] for size in sizes]
    return largest, min((size.quantile(0.25) for size in counted if len(size)), default=0.0)


def compact(value: float | None, unit: str = "", plus: bool = False) -> str:
    """Write a number for a card, «1.23 M EUR»; below ten thousand, or in a scaled unit, it is written in full."""
    if not is_known(value):
        return DASH
    tail = SPACE + unit if unit else ""
    size = abs(value)
    if size < 9999.5 or is_scaled(unit):
        return number(value, 0 if size >= 100 or float(value).is_integer() else 1, plus) + tail
    scale, suffix = next(step for step in STEPS if size >= 0.9995 * step[0])
    sign = MINUS if value < 0 else "+" if plus else ""
    return f"{sign}{three_digits(size / scale)}{SPACE}{suffix}{tail}"


def percent(value: float | None, decimals: int = 1, plus: bool = False) -> str:
    """Write a percentage that is already in per cent, «+12.3 %»; from a thousand on without decimals."""
    if not is_known(value):
        return DASH
    return number(value, 0 if abs(value) >= 1000 else decimals, plus) + SPACE + "%"


def share(fraction: float | None, decimals: int = 1, plus: bool = False) -> str:
    """Write a fraction as a percentage: 0.805 is «80.5 %»."""
    return percent(fraction * 100 if is_known(fraction) else None, decimals, plus)


def between(low: float | None, high: float | None, unit: str = "") -> str:
    """Write a range for a card, «1.10 M to 1.35 M EUR»."""
    if not (is_known(low) and is_known(high)):
        return DASH
    if is_scaled(unit):
        return f"{compact(low, unit).removesuffix(SPACE + unit)} to {compact(high, unit)}"
    return f"{compact(low)} to {compact(high, unit)}"


def month(value: object, short: bool = False) -> str:
    """Write a month, «December 2013» or «Dec 2013»; unknown is a dash."""
    if value is None or pd.isna(value):
        return DASH
    return pd.Timestamp(value).strftime("%b %Y" if short else "%B %Y").replace(" ", SPACE)


def day(value: object) -> str:
    """Write a date, «29 November 2013»; unknown is a dash."""
    if value is None or pd.isna(value):
        return DASH
    stamp = pd.Timestamp(value)
    return f"{stamp.day} {stamp.strftime('%B %Y')}".replace(" ", SPACE)


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a number of things, «1 month», «12 months», «3 series»."""
    return f"{number(n)}{SPACE}{noun if n == 1 else plural or noun + 's'}"


def listing(items: list[str]) -> str:
    """Join names as a sentence does: «a, b and c»."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""


def capital(text: str) -> str:
    """Begin a text with a capital, the rest as it is."""
    return text[:1].upper() + text[1:]
