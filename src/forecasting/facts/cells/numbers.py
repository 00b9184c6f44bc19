"""One way of writing numbers, and the SQL that reads it: what it does not cover is no number, never another one.

Read in any style, since they have one meaning: blanks and apostrophes between thousands, a minus before or after («177.41-», «−5»),
parentheses for a minus, a dash alone for zero, exponents. What has two meanings is of a style: the decimal mark, the currency, percent.
"""

import re
from dataclasses import dataclass

from forecasting.errors import UserError
from forecasting.facts.cells.currencies import KNOWN, shape_of
from forecasting.facts.cells.decision import ODD_BLANKS, UNSEEN
from forecasting.facts.tables import AMOUNT, literal

MARKS = {".": ",", ",": "."}  # decimal mark → what may part thousands with it
DASHES, APOSTROPHES = "−–—‐‑‒﹣－", "’‘ʼ′´`"
NO_NUMBER = r"(?i)[(+-]? *(nan|inf|infinity|∞) *\)?"
POWER = r"(?:[eE][+-]?\d{1,3})"
TEXT, NOT_FINITE = "text where a number belongs", "not a finite number"
TOO_LARGE, TOO_SMALL = "too large: below 10^14", "too small: four decimals are kept, it would be read as 0"


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written: '.' or ',' before decimals (None: no number has any), the currency at them, percent (n/100).

    currency: any spelling of it, None where there is none. A percent style reads cells with the sign only, any other cells without.
    """

    decimal_mark: str | None = None
    currency: str | None = None
    percent: bool = False

    def to_yaml(self) -> dict[str, object]:
        """Return what a mapping must state to read other files alike; keys that do not matter are left out."""
        known = {"decimal_mark": self.decimal_mark, "currency": self.currency, "percent": self.percent}
        return {key: value for key, value in known.items() if value}

    @classmethod
    def from_yaml(cls, stated: dict[str, object]) -> "NumberStyle":
        """Return the style that a mapping states; other keys are passed over.

        Raises
        ------
        UserError
            If a value is none that there is.
        """
        mark, currency, percent = stated.get("decimal_mark"), stated.get("currency"), stated.get("percent", False)
        currency = str(currency).rstrip(".") if currency is not None else None
        if mark not in (None, *MARKS):
            raise UserError(f"decimal_mark must be '.' or ',', found '{mark}'.")
        if currency is not None and currency.casefold() not in KNOWN:
            raise UserError(f"currency '{currency}' is not known. State its sign or its code, for example $ or EUR.")
        if not isinstance(percent, bool):
            raise UserError(f"percent must be true or false, found '{percent}'.")
        return cls(mark, currency, percent)

    def sql(self, cell: str) -> str:
        """Return the SQL of a text as a number that casts to DECIMAL(18, 4), itself a text with all its decimals; null where it is none."""
        amount = f"try_cast(v as {AMOUNT})"
        usable = f"{amount} is not null and ({amount} <> 0 or not {has_digits('v')})"
        return f"list_transform([{self.text(cell)}], lambda v: case when {usable} then v end)[1]"

    def text(self, cell: str) -> str:
        """Return the SQL of a text in plain digits, whatever its size; null where it is no number."""
        digits = f"regexp_extract(n, {literal(self.shape())}, 1)"
        for sign in (MARKS.get(self.decimal_mark or "", ""), " ", "''"):
            digits = f"replace({digits}, '{sign}', '')" if sign else digits
        size = digits if self.decimal_mark != "," else f"replace({digits}, ',', '.')"
        size = f"{size} || 'e-2'" if self.percent else size
        read = (
            f"case when regexp_full_match(n, {literal(self.shape('+'))}) then {size} "
            f"when regexp_full_match(n, {literal(self.shape('-'))}) then '-' || {size} "
            f"when regexp_full_match(n, {literal(self.nothing)}) then '0' end"
        )
        slow = f"list_transform([{plain(cell)}], lambda n: {read})[1]"
        return slow if self.percent else f"{self._quick(cell)} else {slow} end"

    def _quick(self, cell: str) -> str:
        """Return the SQL of a case that reads most numbers without a regular expression that captures."""
        money = f"(?:{re.escape(self.currency)})?" if self.currency else ""
        bare = f"when regexp_full_match({cell}, '[+-]?[0-9]+') then {cell}"
        if self.decimal_mark is None:
            return f"case {bare}"
        decimal, other = (rf"\{sign}" for sign in (self.decimal_mark, MARKS[self.decimal_mark]))
        shape = rf"[+-]?{money} ?(?:\d+|[1-9]\d{{0,2}}(?:{other}\d{{3}})+)(?:{decimal}\d*)? ?{money}"
        text = cell
        for sign in (self.currency, " ", MARKS[self.decimal_mark]):
            text = f"replace({text}, {literal(sign)}, '')" if sign else text
        text = text if self.decimal_mark == "." else f"replace({text}, ',', '.')"
        return f"case {bare} when regexp_full_match({cell}, {literal(shape)}) then {text}"

    def why(self, cell: str) -> str:
        """Return the SQL of the reason why a text is no number in this style; null where it is one, or empty."""
        n, number = plain(cell), self.text(cell)
        other = NumberStyle(MARKS.get(self.decimal_mark or ""), self.currency, self.percent)
        reasons = [
            (f"{number} is not null and try_cast({number} as {AMOUNT}) is null", TOO_LARGE),
            (f"{number} is not null", TOO_SMALL),
            (f"regexp_full_match({n}, {literal(NO_NUMBER)})", NOT_FINITE),
        ]
        if self.decimal_mark:
            called = {".": "point", ",": "comma"}
            reasons.append(
                (
                    f"{other.text(cell)} is not null",
                    f"a number without a decimal {called[self.decimal_mark]} as others have it",
                )
            )
        else:
            reasons += [(f"{NumberStyle(mark, self.currency, self.percent).text(cell)} is not null", "a number with a mark that may be "
                         "for decimals or thousands") for mark in MARKS]  # fmt: skip
        percent = NumberStyle(self.decimal_mark, self.currency, not self.percent).text(cell)
        sign = (
            "a number without the percent sign that others have"
            if self.percent
            else "a percentage, which others are not"
        )
        reasons.append((f"{percent} is not null", sign))
        cases = " ".join(f"when {condition} then {literal(reason)}" for condition, reason in reasons)
        return f"case when {self.sql(cell)} is not null or {n} = '' or {cell} is null then null {cases} else {literal(TEXT)} end"

    def shape(self, sign: str = "") -> str:
        """Return the regular expression of a number that is not negative ('+'), negative ('-') or any; its group 1 holds the digits."""
        money = f"(?:{shape_of(self.currency)})" if self.currency else ""
        front, behind = (f"(?:{money} *)?", f"(?: *{money})?") if money else ("", "")
        number = f"({digits_shape(self.decimal_mark)})" + (" *%" if self.percent else "")
        if not sign:
            return rf"^[(+-]? *{front}[(+-]? *{number} *[)-]?{behind} *[)-]?$"
        number = number.replace("(", "(?:", 1)
        if sign == "+":
            return rf"\+? *{front}{number}{behind}|{front}\+ *{number}{behind}"
        forms = [
            rf"- *{front}{number}{behind}",
            rf"{front}- *{number}{behind}",
            rf"{front}{number} *-{behind}",
            rf"{front}{number}{behind} *-",
            rf"{front}\( *{front}{number}{behind} *\){behind}",
        ]
        return "|".join(dict.fromkeys(forms))

    @property
    def nothing(self) -> str:
        """The regular expression of what stands for 0: a dash, in a column of percent 0 without the sign."""
        money = f"(?:{shape_of(self.currency)})?" if self.currency else ""
        return rf"{money} *- *{money}" + (r"|0+(?:[.,]0+)?|- *%" if self.percent else "")


def digits_shape(mark: str | None) -> str:
    """Return the regular expression of digits with a decimal mark and thousands parted by one sign throughout."""
    groups = rf"[1-9]\d{{0,2}}(?: \d{{3}})+|[1-9]\d{{0,2}}(?:'\d{{3}})+|\d+{POWER}?"
    if mark is None:
        return groups
    decimal, other = (rf"\{sign}" for sign in (mark, MARKS[mark]))
    whole = rf"[1-9]\d{{0,2}}(?:{other}\d{{3}})+|[1-9]\d{{0,2}}(?: \d{{3}})+|[1-9]\d{{0,2}}(?:'\d{{3}})+"
    if mark == ".":
        whole += r"|[1-9]\d?(?:,\d{2})+,\d{3}"  # lakhs and crores: 1,00,000
    return rf"(?:{whole})(?:{decimal}\d*)?|(?:\d+(?:{decimal}\d*)?|{decimal}\d+){POWER}?"


def plain(cell: str) -> str:
    """Return the SQL of a cell with plain blanks, dashes and apostrophes inside, and nothing around."""
    odd = ODD_BLANKS + DASHES + APOSTROPHES
    instead = " " * len(ODD_BLANKS) + "-" * len(DASHES) + "'" * len(APOSTROPHES)
    full = f"trim(translate({cell}, {literal(odd + UNSEEN)}, {literal(instead)}))"
    return f"case when regexp_full_match({cell}, '[ -_a-~]*') then trim({cell}) else {full} end"  # translate is slow; ` is one of the odd


def has_digits(number: str) -> str:
    """Return the SQL that says whether a number in plain digits is another than 0."""
    return f"regexp_matches({number}, '^[^eE]*[1-9]')"
