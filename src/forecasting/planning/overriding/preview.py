"""What an override would do, before it is handed in: computed as the ledger will, from what is published."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from forecasting.errors import UserError
from forecasting.ledger import Published, overridden
from forecasting.planning.overriding.checks import checked, said_of
from forecasting.planning.overriding.wishes import Misread, read_wish

KEY = ["aggregation", "unique_id", "ds"]


def tried(published: Path, cells: Mapping[str, object]) -> pd.DataFrame:
    """Return the months of a series or sum, and of the total, that a row would change.

    `cells` are as in `read_wish`. What waits in the inbox does not count yet.

    Returns
    -------
    One row per aggregation, unique_id and ds that moves: forecast (the model's), now (with overrides in force), then (with this one too),
    in the domain's unit; the series or sum itself first.

    Raises
    ------
    UserError
        If it cannot be used, or contradicts one in force.
    """
    file = Published(published)
    try:
        said, _ = checked(file, [read_wish("The form", cells)])
    except Misread as error:
        raise UserError(said_of("The form", error)) from None
    if not said:
        raise UserError("This very override is in force already.")
    (one,) = said
    run_id = file.in_force()[one.domain]
    before, known = file.forecasts(run_id, aggregations=None), file.overrides()
    number = int(known["override_id"].max()) + 1 if len(known) else 1
    new = pd.DataFrame([{**vars(one), "override_id": number, "made_at": pd.Timestamp(0)}])
    new = new.assign(first_month=pd.to_datetime(new["first_month"]), until=pd.to_datetime(new["until"]))
    all_said = pd.concat([known, new], ignore_index=True) if len(known) else new
    rows, _, not_applied = overridden(
        all_said[all_said["domain"] == one.domain],
        before,
        file.run(run_id).manifest,
        file.series_levels(before["aggregation"]),
    )
    if str(number) in not_applied:
        raise UserError(f"The form: {not_applied[str(number)]}.")
    then = before.set_index(KEY)["predicted_value"].copy()
    then.update(rows.set_index(KEY)["predicted_value"].astype(float))
    found = before[[*KEY, "predicted_value", "final_value"]].assign(then=then.to_numpy())
    found = found.rename(columns={"predicted_value": "forecast", "final_value": "now"})
    changed = found[(found["then"] - found["now"]).abs() > 1e-9 * found[["then", "now"]].abs().max(axis=1)]
    is_own = (changed["aggregation"] == one.aggregation) & (changed["unique_id"] == one.unique_id)
    return pd.concat([changed[is_own], changed[~is_own]], ignore_index=True)
