"""What dbt tested while it built a domain's data, in plain words: the list that goes with the run (`training_set/dbt_tests`)."""

from html import escape
from typing import Any

from forecasting.report.html import bullets, fold, note, table
from forecasting.wording import count, listing, number

# By kind of test: what holds where it passes, and what was looked at. The most telling ones first.
KINDS = {
    "complete": (
        "Nothing is lost or counted twice",
        "month by month, what is used and what is left out add up to the facts, to the cent",
    ),
    "not_null_together": ("Nothing needed is missing", "every row of the facts has its date and its amount"),
    "grain": (
        "No row is there twice",
        "one row for each series and month, and likewise in the tables that others read",
    ),
    "unit_test": ("The rules do what they say", "worked examples with known answers"),
    "contract": ("The tables are as promised", "columns and types of what others read"),
}
TEXTS = {"sales_are_complete": "sales", "inventory_is_complete": "inventory", "profit_is_complete": "profit"}


def tests(rows: list[dict[str, Any]]) -> str:
    """Return how many tests of each kind passed, and folded what each looked at; `rows` are those of one domain.

    A sentence where the run did not note them.
    """
    if not rows:
        return note(
            "Every test passed, or nothing would have been published; the run did not note how many there were."
        )
    known = [*KINDS, *sorted({row["kind"] for row in rows} - set(KINDS))]
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in known}
    groups = {kind: found for kind, found in groups.items() if found}
    cells = [test_row(*words(kind), found) for kind, found in groups.items()]
    cells.append(test_row("All", "", rows))
    caption = "Tests of the data, made each time it is built; a domain in which one fails is not forecast"
    body = table(["What holds", "How it is tested", "Tests", "Passed"], cells, caption, (0, 1), total=True)
    return body + fold("What each test looked at", bullets([looked_at(kind, found) for kind, found in groups.items()]))


def words(kind: str) -> tuple[str, str]:
    """Return what holds where tests of a kind pass, and how they look."""
    return KINDS.get(kind, (kind.replace("_", " ").capitalize(), "a test of its own"))


def test_row(holds: str, how: str, found: list[dict[str, Any]]) -> list[str]:
    """Return the cells of one kind of test."""
    n, passed = (sum(row[key] for row in found) for key in ("n", "passed"))
    shown = number(passed) if passed == n else f"<strong>{number(passed)}</strong>"
    return [escape(holds), escape(how), number(n), shown]


def looked_at(kind: str, found: list[dict[str, Any]]) -> str:
    """Write the tables, or the rules, that tests of one kind looked at, as HTML."""
    names = sorted({name for row in found for name in row["on"]})
    if kind == "complete":
        shown = listing([escape(TEXTS.get(name, name.replace("_", " "))) for name in names])
    elif kind == "unit_test":
        shown = "; ".join(escape(name.replace("_", " ").replace("as of ", "a date «as of» ")) for name in names)
    else:
        shown = f"{count(len(names), 'table')}: " + ", ".join(f"<code>{escape(name)}</code>" for name in names)
    return f"<strong>{escape(words(kind)[0])}.</strong> {shown}."
