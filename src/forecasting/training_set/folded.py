"""Names without what the eye does not see."""

import unicodedata


def fold(name: str) -> str:
    """Return a name without what the eye does not see: capitals, blanks, hyphens, width and accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold()).translate(STROKES)
    unseen = ("Z", "C", "M", "Pd", "Pc")  # blanks, controls, accents, hyphens, underscores
    return "".join(letter for letter in plain if not unicodedata.category(letter).startswith(unseen))


STROKES = str.maketrans("øłđðħıŧ", "olddhit")  # accents that Unicode does not take apart
