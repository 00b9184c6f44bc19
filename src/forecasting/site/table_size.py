"""How wide a table's columns are on paper, and in which size of type they fit."""

from dataclasses import dataclass

SIZES = (8.0, 7.5, 7.0, 6.5, 6.0, 5.5)  # points
EASY, NAME = 7.0, 22  # down to which size lines of this many characters are kept whole, rather than type kept large
UPRIGHT, TURNED = 510.0, 757.0  # what A4 has between its margins, in points
DIGIT, BOLD = 0.64, 1.1  # the width of a digit of DejaVu Sans in parts of its size, and how much wider bold letters are
GAP, ROOMY = 6.4, 12.0  # between two columns at least, and what a table with room to spare gets on top, in points
LONGEST = 25  # characters from which a word may be broken


@dataclass(frozen=True)
class Fit:
    """The size of type and the width of each column, both in points, and whether the page must be turned."""

    size: float
    widths: list[float]
    turned: bool


def fit(rows: list[list[str]]) -> Fit:
    """Return how a table goes on paper; `rows` hold the text of the cells, line by line, the headings first.

    A column is never narrower than its longest word; what is left over goes where lines are longest, as in a browser.
    Headings may always go over several lines.
    """
    least = extents(rows, words)
    most = [max(pair) for pair in zip(least, extents([[""] * len(rows[0]), *rows[1:]], str.splitlines), strict=True)]
    easy = [max(a, min(b, NAME)) for a, b in zip(least, most, strict=True)]
    upright = [(size, UPRIGHT, widths) for widths in (easy, least) for size in SIZES if size >= EASY or widths is least]
    for size, room, widths in [*upright, *((size, TURNED, least) for size in SIZES)]:
        if sum(widths) * size * DIGIT + GAP * len(widths) <= room:
            return Fit(size, shared(widths, most, size * DIGIT, room), room == TURNED)
    return Fit(SIZES[-1], shared(least, most, SIZES[-1] * DIGIT, TURNED), True)


def shared(least: list[float], most: list[float], em: float, room: float) -> list[float]:
    """Return the widths of columns between what they need at least and at most, in points."""
    free = room - GAP * len(least) - sum(least) * em
    wish = [(b - a) * em for a, b in zip(least, most, strict=True)]
    part = min(1.0, max(0.0, free / sum(wish))) if sum(wish) else 0.0
    spare = max(0.0, free - sum(wish)) / max(1, len(least))
    return [round(a * em + part * w + GAP + min(ROOMY, spare), 1) for a, w in zip(least, wish, strict=True)]


def extents(rows: list[list[str]], pieces: object) -> list[float]:
    """Return for each column the length of its longest piece, in digits."""
    found = [1.0] * max(map(len, rows), default=0)
    for n, row in enumerate(rows):
        for i, text in enumerate(row):
            longest = max(map(len, pieces(text)), default=0)
            found[i] = max(found[i], longest * (BOLD if n == 0 else 1.0))
    return found


def words(text: str) -> list[str]:
    """Return what cannot be broken: words between blanks and behind slashes; of very long ones, the part that stays whole."""
    return [word[:LONGEST] for word in text.replace("/", "/ ").replace("\n", " ").split(" ")]
