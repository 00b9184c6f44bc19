"""What people changed of published forecasts, as the published file has it."""

import json

import pandas as pd

from forecasting.ledger.comparisons import Comparisons

OVERRIDE_COLUMNS = """
    o.predicted_value as override_value, o.lo_80 as override_lo_80, o.hi_80 as override_hi_80, o.lo_95 as override_lo_95,
    o.hi_95 as override_hi_95, coalesce(o.predicted_value, f.predicted_value) as final_value, o.overridden_by, o.override_reason
"""
WITH_OVERRIDES = """
    left join counted_overrides as o on o.run_id = f.run_id and o.aggregation = f.aggregation and o.unique_id = f.unique_id
        and o.horizon = f.horizon
"""
OVERRIDES = "from overrides order by override_id"
NOT_APPLIED = "select not_applied from override_revisions where run_id = $run_id order by revision desc limit 1"
# Overrides whose month has come, of the runs that count; the node that was overridden itself, or moved with another (own_override is null).
CAME_DUE = """
    select made.aggregation, made.unique_id, made.region, made.product_category, made.ds, made.horizon as lag, made.cutoff, made.run_id,
        made.actual, published.predicted_value as forecast, made.predicted_value as override, o.own_override,
        o.overridden_by as who, o.override_reason as why
    from actual_vs_forecast as made
    inner join counted_forecasts as c on c.run_id = made.run_id
    inner join counted_overrides as o on o.run_id = made.run_id and o.aggregation = made.aggregation
        and o.unique_id = made.unique_id and o.horizon = made.horizon
    inner join actual_vs_forecast as published on published.run_id = made.run_id and published.aggregation = made.aggregation
        and published.unique_id = made.unique_id and published.horizon = made.horizon and published.status = 'published'
    where made.domain = $domain and made.status = 'override' and made.actual is not null
    order by list_position(['total', 'region', 'category', 'series'], made.aggregation), made.unique_id, made.ds, made.horizon
"""


class Changed(Comparisons):
    """Reads overrides of a published file."""

    def overrides(self) -> pd.DataFrame:
        """Return all that was ever said, withdrawals too, in the order in which it was: the columns of the ledger's `overrides`."""
        return self.ask(OVERRIDES)

    def not_applied(self, run_id: str) -> dict[int, str]:
        """Return the overrides that stand and are not applied to a run, or not in all of its months, and for each why."""
        found = self.ask(NOT_APPLIED, run_id=run_id)["not_applied"]
        return {int(key): text for key, text in json.loads(found.iloc[0]).items()} if len(found) else {}

    def came_due(self, domain: str) -> pd.DataFrame:
        """Return overridden forecasts whose month has come, one row per aggregation, unique_id, cutoff and lag.

        Columns: the key, ds, lag (months), cutoff, run_id, actual (as first known), forecast (the model's), override, own_override
        (missing where it moved with another), who, why; amounts in the domain's unit.
        """
        return self.ask(CAME_DUE, domain=domain)
