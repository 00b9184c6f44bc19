"""What was published before a month, for those who compare it with what came: forecasts, back-tests, verdicts and what was known.

«Before» is for an earlier cutoff than the one given: publishing for that cutoff, once or often, changes no answer.
"""

import json
from collections.abc import Iterator

import pandas as pd

from forecasting.ledger.reader import Reader
from forecasting.run import Manifest, Monitoring

LAST_COUNTED = """
    select run_id, cutoff, champion, manifest from runs semi join counted_forecasts using (run_id)
    where domain = $domain and cutoff < $cutoff::date order by cutoff desc limit 1
"""
DUE_CUTOFFS = """
    select cutoff, max(ds) as last from forecasts semi join counted_forecasts using (run_id)
    where domain = $domain and cutoff < $cutoff::date and ds <= $cutoff::date and status in ('published', 'baseline')
    group by cutoff order by cutoff
"""
DUE = """
    select run_id, aggregation, unique_id, region, product_category, cutoff, horizon, ds, model_name, status, predicted_value,
        lo_80, hi_80, lo_95, hi_95, scale, is_fallback
    from forecasts semi join counted_forecasts using (run_id)
    where domain = $domain and cutoff = $made_at and ds <= $cutoff::date and status in ('published', 'baseline')
    order by status, aggregation, unique_id, horizon
"""
SERIES_OF = """
    select distinct unique_id, region, product_category from forecasts
    where run_id = $run_id and aggregation = 'series' and status = 'published' order by unique_id
"""
TAUGHT_CUTOFFS = "select distinct cutoff from backtests where run_id = $run_id order by cutoff"
BACK_TESTS = """
    select aggregation, unique_id, region, product_category, cutoff, horizon, ds, model_name, q500 as predicted_value,
        q100 as lo_80, q900 as hi_80, q025 as lo_95, q975 as hi_95, scale, is_fallback
    from backtests where run_id = $run_id and model_name in ($champion, 'seasonal_naive') and cutoff = $made_at and ds <= $last::date
    order by model_name, aggregation, unique_id, horizon
"""
KNOWN = """
    select unique_id, ds, arg_min(y, as_of) as first_known, arg_max(y, as_of) filter (as_of < $day::date) as known_before
    from actuals where domain = $domain and ds <= $cutoff::date group by unique_id, ds order by unique_id, ds
"""
# Of a run that was judged more than once, because more was known of the past the second time, the last judgement.
VERDICTS = """
    select cutoff, run_id, verdict, reasons from (
        select * from verdicts qualify row_number() over (partition by run_id order by judged_at desc) = 1
    ) semi join counted_forecasts using (run_id)
    where domain = $domain and cutoff < $cutoff::date order by cutoff
"""
JUDGEMENTS = """
    select v.domain, v.cutoff, v.run_id, v.verdict, v.reasons, v.measures, v.limits,
        coalesce(runs.manifest ->> '$.trained.run_id' = v.run_id, false) as retrained
    from verdicts as v semi join latest_runs on latest_runs.run_id = v.run_id inner join runs on runs.run_id = v.run_id
    qualify row_number() over (partition by v.run_id order by v.judged_at desc) = 1
    order by list_position(['sales', 'inventory', 'profit'], v.domain)
"""
NOTED = ("reasons", "measures", "limits")


class Due(Reader):
    """What the published file says of the forecasts for earlier cutoffs; amounts in the domain's unit."""

    def last_counted(self, domain: str, cutoff: str) -> dict | None:
        """Return the run that counts for the last cutoff before one: run_id, cutoff, champion, manifest; None where there is none."""
        rows = self.ask(LAST_COUNTED, domain=domain, cutoff=cutoff)
        return None if rows.empty else rows.assign(manifest=rows["manifest"].map(Manifest.read)).iloc[0].to_dict()

    def due_cutoffs(self, domain: str, cutoff: str) -> pd.DataFrame:
        """Return the cutoffs before one of whose counted forecasts some have come due by then, in order: cutoff, last (month that has)."""
        return self.ask(DUE_CUTOFFS, domain=domain, cutoff=cutoff)

    def due(self, domain: str, cutoff: str, made_at: pd.Timestamp) -> pd.DataFrame:
        """Return the counted forecasts made at an earlier cutoff and the seasonal naive beside them, of months up to the cutoff.

        One row per run_id, aggregation, unique_id, horizon, model_name and status (published or baseline).
        """
        return self.ask(DUE, domain=domain, cutoff=cutoff, made_at=made_at)

    def series_of(self, run_id: str) -> pd.DataFrame:
        """Return the series that a run forecast: unique_id, region, product_category."""
        return self.ask(SERIES_OF, run_id=run_id)

    def back_tests(self, run_id: str, champion: str, last: pd.Timestamp) -> Iterator[pd.DataFrame]:
        """Yield the back-tests of a run's champion and the seasonal naive, cutoff by cutoff, of months up to the last.

        One row per model, aggregation, unique_id, horizon.
        """
        for made_at in self.ask(TAUGHT_CUTOFFS, run_id=run_id)["cutoff"]:
            yield self.ask(BACK_TESTS, run_id=run_id, champion=champion, made_at=made_at, last=last)

    def known(self, domain: str, cutoff: str, day: str) -> pd.DataFrame:
        """Return what was published of each series' months: unique_id, ds, first_known, known_before (a day; NaN where it was not)."""
        return self.ask(KNOWN, domain=domain, cutoff=cutoff, day=day)

    def verdicts(self, domain: str, cutoff: str) -> pd.DataFrame:
        """Return the monitor's verdicts for earlier cutoffs, the earliest first: cutoff, run_id, verdict, reasons (a list each)."""
        rows = self.ask(VERDICTS, domain=domain, cutoff=cutoff)
        return rows.assign(reasons=rows["reasons"].map(json.loads))

    def judgements(self) -> list[dict]:
        """Return what the monitor says of the runs in force: domain, cutoff (ISO date), run_id, verdict, reasons, measures,
        limits, and whether that run trained its models (`retrained`).
        """
        rows = self.ask(JUDGEMENTS).to_dict("records")
        return [
            row | {"cutoff": f"{row['cutoff']:%Y-%m-%d}"} | {name: json.loads(row[name]) for name in NOTED}
            for row in rows
        ]

    def judgement(self, domain: str) -> Monitoring:
        """Return what the monitor says of a domain's run in force; ok without a reason where it was not asked."""
        return Monitoring.from_json(next((row for row in self.judgements() if row["domain"] == domain), None))
