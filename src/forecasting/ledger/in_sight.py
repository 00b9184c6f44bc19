"""Which of many series, regions or categories pages show: the largest, those furthest from their forecast, those that change most.

Where there are few, all are shown. Whatever is not in sight is found by search, on the pages as in the API and the dashboard, and stands
in the published file.
"""

from dataclasses import dataclass

from forecasting.ledger.comparisons import COUNTED, Comparisons

FEW = 60  # series, regions or categories up to which all of them are shown
SHOWN = 20  # beyond: how many of each kind are
COUNTS = "select aggregation, count(distinct unique_id) as n from monthly_actuals where domain = $domain group by aggregation"
# By what they came to in the last twelve months.
LARGEST = """
    select unique_id from monthly_actuals
    where domain = $domain and aggregation = $aggregation
        and ds > (select max(ds) - interval 12 month from monthly_actuals where domain = $domain)
    group by unique_id order by sum(abs(y)) desc, unique_id limit $shown
"""
# By how far the last closed month was from the forecast made for it.
WORST = f"""
    with {COUNTED}
    select unique_id from counted
    where aggregation = $aggregation and ds = (select max(ds) from monthly_actuals where domain = $domain)
    qualify row_number() over (partition by unique_id order by is_published desc, horizon) = 1
    order by abs(variance) desc, unique_id limit $shown
"""
# By how far the forecast of the next month is from the same month of last year; what one of both lacks counts as 0 there.
CHANGED = """
    with
    coming as (
        select unique_id, ds, predicted_value from forecasts
        where run_id = $run_id and aggregation = $aggregation and status = 'published'
            and ds = (select min(ds) from forecasts where run_id = $run_id)
    ),
    before as (
        select unique_id, y from monthly_actuals
        where domain = $domain and aggregation = $aggregation
            and ds = (select min(ds) - interval 12 month from forecasts where run_id = $run_id)
    )
    select unique_id from coming full join before using (unique_id)
    order by abs(coalesce(predicted_value, 0) - coalesce(y, 0)) desc, unique_id limit $shown
"""
FALLBACKS = """
    select count(distinct unique_id) as n from forecasts
    where run_id = $run_id and aggregation = $aggregation and status = 'published' and is_fallback
"""


@dataclass(frozen=True)
class InSight:
    """Which parts of one level pages show where there are too many to show all of them.

    `n` is how many there are, `n_fallback` how many of them no model could forecast; the others are unique_ids, the first of each kind
    first: by size, by distance from their last forecast, by change on the year.
    """

    n: int
    n_fallback: int
    largest: tuple[str, ...]
    worst: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """All that are in sight, each once."""
        return list(dict.fromkeys([*self.largest, *self.worst, *self.changed]))


class Sight(Comparisons):
    """Reads which parts are in sight."""

    def in_sight(self, domain: str, run_id: str) -> dict[str, InSight]:
        """Return what is in sight of each level that has too many parts to show all, of a run in force; none where it has few."""
        counts = self.ask(COUNTS, domain=domain)
        many = dict(zip(counts["aggregation"], counts["n"], strict=True))
        return {level: self._of(domain, run_id, level, int(n)) for level, n in sorted(many.items()) if n > FEW}

    def _of(self, domain: str, run_id: str, level: str, n: int) -> InSight:
        first = {"aggregation": level, "shown": SHOWN}
        return InSight(
            n=n,
            n_fallback=int(self.ask(FALLBACKS, run_id=run_id, aggregation=level)["n"].iloc[0]),
            largest=tuple(self.ask(LARGEST, domain=domain, **first)["unique_id"]),
            worst=tuple(self.ask(WORST, domain=domain, **first)["unique_id"]),
            changed=tuple(self.ask(CHANGED, domain=domain, run_id=run_id, **first)["unique_id"]),
        )
