"""`make backfill`: fills a range of months of all domains, or of one, and gives readers a new published copy."""

from forecasting import ledger
from forecasting.backfill import planning, workers
from forecasting.backfill.filling import fill
from forecasting.backfill.schedule import month_range
from forecasting.errors import UserError
from forecasting.run import Workspace


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
    with workers.pool() as pool:
        new = [run_id for each in domains for run_id in fill(workspace, each, months, pool=pool)]
    ledger.publish_backfill(workspace)
    span = first if first == last else f"{first} to {last}"
    if not new:
        return f"{', '.join(domains)}: {span} were published or are filled in already."
    return (
        f"{len(new)} months filled in, {span} ({', '.join(domains)}). They are counted as backfill, never as published."
    )
