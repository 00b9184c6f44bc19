"""One way of writing dates, and the SQL that reads it: a text in another way is no date, never another one."""

import re
from dataclasses import dataclass

from forecasting.errors import UserError
from forecasting.facts.cells.date_formats import FAMILIES, FAMILY_OF, ZONE, Family
from forecasting.facts.cells.decision import ODD_BLANKS, UNSEEN, trimmed
from forecasting.facts.cells.month_names import number_of
from forecasting.facts.cells.numbers import APOSTROPHES, DASHES
from forecasting.facts.tables import EARLIEST, literal

# numbers that count from 1970 in UTC: never guessed → their shape and how many make a second
EPOCHS = {"epoch seconds": (r"\d{9,10}", 1), "epoch milliseconds": (r"\d{12,13}", 1_000)}
SERIALS = {
    "excel serial": "date '1899-12-30'",
    "excel serial 1904": "date '1904-01-01'",
}  # the day before Excel's first
SERIAL = r"\d{5}(?:[.,]\d+)?"
SERIAL_DAYS = "between date '1990-01-01' and date '2099-12-31'"
TEXT, NO_DAY, TOO_EARLY = "text where a date belongs", "a day or month that does not exist", "before 1900"
QUARTER = r".*\bq ?[1-4]\b.*|.*\d{4}[ -]?q[1-4]|q[1-4][ -]?\d{2,4}|.*(quart|trimest|kwartaal).*|[1-4]q[ -]?\d{2,4}"
WEEK = r".*\b(w|kw|wk|week|woche|semaine|cw)[ .-]?\d{1,2}\b.*|\d{4}[ -]?(w|kw|wk)\d{1,2}.*"
KNOWN = "|".join(re.sub(r"\?P<[a-z]>", "?:", family.shape) for family in FAMILIES.values())
EARLY = KNOWN.replace(r"(?:19|[2-9]\d)\d\d", r"(?:0\d|1[0-8])\d\d")
ADVICE = "Write dates as 2024-01-31, or state their format as date_format in params/ (for example '%d/%m/%Y')"


@dataclass(frozen=True)
class DateStyle:
    """How dates are written: a format as strftime has it ('%d.%m.%Y', '%Y%m'), 'excel serial' or 'epoch seconds' (see FAMILIES).

    A known format stands for its whole family: padded or not, years of four or two digits, any clock behind the day. time_zone: by
    whose clock moments with an offset become days, None: as written.
    """

    date_format: str
    time_zone: str | None = None

    def to_yaml(self) -> dict[str, object]:
        """Return what a mapping must state to read other files alike."""
        return {"date_format": self.date_format}

    @classmethod
    def from_yaml(cls, stated: dict[str, object], time_zone: str | None = None) -> "DateStyle":
        """Return the style that a mapping states; other keys are passed over.

        Raises
        ------
        UserError
            If it is no format of dates with a month and a year.
        """
        return cls(normalised(str(stated.get("date_format"))), time_zone)

    @property
    def family(self) -> Family | None:
        """The known family, None of serials and of formats that only the user knows."""
        return FAMILY_OF.get(self.date_format)

    def sql(self, cell: str) -> str:
        """Return the SQL of a text as a DATE; null where it is none, or before 1900."""
        cell = cell if self.family else trimmed(cell)
        if self.date_format in EPOCHS:
            shape, per_second = EPOCHS[self.date_format]
            moment = f"make_timestamptz(try_cast({cell} as bigint) * {1_000_000 // per_second})"
            return f"case when regexp_full_match({cell}, '{shape}') then {day_at(moment, self.time_zone or 'UTC')} end"
        if self.date_format in SERIALS:
            number = f"floor(try_cast(replace({cell}, ',', '.') as double))"
            day = f"{SERIALS[self.date_format]} + cast({number} as integer)"
            usable = f"case when regexp_full_match({cell}, '{SERIAL}') and {day} {SERIAL_DAYS} then {day} end"
            return f"cast({usable} as date)"
        if self.family is None:
            day = strptime(cell, self.date_format, self.time_zone)
            return f"case when {day} >= {EARLIEST} then {day} end"
        if self.family.has_zone and self.time_zone:
            return self._at_zone(cell)
        slow = f"list_transform([{folded(cell, self.family.has_name)}], lambda t: {read(self.family, 't')})[1]"
        has_letters = self.family.has_name or self.family.has_zone or "M" in self.family.name.replace("%M", "")
        if has_letters:
            return slow
        return f"case {self._quick(self.family, cell)} else {slow} end"

    def _quick(self, family: Family, cell: str) -> str:
        """Return the SQL of the cases that read most cells of digits: nothing stands around them, and one blank before a clock."""
        short = [family.name.replace("%Y", "%y")] if family.may_be_short else []
        formats = ", ".join(map(literal, [*short, family.name]))
        day, clock = family.days, f"(?i){family.shape}".replace(",? ", " ")
        cases = f"when regexp_full_match({cell}, {literal(day)}) then cast(try_strptime({cell}, [{formats}]) as date)"
        if not family.has_day or day == family.shape:
            return cases
        text = f"replace({cell}, 'T', ' ')" if family.name == "%Y-%m-%d" else cell
        text = f"split_part({text}, ' ', 1)"
        return f"{cases} when regexp_full_match({cell}, {literal(clock)}) then cast(try_strptime({text}, [{formats}]) as date)"

    def _at_zone(self, cell: str) -> str:
        """Return the SQL of the day by the clock of the time zone, of a moment with an offset."""
        formats = ", ".join(f"'%Y-%m-%d {clock}%z'" for clock in ("%H:%M:%S", "%H:%M"))
        written = (
            f"replace(regexp_replace(regexp_replace(t, '{ZONE}$', ''), '(:\\d\\d)[.,]\\d{{1,9}}', '\\1'), 't', ' ')"
        )
        offset = "coalesce(nullif(regexp_extract(t, '[+-]\\d\\d:?(\\d\\d)?$'), ''), '+00')"
        day = day_at(f"try_strptime({written} || {offset}, [{formats}])", self.time_zone or "UTC")
        shape = literal(self.family.shape) if self.family else "''"
        return f"list_transform([{folded(cell, False)}], lambda t: case when regexp_full_match(t, {shape}) then {day} end)[1]"

    def why(self, cell: str) -> str:
        """Return the SQL of the reason why a text is no date in this style; null where it is one, or empty."""
        reasons = [
            (f"regexp_full_match(t, '{QUARTER}')", "a quarter where a day or month belongs"),
            (f"regexp_full_match(t, '{WEEK}')", "a week where a day or month belongs"),
            (r"regexp_full_match(t, '(19|20)\d\d')", "a year without a month"),
        ]
        if self.family:
            reasons.append((f"regexp_full_match(t, {literal(self.family.shape)})", NO_DAY))
        reasons += [
            (f"regexp_full_match(t, {literal(EARLY)})", TOO_EARLY),
            (f"regexp_full_match(t, {literal(KNOWN)})", f"a date written otherwise than as {self.date_format}"),
            (r"regexp_full_match(t, '[+-]?\d+([.,]\d+)?')", "a number where a date belongs"),
        ]
        cases = " ".join(f"when {condition} then {literal(reason)}" for condition, reason in reasons)
        return (
            f"case when {self.sql(cell)} is null and {cell} is not null then list_transform([{folded(cell)}], "
            f"lambda t: case when t = '' then null {cases} else {literal(TEXT)} end)[1] end"
        )


def normalised(given: str) -> str:
    """Return a format that a user stated, with %z where it ends with a zone.

    Raises
    ------
    UserError
        If it is not a format of dates with a month and a year.
    """
    if given in EPOCHS or given in SERIALS or given in FAMILY_OF:
        return given
    given = re.sub(r" ?(%z|%Z|(?<!%)(Z|UTC|GMT))$", "%z", given)
    clock = given.removesuffix("%z")
    if re.search("%[zZ]", clock) or (clock != given and not re.search("%[HIT]", clock)):
        raise UserError(f"date_format '{given}': %z may only stand at the end, behind a clock such as %H:%M. {ADVICE}.")
    if not re.search("%[Yy]", given) or not re.search("%[mbB]", given):
        raise UserError(f"date_format '{given}' does not say where the month (%m) and the year (%Y) are. {ADVICE}.")
    return given


def read(family: Family, text: str) -> str:
    """Return the SQL of a text in small letters without accents as a date of a family, null where it is none."""
    names = list(re.compile(family.shape).groupindex)  # in their order
    year, month, day = "p.y", number_of("p.b") if family.has_name else "p.m", "p.d" if family.has_day else "'1'"
    if family.may_be_short:  # as strptime has it
        year = "(case when length(p.y) = 2 then case when p.y <= '68' then '20' else '19' end || p.y else p.y end)"
    parts = f"regexp_extract({text}, {literal(f'^(?:{family.shape})$')}, {names})"
    date = f"list_transform([{parts}], lambda p: try_cast({year} || '-' || {month} || '-' || {day} as date))[1]"
    return f"case when regexp_full_match({text}, {literal(family.shape)}) then {date} end"


def any_date(cell: str) -> str:
    """Return the SQL of a text as a date of any family; null where it is none."""
    return f"coalesce({', '.join(DateStyle(name).sql(cell) for name in FAMILIES)})"


def folded(cell: str, names: bool = True) -> str:
    """Return the SQL of a cell in small letters, with plain blanks and dashes inside and none around; without accents for names."""
    odd, instead = ODD_BLANKS + DASHES + APOSTROPHES, " " * len(ODD_BLANKS) + "-" * len(DASHES) + "'" * len(APOSTROPHES)
    text = f"lower(strip_accents({cell}))" if names else f"lower({cell})"
    full = f"trim(translate({text}, {literal(odd + UNSEEN)}, {literal(instead)}))"
    return f"case when regexp_full_match({cell}, '[ -_a-~]*') then lower(trim({cell})) else {full} end"  # translate is slow


def strptime(cell: str, date_format: str, time_zone: str | None) -> str:
    """Return the SQL of a cell's date in a format that only the user knows; where it ends with %z, by the clock of the time zone."""
    if not date_format.endswith("%z"):
        return f"cast(try_strptime({cell}, {literal(date_format)}) as date)"
    clock = date_format.removesuffix("%z")
    zone = ZONE.replace("z|utc|gmt", "Z|z|UTC|GMT")
    written = f"regexp_replace({cell}, '{zone}$', '')"
    day = f"cast(try_strptime({written}, {literal(clock)}) as date)"
    if time_zone:
        offset = f"coalesce(nullif(regexp_extract({cell}, '[+-]\\d\\d:?(\\d\\d)?$'), ''), '+00')"
        day = day_at(f"try_strptime({written} || {offset}, {literal(clock + '%z')})", time_zone)
    return f"case when regexp_full_match({cell}, '.*{zone}') then {day} end"


def day_at(moment: str, time_zone: str) -> str:
    """Return the SQL of the date that a clock in a time zone shows at a moment; a session's own zone does not count."""
    return f"cast(timezone({literal(time_zone)}, {moment}) as date)"


def has_zone(date_format: str) -> bool:
    """Say whether cells of a format are moments of the world, not of a clock on a wall."""
    return date_format.endswith("%z") or date_format in EPOCHS
