"""The check notebook's warnings as people read them: what matters first, long lists of names folded away."""

import re
from collections.abc import Container, Iterable
from html import escape

from forecasting.ledger import Domain
from forecasting.report import restatements
from forecasting.report.html import bullets, fold, tag
from forecasting.run import DataWarning
from forecasting.wording import MINUS, SPACE, compact, count, day, month

LABELS = {"high": "Warning", "medium": "Look at this", "low": "Note"}
LONG = 6  # names from which a list is folded
WITH_AMOUNTS = ("left_out", "spike")  # codes of warnings that name amounts without their unit
DATE = re.compile(r"\b(?:19|20)\d\d-(?:0[1-9]|1[0-2])(-(?:[0-2]\d|3[01]))?\b")
AMOUNT = re.compile(r"\bamount (-?[\d,]+(?:\.\d+)?)")
NAMES = re.compile(rf"^(?P<what>[^:]+): (?P<names>[^:;()]*?(?:, [^:;()]*?){{{LONG - 1},}})\.(?P<rest> .*)?$", re.DOTALL)


def readable(text: str) -> str:
    """Write dates, minus signs and percentages of a sentence as the rest of the report does; «All/» adds nothing."""
    text = DATE.sub(lambda found: day(found[0]) if found[1] else month(found[0]), text)
    text = re.sub(r"(?<![\w-])-(?=\d)", MINUS, text).replace(" %", f"{SPACE}%")
    return re.sub(r"(?:(?<=^)|(?<=[ (]))All/(?=\w)", "", text)


def sentence(text: str) -> tuple[str, str]:
    """Return a warning as HTML: the sentences, and the folded list of names that stood between them («» if short)."""
    found = NAMES.match(text)
    if not found:
        return escape(readable(text)), ""
    names = readable(found["names"])
    more = re.search(r" and (\d+) more$", names)
    n = names.count(", ") + 1 + (int(more[1]) if more else 0)
    return escape(readable(f"{found['what']}.{found['rest'] or ''}")), fold(f"Which {n}", f"<p>{escape(names)}.</p>")


def box(severity: str, about: str, texts: list[str]) -> str:
    """Return one box for the warnings of one severity; `about` says whose they are where that is not plain."""
    label = f"<strong>{LABELS.get(severity, LABELS['low'])}{f': {escape(about)}' if about else ''}.</strong>"
    parts = [sentence(text) for text in texts]
    if len(parts) == 1:
        content = f"<p>{label} {parts[0][0]}</p>{parts[0][1]}"
    else:
        content = f"<p>{label}</p>" + bullets([text + names for text, names in parts])
    return tag("div", content, f"callout {severity if severity in LABELS else 'low'}")


def one_box(severity: str, texts: dict[str, str]) -> str:
    """Return one box for warnings of several domains, each after what it is about."""
    items = [f"<strong>{escape(about)}.</strong> {''.join(sentence(text))}" for text, about in texts.items()]
    return tag("div", f"<p><strong>{LABELS[severity]}.</strong></p>" + bullets(items), f"callout {severity}")


def all_of(domain: Domain) -> list[DataWarning]:
    """Return what is to be said of a domain's data: what the checks found, and which published months were restated."""
    return [*restatements.warnings(domain), *domain.warnings]


def texts_of(domain: Domain, severity: str, without: Container[str] = ()) -> list[str]:
    """Return the warnings of one severity but for some codes; a severity that is unknown counts as a note."""
    found = [w for w in all_of(domain) if LABELS.get(w.severity, "Note") == LABELS[severity] and w.code not in without]
    return [with_unit(w.text, domain.unit) if w.code in WITH_AMOUNTS else w.text for w in found]


def with_unit(text: str, unit: str) -> str:
    """Write the amounts of a warning as elsewhere in the report, «amount 4.25 M EUR»."""
    return AMOUNT.sub(lambda found: f"amount {compact(float(found[1].replace(',', '')), unit)}", text)


def boxes(domains: Iterable[Domain], named: bool = True) -> str:
    """Return the boxes of what is high or medium, the most severe first, and the notes folded below them.

    `named` says in each box which domain it is about, for a page with several.
    """
    domains = list(domains)
    shown = [
        box(severity, domain.name if named else "", texts)
        for severity in ("high", "medium")
        for domain in domains
        if (texts := texts_of(domain, severity))
    ]
    return "".join(shown) + notes(domains, named)


def listed(domains: list[Domain], severity: str, named: bool, without: Container[str] = ()) -> list[str]:
    """Return the warnings of one severity but for some codes as HTML, one each."""
    return [
        (f"<strong>{escape(domain.title)}.</strong> " if named else "") + "".join(sentence(text))
        for domain in domains
        for text in texts_of(domain, severity, without)
    ]


def notes(domains: list[Domain], named: bool, without: Container[str] = ()) -> str:
    """Return the notes as one folded list, or nothing; on paper the page of several domains leaves them to the others."""
    items = listed(domains, "low", named, without)
    return (
        fold(f"{count(len(items), 'note')} on the data", bullets(items), "notes screen" if named else "notes")
        if items
        else ""
    )


def unfolded(domain: Domain) -> str:
    """Return every warning of one domain, one box for each severity, nothing folded but long lists of names."""
    return "".join(box(severity, "", texts) for severity in LABELS if (texts := texts_of(domain, severity)))
