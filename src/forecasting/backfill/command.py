"""`make backfill`, and what `make monthly` does where it runs late: months are filled in, and readers get a new published copy."""

import pandas as pd

from forecasting import engine, ledger
from forecasting.backfill import planning
from forecasting.backfill.filling import fill
from forecasting.backfill.schedule import month_range
from forecasting.errors import UserError
from forecasting.run import RunFolder, Workspace

PROCESSES = 2


def fill_late(workspace: Workspace) -> list[str]:
    """Fill the months between the run in force of each domain and the one before, where the cycle was not run; say what became of it.

    Nobody saw a forecast at the end of such a month, so it counts as backfill.
    """
    late = {
        domain: late_months(ledger.counted_months(workspace, domain), last_month(workspace, domain))
        for domain in workspace.domains()
    }
    with engine.pool(PROCESSES):
        said = [late_domain(workspace, domain, months) for domain, months in late.items() if months]
    if said:
        ledger.publish_backfill(workspace)
    return said


def late_domain(workspace: Workspace, domain: str, months: list[pd.Timestamp]) -> str:
    """Fill late months of one domain and say what became of it."""
    span = f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}" if len(months) > 1 else f"{months[0]:%Y-%m}"
    try:
        fill(workspace, domain, months)
    except UserError as error:
        return f"{domain}: the cycle was not run in {span}; nothing is filled in there. {error}"
    return f"{domain}: the cycle was not run in {span}; what it would have published is filled in, as backfill."


def late_months(counted: list[pd.Timestamp], last: pd.Timestamp) -> list[pd.Timestamp]:
    """Return the months between a month and the one that was counted before it; none where none was."""
    before = max((month for month in counted if month < last), default=last)
    return list(pd.date_range(before, last, freq="MS")[1:-1])


def last_month(workspace: Workspace, domain: str) -> pd.Timestamp:
    """Return the last month of a domain's training set."""
    return RunFolder.open(workspace.runs / domain).training_set()["ds"].max()


def backfill(workspace: Workspace, first: str, last: str, domain: str = "") -> str:
    """Fill the months from `first` to `last` (as 2023-01) and say what became of it.

    Raises
    ------
    UserError
        If the range or the domain is not understood, a month is not closed, or too little was known at the first.
    """
    months = month_range(first, last)
    domains = workspace.domains()
    if domain and domain not in domains:
        raise UserError(f"There is no domain {domain[:80]!r} in «{workspace.name}»; there are {', '.join(domains)}.")
    domains = [domain] if domain else domains
    for each in domains:
        planning.work_of(workspace, each, months, None)  # refuses before anything is begun
    with engine.pool(PROCESSES):
        new = [run_id for each in domains for run_id in fill(workspace, each, months)]
    ledger.publish_backfill(workspace)
    span = first if first == last else f"{first} to {last}"
    if not new:
        return f"{', '.join(domains)}: {span} were published or are filled in already."
    return (
        f"{len(new)} months filled in, {span} ({', '.join(domains)}). They are counted as backfill, never as published."
    )
