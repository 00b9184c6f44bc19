"""Texts for Streamlit, which reads them as Markdown."""

import re

SIGNS = re.compile(r"([\\*_{}\[\]<>()#+\-.!|$:~^=&])")


def plain(text: str) -> str:
    """Return text that is shown letter by letter, whatever names are in it; what stands between backticks is a command."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without its fellow is a letter like any other
        return SIGNS.sub(r"\\\1", text).replace("`", r"\`")
    return "`".join(SIGNS.sub(r"\\\1", part) if place % 2 == 0 else part for place, part in enumerate(parts))
