"""What of the first page stands in the brief: the headline, what to look at, each domain's chart and figures, the months in one table."""

from bs4 import BeautifulSoup

PARTS = "h1, .lead, .headline, .warnings, .look > h2, .look > ul, .look > p:not(.note), .expect, .in-brief"
SHOWN = "in-brief"
ELSEWHERE = (
    ".expect .words, .expect figcaption, details, .elsewhere"  # what the pages say at length, and what leads to them
)


def of(index: str) -> str:
    """Return the part of the first page's HTML that the brief shows."""
    page = BeautifulSoup(index, "html.parser")
    for found in page.select(ELSEWHERE):
        found.decompose()
    for found in page.select(".months"):  # which the pages themselves do not show
        del found["hidden"]
        found["class"] = SHOWN
    return "".join(str(found) for found in page.select(PARTS))
