"""Doubts about dates and rows: long gaps, periods that are no months, stray dates, blocks that stand twice, counts in turns.

Each check returns the doubts that it finds in the tables of `doubts.TABLES`.
"""

from typing import Any

import pandas as pd

from forecasting.training_set.check_tables import listed
from forecasting.training_set.doubt import MONTHS_TO_JUDGE, Doubt

LONG_GAP_MONTHS = 12  # one count a year, of stock or expenses, is none
LEAST_FILLED = 0.5
PERIOD_DAYS = (26, 37)  # between one period's date and the next one's
LITTLE = 0.02  # of the stock: what sells out before the month's end
FAR_DAYS = 20  # between the dates of one period and those of the next one, at least


def long_gaps(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """A history with a gap of years, or most of whose months are empty: mostly dates that were read or written wrongly."""
    found = []
    for fact_table, dates in _used_dates(tables).groupby("fact_table"):
        days = pd.to_datetime(dates["fact_date"])
        months = (12 * days.dt.year + days.dt.month).drop_duplicates()
        longest, span = (
            int(months.diff().max() or 0) if len(months) > 1 else 0,
            int(months.iloc[-1] - months.iloc[0]) + 1,
        )
        empty = span >= 12 and len(months) < LEAST_FILLED * span and fact_table == "sales"
        if longest <= LONG_GAP_MONTHS and not empty:
            continue
        why = (
            f"have a gap of {longest - 1} months"
            if longest > LONG_GAP_MONTHS
            else f"fill {len(months)} of {span} months"
        )
        years = dates.groupby(days.dt.year)["n_facts"].sum()
        counts = [f"{year}: {n:,}" for year, n in years.items()]
        shown = ", ".join(counts if len(counts) <= 14 else [*counts[:6], "…", *counts[-6:]])
        meant = settings["long_gaps"] == "accept"
        advice = "Correct the dates (are days and months swapped, years cut?), or set long_gaps: accept in params/ if it is meant."
        text = f"The {fact_table} facts {why} between {days.iloc[0]:%Y-%m-%d} and {days.iloc[-1]:%Y-%m-%d}; rows by year: {shown}."
        found.append(
            Doubt(str(fact_table), "medium" if meant else "refuse", "long_gaps", text if meant else f"{text} {advice}")
        )
    return found


def _used_dates(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the dates of the facts without the stray ones, in order."""
    keys = ["fact_table", "fact_date"]
    stray = pd.MultiIndex.from_frame(tables["stray_dates"][keys])
    dates = tables["fact_dates"]
    return dates[~pd.MultiIndex.from_frame(dates[keys]).isin(stray)]


def periods(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """One date a period that is no month: the sums of calendar months would be zeros and doubles, or follow the number of weeks."""
    grains = dict(tables["fact_windows"][["fact_table", "grain"]].itertuples(index=False))
    found = []
    for fact_table, dates in _used_dates(tables).groupby("fact_table"):
        period = _bundles(pd.to_datetime(dates["fact_date"]))
        gaps = period.groupby(level=0).min().diff().dt.days.dropna()
        if fact_table == "inventory" or len(gaps) < MONTHS_TO_JUDGE or grains.get(fact_table) == "monthly":
            continue
        months = (
            period.dt.to_period("M").groupby(level=0).unique().explode()
        )  # a period that lies in two months is one of both
        dates_of = months.value_counts().reindex(pd.period_range(months.min(), months.max(), freq="M"), fill_value=0)
        if grains.get(fact_table) == "weekly":
            text = (
                f"The {fact_table} facts have one date every {gaps.median():.0f} days: a month has {dates_of.iloc[1:-1].min()} or "
                f"{dates_of.iloc[1:-1].max()} of them, and its total follows that number. Daily facts would tell more."
            )
            found.append(Doubt(str(fact_table), "medium", "weekly", text))
        elif gaps.between(*PERIOD_DAYS).mean() >= 0.9 and (dates_of.max() > 1 or dates_of.min() == 0):
            odd = [f"{month} has {n or 'no'} date{'s' if n > 1 else ''}" for month, n in dates_of.items() if n != 1]
            text = (
                f"The {fact_table} facts have one date a period, {gaps.min():.0f} to {gaps.max():.0f} days apart, and the periods are no "
                f"calendar months (4-4-5 weeks?): {listed(odd, 4)}. Date each with the first day of the month that it stands for."
            )
            found.append(Doubt(str(fact_table), "refuse" if fact_table == "sales" else "medium", "periods", text))
    return found


def _bundles(days: pd.Series) -> pd.Series:
    """Return the dates under the number of their bundle: a week at most, far from all others. Where there are none each is its own."""
    number = (days.diff().dt.days >= FAR_DAYS).cumsum()
    spans = days.groupby(number).agg(lambda bundle: (bundle.max() - bundle.min()).days)
    return days.set_axis(number if (spans < 7).all() else range(len(days)))


def stray(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Dates that are not used."""
    found = []
    used = _used_dates(tables)
    for (fact_table, reason), dates in tables["stray_dates"].groupby(["fact_table", "reason"]):
        days = listed([f"{pd.Timestamp(day):%Y-%m-%d}" for day in dates["fact_date"]], 6)
        lie = f"date {days} lies" if len(dates) == 1 else f"dates {days} lie"
        n, others = int(dates["n_facts"].sum()), pd.to_datetime(used.loc[used["fact_table"] == fact_table, "fact_date"])
        subject = f"{n:,} of the {fact_table} facts {'is' if n == 1 else 'are'} left out"
        worth = "" if fact_table == "inventory" else f", amount {dates['amount'].sum():,.2f}"
        text = (
            f"{subject}: the {lie} {reason}, which end on {others.max():%Y-%m-%d}{worth}. Correct it, or set stray_dates: keep "
            "in params/ if it is right."
        )
        found.append(Doubt(str(fact_table), "medium", "stray_dates", text))
    return found


def repeated(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Blocks of rows that stand more than once."""
    found = []
    amounts = {name: (int(n), amount) for name, n, amount in tables["repeated_amounts"].itertuples(index=False)}
    for fact_table, blocks in tables["repeated_blocks"].groupby("fact_table"):
        spans = [_block_text(block) for block in blocks.itertuples()]
        n, amount = amounts[str(fact_table)]
        unit = "units on hand" if fact_table == "inventory" else "amount"
        rows = f"{n:,} row{'' if n == 1 else 's'} more"
        much = f"{rows}{'' if pd.isna(amount) else f', {unit} {amount:,.2f}'}"
        text = f"Among the {fact_table} facts {listed(spans, 6)} ({much}), as if an export had been appended twice."
        dropped = settings["duplicates"] == "drop"
        end = (
            " Each is counted once."
            if dropped
            else " They are counted as they stand; duplicates: drop in params/ counts each once."
        )
        found.append(Doubt(str(fact_table), "medium" if dropped else "high", "duplicates", text + end))
    return found


def _block_text(block: Any) -> str:
    """Return which rows stand how many times."""
    parts = "/".join(str(name) for name in (block.region, block.product_category) if pd.notna(name))
    whose = f"rows of {parts}" if parts else "rows"
    times = "twice" if block.times == 2 else "three times"
    first, last = (f"{pd.Timestamp(day):%Y-%m-%d}" for day in (block.first_date, block.last_date))
    when = f"of {first}" if first == last else f"from {first} to {last}"
    return f"{f'{block.n_surplus:,} of the' if block.is_part else 'all'} {whose} {when} stand {times}"


def turns(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Months whose last count of stock lacks products that were listed days before."""
    found = []
    lacking = tables["turns"][tables["turns"]["n_missing"] > 0]
    for is_full, months in lacking.groupby("is_full"):
        latest = months[months["ds"] == months["ds"].max()]
        examples = [
            f"{row.region} on {pd.Timestamp(row.last_day):%Y-%m-%d} lacks {row.n_missing:,} of {row.n_products:,} products"
            f"{f' ({row.units_missing:,.0f} of {row.units:,.0f} units)' if row.units else ''}"
            for row in latest.itertuples()
        ]
        rule = (
            "The count is otherwise full, so these count as 0: if they were only not counted again, list them too."
            if is_full
            else "Products are counted in turns, so the month's stock is each product's last count."
        )
        text = (
            f"The last count of stock lacks products that were counted days before, in {len(months):,} months of a region: "
            f"{listed(examples, 6)}. {rule}"
        )
        is_little = is_full and (latest["units_missing"] < LITTLE * latest["units"]).all()
        found.append(Doubt("inventory", "low" if is_little else "medium", "counted_in_turns", text))
    return found
