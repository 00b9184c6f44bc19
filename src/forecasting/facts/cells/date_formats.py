"""The ways of writing dates and months that are known. A family has one order of day, month and year and one reading of any text.

A family reads days padded or not, years of four digits or two (where its name may end with %y), any name of a month, and any clock
behind a day. It has many formats, as strftime writes them: stating any of them states the family.
"""

import re
from dataclasses import dataclass

D, M, B, Y4 = r"(?P<d>\d{1,2})", r"(?P<m>\d{1,2})", r"(?P<b>[a-z]{3,})\.?", r"(?P<y>(?:19|[2-9]\d)\d\d)"
Y, Y2 = r"(?P<y>(?:19|[2-9]\d)\d\d|\d\d)", r"(?P<y>\d\d)"
NTH, OF = r"(?:\.|er|st|nd|rd|th|º|°)?", r"(?:de |del |d')?"
HOUR, HALF = r"(?:[01]?\d|2[0-3])", r"(?:0?[1-9]|1[0-2])"
# format of a clock → its shape; a format with it stands for one of the same days
CLOCKS = {
    "%H:%M": r"\d{1,2}:\d\d",
    "%H:%M:%S": r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?",
    "%H:%M:%S.%f": r"\d{1,2}:\d\d:\d\d[.,]\d{1,9}",
    "%I:%M %p": r"\d{1,2}:\d\d [ap]m",
    "%I:%M:%S %p": r"\d{1,2}:\d\d:\d\d [ap]m",
}
SECONDS = r"(?::[0-5]\d(?:[.,]\d{1,9})?)?"
PLACE = r"(?: (?:[pmce][sd]t|utc|gmt|bst|wes?t|ces?t|ees?t))?"
CLOCK = rf"(?:{HOUR}:[0-5]\d{SECONDS}|{HALF}:[0-5]\d{SECONDS} ?[ap]\.?m\.?)"
ZONE = r" ?(?:z|utc|gmt|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)"  # what %z stands for: how far a clock is from UTC


@dataclass(frozen=True)
class Family:
    """Texts of one shape, in small letters without accents; its groups are d, m or b (a name) and y. formats: what states it."""

    name: str
    shape: str
    formats: tuple[str, ...]

    def labels(self) -> dict[str, str]:
        """Return the formats by which the family may be called → the shapes of texts that are written exactly so."""
        days = [format for format in (self.name, *self.formats) if not self.has_zone]
        clocks = CLOCKS if CLOCK in self.shape else {}
        moments = [(f"{day} {clock}", f"{shape_of(day)} {shape}") for clock, shape in clocks.items() for day in days]
        if self.name == "%Y-%m-%d" or self.has_zone:
            zone, text = ("%z", ZONE) if self.has_zone else ("", "")
            moments += [
                (f"%Y-%m-%d{between}{clock}{zone}", f"{shape_of('%Y-%m-%d')}{between.lower()}{shape}{text}")
                for clock, shape in CLOCKS.items()
                for between in (" ", "T")
                if "%I" not in clock
            ]
        return {**{day: shape_of(day) for day in days}, **dict(moments)}

    @property
    def has_name(self) -> bool:
        """Whether months are written by their names."""
        return "(?P<b>" in self.shape

    @property
    def has_day(self) -> bool:
        """Whether there is a day; else a date is the first of its month."""
        return "(?P<d>" in self.shape

    @property
    def has_zone(self) -> bool:
        """Whether the clocks say how far they are from UTC."""
        return self.name.endswith("%z")

    @property
    def days(self) -> str:
        """The shape without a clock."""
        return self.shape.partition(r"(?:[t ](?:" if self.name == "%Y-%m-%d" else r"(?:,? (?:")[0]

    @property
    def may_be_short(self) -> bool:
        """Whether years may have two digits."""
        return r"|\d\d)" in self.shape or Y2 in self.shape


def shape_of(day: str) -> str:
    """Return the shape, in small letters without accents, of texts in a format of days or months."""
    shapes = {"%d": r"\d{1,2}", "%m": r"\d{1,2}", "%Y": r"\d{4}", "%y": r"\d\d", "%b": "[a-z]{3}", "%B": "[a-z]{3,}"}
    fixed = {"%Y%m%d": r"\d{8}", "%Y%m": r"\d{6}", "%YM%m": r"\d{4}m\d\d"}
    parts = re.split(r"(%[dmYybB])", day)
    return fixed.get(day) or "".join(shapes.get(part) or re.sub(r"\.", r"\\.", part) for part in parts)


def _days(name: str, shape: str, *others: str) -> Family:
    """Return a family of days, behind which a clock may stand, and behind that its name (PST): the clock counts as it is written."""
    between, named = ("[t ]", "") if name == "%Y-%m-%d" else (",? ", PLACE)
    return Family(name, rf"{shape}(?:{between}{CLOCK}{named})?", (name, *others))


FAMILIES = {
    family.name: family
    for family in (
        _days("%Y-%m-%d", f"{Y4}-{M}-{D}"),
        _days("%Y/%m/%d", f"{Y4}/{M}/{D}"),
        _days("%Y.%m.%d", rf"{Y4}\.{M}\.{D}"),
        _days("%Y%m%d", r"(?P<y>(?:19|[2-9]\d)\d\d)(?P<m>\d\d)(?P<d>\d\d)"),
        Family("%Y-%m-%dT%H:%M:%S%z", f"{Y4}-{M}-{D}[t ]{HOUR}:[0-5]\\d{SECONDS}{ZONE}", ()),
        Family("%Y-%m", f"{Y4}-{M}", ()),
        Family("%Y/%m", f"{Y4}/{M}", ()),
        Family("%Y.%m", rf"{Y4}\.(?P<m>\d\d)", ()),  # of 2024.1 a spreadsheet may have dropped the 0 of 2024.10
        Family("%Y%m", r"(?P<y>(?:19|[2-9]\d)\d\d)(?P<m>0[1-9]|1[0-2])", ()),
        Family("%YM%m", rf"{Y4}[ -]?m(?P<m>\d\d?)", ()),
        _days("%d/%m/%Y", f"{D}/{M}/{Y}", "%d/%m/%y"),
        _days("%m/%d/%Y", f"{M}/{D}/{Y}", "%m/%d/%y"),
        _days("%d-%m-%Y", f"{D}-{M}-{Y}", "%d-%m-%y"),
        _days("%m-%d-%Y", f"{M}-{D}-{Y}", "%m-%d-%y"),
        _days("%d.%m.%Y", rf"{D}\.{M}\.{Y}", "%d.%m.%y"),
        Family("%m/%Y", f"{M}/{Y4}", ()),
        Family("%m.%Y", rf"{M}\.{Y4}", ()),
        Family("%m-%Y", f"{M}-{Y4}", ()),
        _days("%d %b %Y", rf"{D}{NTH}[ ./-]*{OF}{B}[ ./-]*{OF}{Y}", "%d-%b-%Y", "%d-%b-%y", "%d %b %y", "%d %B %Y", "%d. %B %Y",
              "%d%b%Y"),
        _days("%b %d, %Y", rf"{B}[ ./-]*{D}{NTH}(?:, ?|[ ./-]){Y4}", "%B %d, %Y", "%b %d %Y", "%B %d %Y"),
        _days("%Y %b %d", rf"{Y4}[ ./-]*{B}[ ./-]*{D}", "%Y-%b-%d"),
        Family("%b %Y", rf"{B},?[ ./'-]*{OF}{Y}", ("%B %Y", "%b-%Y", "%b-%y", "%b %y", "%B %y", "%b/%Y", "%b.%Y", "%b%y", "%b'%y")),
        # where the last part differs more than the first, as days do (see date_choice)
        _days("%y/%m/%d", f"{Y2}/{M}/{D}"),
        _days("%y-%m-%d", f"{Y2}-{M}-{D}"),
        _days("%y.%m.%d", rf"{Y2}\.{M}\.{D}"),
        Family("%Y %b", rf"{Y4}[ ./-]*{B}", ("%Y-%b", "%Y %B")),
    )
}  # fmt: skip

# a format as a user may state it → its family
FAMILY_OF = {label: family for family in reversed(FAMILIES.values()) for label in family.labels()}
