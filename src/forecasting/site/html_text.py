"""The text in a page's HTML as a reader sees it: blanks between words, lines, the cells of a table."""

import re
from math import ceil

from bs4.element import NavigableString, PreformattedString, Tag

BLOCKS = {
    "p", "div", "section", "article", "main", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tr", "td", "th", "h1",
    "h2", "h3", "h4", "figure", "figcaption", "details", "summary", "dl", "dt", "dd", "blockquote", "pre", "hr",
}  # fmt: skip
LINES = {"br": "\n", "p": "\n", "div": "\n", "li": "\n", "svg": "0" * 14}
SMALL = 0.86  # how large small text is, in parts of the text around it


def cells(row: Tag) -> list[Tag]:
    """Return the cells of a table row."""
    return row.find_all(["th", "td"], recursive=False)


def lines(cell: Tag) -> str:
    """Return the text of a table cell, its lines as lines; a drawing counts as some letters, small words are shortened."""
    found = []
    for node in cell.descendants:
        small = not isinstance(node, Tag) and node.parent.name == "small"
        text = LINES.get(node.name, "") if isinstance(node, Tag) else str(node)
        found.append(" ".join(word[: ceil(SMALL * len(word))] for word in text.split(" ")) if small else text)
    return "".join(found)


def squeeze(node: Tag, line: list[NavigableString] | None = None) -> None:
    """Reduce white space to what a browser shows: one blank between words, none at the edges of a line.

    `line` holds the text that stands before in the same line, its last piece only.
    """
    line = [] if line is None else line
    for child in list(node.children):
        if isinstance(child, Tag):
            breaks = child.name in BLOCKS or child.name == "br"
            end(line, breaks)
            squeeze(child, line)
            end(line, breaks)
        elif not isinstance(child, PreformattedString):
            text = re.sub(r"[ \t\r\n\f]+", " ", child)
            text = text.lstrip(" ") if not line or line[-1].endswith(" ") else text
            new = NavigableString(text)
            child.replace_with(new)
            line[:] = [new] if text else line


def end(line: list[NavigableString], breaks: bool) -> None:
    """End a line where it `breaks`: its last blank goes."""
    if breaks and line:
        if line[-1].endswith(" "):
            line[-1].replace_with(NavigableString(line[-1].rstrip(" ")))
        line.clear()
