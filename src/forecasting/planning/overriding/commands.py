"""What `make override`, `make overrides` and `make override-withdraw` do, and a publication with what waits in the inbox."""

import getpass
from pathlib import Path

import pandas as pd

from forecasting.errors import UserError
from forecasting.ledger import WITHDRAWAL, Published, Said, add_overrides, standing
from forecasting.planning.overriding import inbox
from forecasting.planning.overriding.checks import checked, said_of
from forecasting.planning.overriding.tables import wishes_of
from forecasting.planning.overriding.wishes import Misread, required
from forecasting.run import Workspace
from forecasting.wording import count, decimals_for, month, number, override_amount, override_months

NONE_YET = "Nobody overrides a forecast. `make override FILE=changes.csv` does, and docs/overrides.md says how."
PAGES = "`make report` shows it on the pages."


def take(workspace: Workspace, file: str = "") -> str:
    """Take in what waits in the inbox, then the rows of a file, all or none of them; return what happened.

    Raises
    ------
    UserError
        If a row of the file cannot be used; then nothing of it is.
    """
    told = take_inbox(workspace)
    if not file:
        return "\n".join(told or ["Nothing waits. Say which file with FILE=…, a CSV or the report's workbook."])
    published = Published(workspace.published)
    path = Path(file).expanduser()
    path = path if path.is_absolute() else workspace.root / path
    said, known = checked(published, wishes_of(path, published.in_force()))
    if known:
        told.append(f"{count(len(known), 'row says', 'rows say')} what is in force already.")
    if said:
        told += [*effects(workspace, add_overrides(workspace, said)), PAGES]
    return "\n".join(told or [f"{path.name} asks for nothing: no row has a value or a percentage."])


def take_inbox(workspace: Workspace) -> list[str]:
    """Take in what waits in the inbox, one by one; return a sentence for each: what it changed, or why it could not be used."""
    told = []
    for path in inbox.waiting(workspace.data):
        published = Published(workspace.published)
        if inbox.place_of(path) in set(published.overrides()["source"]):  # a run was stopped before it could move it
            inbox.move(path, inbox.TAKEN)
            continue
        try:
            said, _ = checked(published, [inbox.read(path)])
            told += effects(workspace, add_overrides(workspace, said)) if said else []
        except (Misread, UserError) as error:
            text = said_of(path.name, error) if isinstance(error, Misread) else str(error)
            inbox.move(path, inbox.REFUSED, text)
            told.append(f"Not taken in, kept in data/{workspace.name}/{inbox.REFUSED}: {text}")
        else:
            inbox.move(path, inbox.TAKEN)
    return told


def effects(workspace: Workspace, ids: list[int]) -> list[str]:
    """Say in a line each what overrides do to the first month that they reach."""
    lines = dict(_lines(Published(workspace.published)))
    return [lines[each] for each in ids]


def listing(workspace: Workspace) -> str:
    """Return the overrides that stand, a line each, with what each does; and what waits in the inbox."""
    lines = [text for _, text in _lines(Published(workspace.published))]
    n = len(inbox.waiting(workspace.data))
    if n:
        lines.append(
            f"{count(n, 'override waits', 'overrides wait')} in the inbox for `make override` or `make report`."
        )
    return "\n".join(lines or [NONE_YET])


def withdraw(workspace: Workspace, override_id: str, who: str = "", why: str = "") -> str:
    """Take an override back by a row of its own; return what happened. `who` is by default the user of the system.

    Raises
    ------
    UserError
        If no such override stands.
    """
    found = standing(Published(workspace.published).overrides())
    chosen = found[found["override_id"].astype(str) == override_id.strip()]
    if chosen.empty:
        ids = ", ".join(found["override_id"].astype(str)) or "none"
        raise UserError(
            f"No override has the ID {override_id[:20]!r}: those in force are {ids} (`make overrides` lists them)."
        )
    row = chosen.iloc[0]
    first = None if pd.isna(row["first_month"]) else row["first_month"].date()
    try:
        texts = required("who", who or _user()), required("why", why or "taken back")
    except Misread as error:
        raise UserError(f"{error}.") from None
    node = (row[name] for name in ("domain", "aggregation", "unique_id", "region", "product_category"))
    based_on = Published(workspace.published).in_force_of(row["domain"])
    back = Said(
        *node,
        first,
        row["until"].date(),
        WITHDRAWAL,
        None,
        *texts,
        based_on,
        "make override-withdraw",
        int(row["override_id"]),
    )
    add_overrides(workspace, [back])
    return (
        f"Override {row['override_id']} of {row['who']} for {row['domain']}, {row['unique_id']} is taken back. {PAGES}"
    )


def _user() -> str:
    """Return the name of the system's user; «» where it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return ""


def _lines(published: Published) -> list[tuple[int, str]]:
    """Return each override that stands with a line on what it does."""
    found, in_force = standing(published.overrides()), published.in_force()
    forecasts = {
        domain: published.forecasts(in_force[domain], aggregations=None) for domain in found["domain"].unique()
    }
    lost = {domain: published.not_applied(in_force[domain]) for domain in forecasts}
    return [
        (row.override_id, _line(row, forecasts[row.domain], lost[row.domain].get(row.override_id)))
        for row in found.itertuples()
    ]


def _line(row: tuple, forecasts: pd.DataFrame, lost: str | None) -> str:
    """Return the line of one override: number, where, when, what it wants, what becomes of the first month, who and why."""
    at = forecasts[(forecasts["aggregation"] == row.aggregation) & (forecasts["unique_id"] == row.unique_id)]
    first = at["ds"].min() if pd.isna(row.first_month) else row.first_month
    reached = at[(at["ds"] >= first) & (at["ds"] <= row.until)]
    when, amount = override_months(row.first_month, row.until), override_amount(row.kind, row.amount)
    if lost:
        became = f"not applied: {lost}"
    elif reached.empty:
        became = "over" if at.empty or row.until < at["ds"].min() else "its months are not forecast yet"
    else:
        one = reached.iloc[0]
        decimals = decimals_for(reached["predicted_value"])
        values = (number(one[name], decimals) for name in ("predicted_value", "final_value"))
        became = f"{month(one['ds'], short=True)} {' → '.join(values)}"
    return f"{row.override_id:>4}  {row.domain}, {row.aggregation} {row.unique_id}, {when}: {amount}; {became} ({row.who}: {row.why})"
