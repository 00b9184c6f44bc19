"""`make explain`: from a published number back to all that made it, as a text for an auditor or as JSON."""

import json
from typing import Any

from forecasting.audit.record import numbers, record
from forecasting.audit.sections import SECTIONS, amount
from forecasting.errors import UserError
from forecasting.ledger import Published
from forecasting.run import Workspace

INDENT = "  "
WIDTH = 26  # of the names on the left


def explain(
    workspace: Workspace,
    run_id: str = "",
    domain: str = "",
    region: str = "",
    category: str = "",
    month: str = "",
    as_json: bool = False,
) -> str:
    """Return what is known of a run, named by its id, by a number of it or by its domain; see `record` for what that is.

    A domain alone names its run in force.

    Raises
    ------
    UserError
        If none of them is given, or there is no such run or number.
    """
    found: list[dict[str, Any]] = []
    if not run_id and not any((domain, region, category, month)):
        raise UserError(
            "make explain needs RUN=…, a run's id, or DOMAIN=sales, its run in force, or a number: DOMAIN=sales [REGION=… CATEGORY=…] "
            "MONTH=2025-07."
        )
    if not run_id and not any((region, category, month)):
        run_id = Published(workspace.published).in_force_of(domain)
    if not run_id:
        found = numbers(Published(workspace.published), domain, region, category, month)
        run_id = found[0]["run_id"]
    known = record(workspace, run_id)
    if as_json:
        return json.dumps({**known, "numbers": found} if found else known, indent=2, ensure_ascii=False)
    where = f"{known['domain']}, region {region or 'All'}, category {category or 'All'}, {month}"
    head = about_number(found, f"{where}, in {known['unit'] or 'no unit'}") if found else []
    return "\n".join([*head, *about_run(known)])


def about_number(found: list[dict[str, Any]], what: str) -> list[str]:
    """Say which forecasts there are of one number."""
    return [f"The number: {what}", *(f"{INDENT}{one_forecast(each)}" for each in found), ""]


def one_forecast(each: dict[str, Any]) -> str:
    """Say what one run said of a number."""
    marks = [
        word for word, holds in (("in force", each["in_force"]), ("counts for its cutoff", each["counts"])) if holds
    ]
    bounds = [f"{level} %: {amount(each[f'lo_{level}'])} to {amount(each[f'hi_{level}'])}" for level in (80, 95)]
    ahead = f"{each['horizon']} months after {each['cutoff'][:7]}"
    said = f"{amount(each['predicted_value'])} ({', '.join(bounds)}), {each['status']}, {ahead}, {each['model_name']}"
    return f"{said}, {each['run_id']}" + (f" [{', '.join(marks)}]" if marks else "")


def about_run(known: dict[str, Any]) -> list[str]:
    """Say everything of a run, in the order in which an auditor asks."""
    lines: list[str] = [f"Run {known['run_id']}"]
    for title, rows_of in SECTIONS.items():
        lines += [
            *(["", title] if title else []),
            *(line for name, text in rows_of(known) for line in pair(name, text)),
        ]
    return lines


def pair(name: str, text: Any) -> list[str]:
    """Write a name and what is said of it, further lines below each other."""
    first, *others = str(text).split("\n")
    return [f"{INDENT}{name:<{WIDTH}}{first}", *(f"{INDENT}{'':<{WIDTH}}{other}" for other in others)]
