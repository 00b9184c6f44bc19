"""Finds the encoding of a text file: by its mark, by what can be decoded at all, and by the words that a code page would make of it."""

import codecs
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from forecasting.errors import UserError
from forecasting.facts.table_files.shapes import Notes, Undecided

CHUNK = 1 << 22
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
USUAL = ("cp1252", "cp1250", "cp1254", "iso8859-15", "iso8859-2", "cp1251")
# of DOS, old Macs and Unix: taken where the usual ones make no words
OLD = ("cp850", "cp852", "cp437", "mac_roman", "koi8-r", "cp866")
ANYWHERE = set("‘’‚“”„«»–—…\u00a0\u202f")  # in and around words
SIGNS = ANYWHERE | set("€£¥§°©®™•·²³½¼¾±µ×%‰ªº¡¿")  # without letters beside them
UNITS = re.compile(r"[a-zA-Z]{1,2}[²³]")
MOST_WORDS = 5_000
WORD = re.compile(rb"[\w'\x80-\xff]*[\x80-\xff][\w'\x80-\xff]*")
LANGUAGES = (  # the letters of each, beyond ASCII
    *(
        "äöüß",
        "àâæçéèêëîïôœùûüÿ",
        "áéíóúñüªº",
        "àèéìíîòóùú",
        "ãõâêôáàéíóúç",
        "åäöé",
        "æøåéó",
        "ąćęłńóśźż",
        "áčďéěíňóřšťúůýž",
    ),
    *("áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîșțşţ", "çğıöşüâîû\u0307", "éëïóüöèç", "čćđšž", "áðéíóúýþæö"),
    "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ",
)


def encoding_of(path: Path, name: str, notes: Notes) -> str:
    """Return the encoding of a file as Python calls it; the evidence says why.

    Raises
    ------
    UserError
        If the file is no text; Undecided where code pages that fit as well would read different words.
    """
    with path.open("rb") as file:
        start = file.read(CHUNK)
    for mark, encoding in BOMS:
        if start.startswith(mark):
            notes.evidence.append(f"The encoding is {encoding}: the file begins with its mark.")
            return encoding
    if wide := without_mark(start):
        notes.evidence.append(f"The encoding is {wide}: every other byte of its plain letters is 0.")
        return wide
    if start.count(b"\0") > 0.05 * len(start):
        raise UserError(
            f"{name} is no text: it has many NUL bytes. Bring a CSV, Excel or Parquet file, also as .gz or .zip."
        )
    seen = looked_at(path)
    if not seen.bad:
        notes.evidence.append("The encoding is utf-8: all its letters can be read so.")
        return "utf-8"
    if seen.good > 20 * seen.bad:
        first = f"{seen.bad:,} of {seen.good + seen.bad:,} lines with letters beyond ASCII are damaged, the first is line {seen.first_bad}"
        notes.evidence.append(f"The encoding is utf-8, but {first}.")
        return "utf-8"
    page = code_page(name, seen.words, notes)
    if seen.good * 20 > seen.bad:
        raise Undecided(
            f"{name} mixes encodings: line {seen.first_good} is UTF-8, line {seen.first_bad} is {page} "
            f"({seen.good:,} and {seen.bad:,} such lines). State the `encoding`; with utf-8 the others are kept apart as bad rows.",
            "encoding",
            {"utf-8": f"{seen.bad:,} lines are bad", page: f"{seen.good:,} lines have wrong letters"},
        )
    return page


def without_mark(start: bytes) -> str | None:
    """Return the UTF-16 that text without a mark is written in, by the zeros of its ASCII letters."""
    even, odd, half = start[::2].count(0), start[1::2].count(0), max(len(start) // 2, 1)
    if odd > 0.3 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 * half and odd < 0.05 * half else None


class Seen(NamedTuple):
    """The lines with bytes beyond ASCII: how many are UTF-8 and how many not, the first of each, and the latters' words with such bytes."""

    good: int
    bad: int
    first_good: int
    first_bad: int
    words: Counter[bytes]


def looked_at(path: Path) -> Seen:
    """Look at the lines of a file that have bytes beyond ASCII."""
    counts, first = {True: 0, False: 0}, {True: 0, False: 0}
    words: Counter[bytes] = Counter()
    before = 0
    with path.open("rb") as file:
        while lines := file.readlines(CHUNK):
            beyond = (
                []
                if b"".join(lines).isascii()
                else [(at, line) for at, line in enumerate(lines, before + 1) if not line.isascii()]
            )
            for at, line in beyond:
                good = is_utf8(line)
                counts[good] += 1
                first[good] = first[good] or at
                if not good and len(words) < MOST_WORDS:
                    words.update(WORD.findall(line))
            before += len(lines)
    return Seen(counts[True], counts[False], first[True], first[False], words)


def is_utf8(line: bytes) -> bool:
    """Say whether bytes are UTF-8."""
    try:
        line.decode()
        return True
    except UnicodeDecodeError:
        return False


def code_page(name: str, words: Counter[bytes], notes: Notes) -> str:
    """Return the code page in which words read best.

    Raises
    ------
    Undecided
        If several do, and would read them differently.
    """
    scores = {page: likely(words, page) for page in (*USUAL, *OLD)}
    most = max(scores.values())
    if most[0] < 0.9:
        return other_code_page(name, words, notes)
    fit = [page for page, score in scores.items() if score == most]
    usual = [page for page in fit if page in USUAL] or fit
    chosen = usual[0]
    readings = {page: differing_word(words, chosen, page) for page in fit if page != chosen}
    rivals = {page: text for page, text in readings.items() if text and page in usual}
    shown = ", ".join(f"«{word.decode(chosen)}»" for word, _ in words.most_common(3))
    if rivals:
        page, text = next(iter(rivals.items()))
        own = differing_word(words, page, chosen)
        raise Undecided(
            f"{name} is no UTF-8, and its letters fit {chosen} («{own}») as well as {page} («{text}»). State its `encoding`.",
            "encoding",
            {chosen: f"«{own}»", **{page: f"«{text}»" for page, text in rivals.items()}},
        )
    other = next(
        (f"; {page}, which is rare today, would make «{text}» of it" for page, text in readings.items() if text), ""
    )
    notes.evidence.append(f"The encoding is {chosen}: it is no UTF-8, and its words read as {shown}{other}.")
    return chosen


def likely(words: Counter[bytes], page: str) -> tuple[float, float]:
    """Return the share of words that look like words if they are read by a code page, and the share that one language has."""
    texts = [(word.decode(page, "replace"), n) for word, n in words.items()]
    total = sum(words.values())
    good = [(text, n) for text, n in texts if is_word(text)]
    letters = [({sign for sign in text.lower() if sign > "\x7f" and sign not in SIGNS}, n) for text, n in good]
    language = max(sum(n for found, n in letters if found <= set(known)) for known in LANGUAGES)
    return sum(n for _, n in good) / total, language / total


def is_word(text: str) -> bool:
    """Say whether a text is a word, or a usual sign: letters of one alphabet, no capitals after small ones, no digits beside letters."""
    inner = "".join(sign for sign in text if sign not in ANYWHERE)
    if all(sign.isascii() for sign in inner) or UNITS.fullmatch(inner):
        return True
    beyond = [sign for sign in inner if not sign.isascii()]
    if all(sign in SIGNS for sign in beyond):
        return not any(sign.isascii() and sign.isalpha() for sign in inner)
    letters = inner.replace("'", "").replace("_", "")
    if not letters.isalpha():
        return False
    latin = {sign < "\u0250" for sign in letters}
    return len(latin) == 1 and (letters in (letters.lower(), letters.upper()) or letters[1:] == letters[1:].lower())


def differing_word(words: Counter[bytes], page: str, other: str) -> str:
    """Return the most frequent word that two code pages read differently, as the second has it; '' where there is none."""
    both = ((word.decode(page, "replace"), word.decode(other, "replace")) for word, _ in words.most_common())
    return next((second for first, second in both if first != second), "")


def other_code_page(name: str, words: Counter[bytes], notes: Notes) -> str:
    """Return the encoding that charset-normalizer finds for words that are none in the usual code pages, Greek or Japanese for example."""
    found = from_bytes(b" ".join(word for word, _ in words.most_common())).best()
    if found and found.encoding not in ("ascii", "utf_8"):
        shown = str(found)[:60]
        notes.evidence.append(
            f"The encoding is {found.encoding}, as charset-normalizer finds by words such as «{shown}»."
        )
        return found.encoding
    raise Undecided(
        f"{name} is no UTF-8, and its letters make words in no code page that is known here. State its `encoding`.",
        "encoding",
        {"cp1252": "Western Europe", "cp1250": "Central Europe", "cp1251": "Cyrillic"},
    )
