"""Numbers as a page shows them, read back for comparison with the database: «−1,234», «1.23 M EUR», «+4.2 %», «–»."""

import re

SCALES = {"": 1.0, "k": 1e3, "M": 1e6, "bn": 1e9, "tn": 1e12}
MULTIPLES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
NUMBER = re.compile(r"([+−]?)(\d[\d,]*)(\.\d+)?(?:\s(k|M|bn|tn)\b)?")
DASH = "–"


def numbers(text: str) -> list[tuple[float, float]]:
    """Return every number in a text with the half of its last digit: «1.23 M» is (1230000, 5000)."""
    found = []
    for sign, whole, fraction, suffix in NUMBER.findall(text):
        value = float(whole.replace(",", "") + fraction) * (-1 if sign == "−" else 1)
        scale = SCALES[suffix]
        found.append((value * scale, 0.5 * scale * 10.0 ** -max(len(fraction) - 1, 0)))
    return found


def multiple(caption: str) -> float:
    """Return what a table's amounts are in, as its caption says it: 1000 for «Total: the next months, in thousand EUR»."""
    found = re.search(r"\bin (thousand|million|billion)s?\b", caption)
    return MULTIPLES[found[1]] if found else 1.0


def number(text: str) -> float | None:
    """Return the first number of a text, None for a dash."""
    return None if text.strip() == DASH else numbers(text)[0][0]


def agrees(text: str, *values: float | None) -> bool:
    """Return whether the first numbers of a text are these values, to the last digit shown; a dash stands for None."""
    if values == (None,):
        return text.strip() == DASH
    found = numbers(text)[: len(values)]
    near = [abs(shown - value) <= half + 1e-6 * half for (shown, half), value in zip(found, values, strict=True)]
    return len(found) == len(values) and all(near)
