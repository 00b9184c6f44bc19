"""The signs, words and codes of currencies as they stand before or after amounts; spellings of one currency belong together."""

import re

from forecasting.facts.unused import CODES

# ISO code (or the sign alone, where it is that of several) → how else it is written
SPELLINGS = {
    "EUR": ("€", "Euro", "Euros"), "USD": ("$", "US$", "US $"), "GBP": ("£",), "JPY": ("¥", "￥", "円"), "CNY": ("RMB", "CN¥", "元"),
    "CHF": ("Fr", "SFr"), "kr": ("kr",), "PLN": ("zł", "zl"), "CZK": ("Kč",), "HUF": ("Ft",), "RON": ("lei",), "BGN": ("лв",),
    "TRY": ("₺", "TL", "TRY"), "RUB": ("₽", "руб"), "UAH": ("₴",), "INR": ("₹", "Rs"), "BRL": ("R$",), "ILS": ("₪",), "KRW": ("₩",),
    "THB": ("฿",), "VND": ("₫",), "PHP": ("₱",), "NGN": ("₦",), "GEL": ("₾",), "KZT": ("₸",), "AUD": ("A$", "AU$"), "CAD": ("C$", "CA$"),
    "NZD": ("NZ$",), "HKD": ("HK$",), "SGD": ("S$",), "MXN": ("MX$",), "TWD": ("NT$",), "ZAR": ("R",),
}  # fmt: skip
FAMILIES = {code: (*SPELLINGS.get(code, ()), code) for code in dict.fromkeys([*SPELLINGS, *CODES.split()])}
KNOWN = {spelling.casefold(): code for code, spellings in FAMILIES.items() for spelling in spellings}


def family_of(text: str) -> str | None:
    """Return the currency of what stands around an amount, without blanks and dots; None where it is none, or two that differ."""
    letters = text.casefold().replace(" ", "").replace(".", "")
    if letters in KNOWN:
        return KNOWN[letters]
    halves = {(KNOWN.get(letters[:i]), KNOWN.get(letters[i:])) for i in range(1, len(letters))}
    return next((one for one, other in halves if one and one == other), None)


def shape_of(currency: str) -> str:
    """Return the regular expression of all spellings of the currency that one of them stands for."""
    spellings = sorted(FAMILIES[KNOWN[currency.casefold()]], key=len, reverse=True)
    texts = (re.sub(r"[$.|+*?]", r"\\\g<0>", spelling).replace(" ", " *") for spelling in spellings)
    return rf"(?i:{'|'.join(texts)})\.?"


def is_currency(met: str, stated: str | None) -> bool:
    """Say whether a sign stands for the currency that a user states, perhaps with a unit: 'EUR', 'million USD'."""
    return any(KNOWN.get(word.casefold()) == KNOWN[met.casefold()] for word in (stated or "").split())
