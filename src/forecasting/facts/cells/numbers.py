"""One way of writing numbers, and the SQL that reads it: what it does not cover is no number, never another one.

Read in any style, since they have one meaning: blanks and apostrophes between thousands, a minus before or after («177.41-», «−5»),
parentheses for a minus, a dash alone for zero, exponents. What has two meanings is of a style: the decimal mark, the currency, percent.
"""

from dataclasses import dataclass

from forecasting.errors import UserError
from forecasting.facts.cells.currencies import KNOWN, shape_of
from forecasting.facts.cells.decision import ODD_BLANKS, UNSEEN
from forecasting.facts.tables import AMOUNT, literal

MARKS = {".": ",", ",": "."}  # decimal mark → what may part thousands with it
DASHES, APOSTROPHES = "−–—‐‑‒﹣－", "’‘ʼ′´`"
NOT_FINITE = r"(?i)[(+-]? *(nan|inf|infinity|∞) *\)?"
POWER = r"(?:[eE][+-]?\d{1,3})"
SIGNS = ("''", "'+'", "'-'", "'()'")
NEGATIVE = "('-', '()')"
TEXT, TOO_LARGE, TOO_SMALL = "text where a number belongs", "too large: below 10^14", "too small: it would be read as 0"


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
        if mark not in (None, *MARKS):
            raise UserError(f"decimal_mark must be '.' or ',', found '{mark}'.")
        if currency is not None and str(currency).casefold() not in KNOWN:
            raise UserError(f"currency '{currency}' is not known. State its sign or its code, for example $ or EUR.")
        if not isinstance(percent, bool):
            raise UserError(f"percent must be true or false, found '{percent}'.")
        return cls(mark, None if currency is None else str(currency), percent)

    def sql(self, cell: str) -> str:
        """Return the SQL of a text as a number that casts to DECIMAL(18, 4), itself a text with all its decimals; null where it is none."""
        amount = f"try_cast(v as {AMOUNT})"
        usable = f"{amount} is not null and ({amount} <> 0 or not {has_digits('v')})"
        return f"list_transform([{self.text(cell)}], lambda v: case when {usable} then v end)[1]"

    def text(self, cell: str) -> str:
        """Return the SQL of a text in plain digits, whatever its size; null where it is no number."""
        n = plain(cell)
        digits, signs = f"regexp_extract(n, {literal(self.shape)}, 1)", signs_of("n")
        mark = self.decimal_mark or ""
        number = f"translate({digits}, {literal(mark + MARKS.get(mark, '') + ' ' + chr(39))}, '{mark and '.'}')"
        size = f"{number} || 'e-2'" if self.percent else number
        read = (
            f"case when {digits} <> '' and {signs} in ({', '.join(SIGNS)}) "
            f"then case when {signs} in {NEGATIVE} then '-' else '' end || {size} "
            f"when regexp_full_match(n, {literal(self.nothing)}) then '0' end"
        )
        slow = f"list_transform([{n}], lambda n: {read})[1]"
        if self.percent:
            return slow
        quick = r"[+-]?\d+(\.\d+)?" if self.decimal_mark == "." else r"[+-]?\d+"
        return f"case when regexp_full_match({cell}, '{quick}') then {cell} else {slow} end"

    def why(self, cell: str) -> str:
        """Return the SQL of the reason why a text is no number in this style; null where it is one, or empty."""
        n, number = plain(cell), self.text(cell)
        other = NumberStyle(MARKS.get(self.decimal_mark or ""), self.currency, self.percent)
        reasons = [
            (f"{number} is not null and try_cast({number} as {AMOUNT}) is null", TOO_LARGE),
            (f"{number} is not null", TOO_SMALL),
            (f"regexp_full_match({n}, {literal(NOT_FINITE)})", "not a finite number"),
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

    @property
    def shape(self) -> str:
        """The regular expression of a number whose signs are at most one pair; its group 1 holds the digits with their marks."""
        money = shape_of(self.currency) if self.currency else ""
        before, after = (f"(?:{money} *)?", f"(?: *{money})?") if money else ("", "")
        percent = " *%" if self.percent else ""
        return rf"^[(+-]? *{before}[(+-]? *({digits_shape(self.decimal_mark)}){percent} *[)-]?{after} *[)-]?$"

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
    return f"trim(translate({cell}, {literal(odd + UNSEEN)}, {literal(instead)}))"


def signs_of(text: str) -> str:
    """Return the SQL of the signs that stand around a number, without that of an exponent."""
    return f"regexp_replace({text}, '[0-9.,][eE][+-]?[0-9]+|[^()+-]', '', 'g')"


def has_digits(number: str) -> str:
    """Return the SQL that says whether a number in plain digits is another than 0."""
    return f"regexp_matches({number}, '^[^eE]*[1-9]')"
