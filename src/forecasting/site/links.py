"""Links that lead nowhere in some copies of the report: a page or a file that is not there."""

import re
from collections.abc import Iterable


def drop_links(html: str, targets: Iterable[str]) -> str:
    """Replace links to these files, or to places on them, by their text."""
    names = "|".join(map(re.escape, targets))
    link = rf"<a\b[^>]*\bhref=([\"'])(?:{names})(?:[#?][^\"']*)?\1[^>]*>(.*?)</a>"
    return re.sub(link, r"\2", html, flags=re.DOTALL) if names else html
