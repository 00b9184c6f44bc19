"""What a cell looks like, for finding where a table begins: a number, a date, a period, or words. No value is read here."""

import re
from functools import lru_cache

MONTH_NAMES = (  # in English, German, French, Spanish, Italian, Dutch and Portuguese
    r"(?:jan(?:uary?|uar|uari|v|vier|eiro)?|jänner|enero|ene|gennaio|gen|feb(?:ruary?|ruar|ruari|rero|braio)?|f[eé]vr?(?:ier)?|fevereiro|"
    r"mar(?:ch|s|zo|ço)?|märz|mär|mrz|mrt|maart|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|may|mayo|mai|maio|mei|maggio|mag|june?|juni|juin|junio|"
    r"junho|giugno|giu|july?|juli|juil(?:let)?|julio|julho|luglio|lug|aug(?:ust|ustus)?|ao[uû]t|ago(?:sto)?|sept?(?:emb(?:er|re)|iembre)?|"
    r"setiembre|setembro|settembre|set|o[ck]t(?:ober|obre|ubre)?|ott(?:obre)?|out(?:ubro)?|nov(?:emb(?:er|re|ro)|iembre)?|"
    r"de[cz](?:emb(?:er|re|ro))?|d[ée]c(?:embre)?|dic(?:iembre|embre)?)\b\.?"
)
MARKS = r"(?:\s*\([a-z]\)|\s*[*†])?"  # '2021(p)': preliminary
YEAR = re.compile(r"(?:19|20)\d\d" + MARKS)
PERIOD = re.compile(
    rf"{MONTH_NAMES}[\s\-/.,'’]*(?:\d{{4}}|\d{{2}})?{MARKS}|\d{{1,2}}[\s.\-]*{MONTH_NAMES}[\s\-/.,]*\d{{2,4}}|(?:19|20)\d\d[\s\-/]*{MONTH_NAMES}|"
    r"(?:19|20)\d\d\s*[-/.]?\s*(?:m|q|w|kw)?\s*\d{1,2}|(?:q|h)[1-4][\s\-/]*(?:\d{2,4})?|\d{1,2}[/.\-](?:19|20)\d\d|"
    r"(?:19|20)\d\d-\d\d-\d\d",
    re.IGNORECASE,
)
CLOCK = r"(?:[ T]+[\d:.]+(?:\s*[ap]\.?m\.?)?(?:Z|\s?[+-]\d\d:?\d\d)?)?"
DATE = re.compile(
    rf"\d{{1,4}}[-/.]\s?\d{{1,2}}[-/.]\s?\d{{1,4}}{CLOCK}|{MONTH_NAMES}[\s\-/.,'’]*\d{{1,2}}[\s,]+\d{{4}}|"
    rf"\d{{1,2}}[\s.\-/]*{MONTH_NAMES}[\s\-/.,]*\d{{2,4}}{CLOCK}|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-3]\d)?",
    re.IGNORECASE,
)
CURRENCY = r"(?:[A-Z]{2,3}\$?|[A-Z]?\$|[€£¥₹₽฿₩₺₫₴₪¢]|kr\.?|zł|Kč|Ft|lei|Rs\.?|Fr\.)"
NUMBER = re.compile(
    rf"[(+\-−–]?\s*{CURRENCY}?\s*[(+\-−–]?\s*(?:\d[\d.,'’\s\u00a0\u202f\u2009]*|[.,]\d+)(?:[eE][+-]?\d+)?\s*(?:%|{CURRENCY})?\s*\)?\s*[-−–]?"
)


@lru_cache(maxsize=100_000)
def kind_of(cell: str | None) -> str:
    """Return '' of an empty cell, else 'date' (periods too), 'number' or 'text'."""
    text = (cell or "").strip()
    if not text:
        return ""
    if len(text) > 60 or (not any(map(str.isdigit, text)) and not PERIOD.fullmatch(text)):
        return "text"
    if DATE.fullmatch(text) or (PERIOD.fullmatch(text) and not YEAR.fullmatch(text)):
        return "date"
    return "number" if NUMBER.fullmatch(text) else "text"


def is_period(cell: str | None) -> bool:
    """Say whether a cell may name a period, as columns that are months or years do."""
    text = (cell or "").strip()
    return bool(PERIOD.fullmatch(text) or YEAR.fullmatch(text) or DATE.fullmatch(text))
