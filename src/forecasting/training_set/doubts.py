"""What speaks against the facts as they are: what must be answered before they are used, and what a reader must know.

dbt finds the numbers (`dbt/models/doubts`); here they are judged and said. A `Doubt` of severity `refuse` stops the domains that it
concerns, one of the sales facts everything; the others come to their domains as warnings.
"""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pandas as pd

from forecasting import ledger
from forecasting.contracts import ALL
from forecasting.errors import UserError
from forecasting.facts import nearest
from forecasting.run import Workspace
from forecasting.training_set.check_tables import listed

DOMAINS_OF = {"sales": ("sales", "profit"), "inventory": ("inventory",), "expenses": ("profit",)}
COLUMNS = {"region": "Region", "product_category": "Category"}
NOT_STATED = "Not stated"  # as dbt calls what has no name where others have one
# what rows of totals are called, folded as `fold` does
TOTALS = {
    "all", "alle", "overall", "total", "totals", "totale", "totaal", "totalt", "grandtotal", "grandtotals", "subtotal", "sum", "summe",
    "gesamt", "gesamtsumme", "gesamtergebnis", "insgesamt", "zwischensumme", "totalgeneral", "totaux", "ensemble", "tous", "toutes",
    "todo", "todos", "todas", "allregions", "allcategories", "allproducts", "alleregionen", "suma", "razem", "celkem", "osszesen",
    "yhteensa", "ialt", "итого", "всего", "合計", "总计", "總計", "합계",
}  # fmt: skip
MOST_TOTALS = 3  # rows of totals of the same facts that are looked for: All, Total, Grand total
NEAR = 0.005  # how far a total may be from the sum, as a share of it
LONG_GAP_MONTHS = 24
LEAST_FILLED = 0.5
MONTHS_TO_JUDGE = 6


class Doubt(NamedTuple):
    """One thing that speaks against the facts of a table. `severity`: refuse, high, medium or low; `code` is a name for programs."""

    fact_table: str
    severity: str
    code: str
    text: str


def judge(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Return all doubts. `tables`: of `TABLES`, by name; `settings`: rename, totals, duplicates, stray_dates, long_gaps."""
    return [doubt for check in CHECKS for doubt in check(tables, settings)]


def require_known(connection: Any, source: str, settings: dict[str, Any]) -> None:
    """Raise a UserError if `rename` or `totals` in params/ speak of a name that no fact has."""
    stated = {**settings["rename"], **({"region": {}, "product_category": {}} if settings["totals"] else {})}
    names: dict[str, set[str]] = {}
    for column in stated:
        tables = [table for table in DOMAINS_OF if table != "expenses" or column == "region"]
        query = " union ".join(f"select distinct {column} from {source}_{table}" for table in tables)
        names[column] = {name for (name,) in connection.execute(query).fetchall() if name is not None}
    for column, mapping in settings["rename"].items():
        for old in mapping:
            if old not in names[column]:
                raise UserError(
                    f"rename: no fact has the {COLUMNS[column].lower()} {old!r}.{nearest(old, names[column])} Correct params/."
                )
    known = {NOT_STATED}.union(*names.values(), *(mapping.values() for mapping in settings["rename"].values()))
    for name in settings["totals"]:
        if name not in known:
            raise UserError(
                f"totals: no fact has the region or category {name!r}.{nearest(name, known)} Correct params/."
            )


def found(workspace: Workspace, settings: dict[str, Any]) -> list[Doubt]:
    """Return the doubts of the facts that dbt has read; none where it did not come that far.

    Raises
    ------
    UserError
        If sales, on which everything rests, cannot be used before something is answered, or `params/` speak of a name that no fact has.
    """
    if not workspace.warehouse.exists():
        return []
    with ledger.connect(workspace.warehouse) as connection:
        built = {name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()}
        if not {"name_months", "fact_windows", "profit_monthly"} <= built:
            return []
        require_known(connection, workspace.source, settings)
        doubts = judge({name: connection.execute(sql).df() for name, sql in TABLES.items()}, settings)
    if why := refusal(doubts, "sales"):
        raise UserError(why)
    return doubts


def refusal(doubts: Iterable[Doubt], domain: str) -> str:
    """Return what must be answered before a domain can be forecast from its facts; «» where nothing must."""
    texts = dict.fromkeys(
        each.text for each in doubts if each.severity == "refuse" and domain in DOMAINS_OF[each.fact_table]
    )
    return "\n- ".join(["The facts cannot be used as they are:", *texts]) if len(texts) > 1 else "".join(texts)


def of_domain(doubts: Iterable[Doubt], domain: str) -> list[dict[str, str]]:
    """Return the doubts that concern one domain as warnings: severity, code, text."""
    return [
        {"severity": each.severity, "code": each.code, "text": each.text}
        for each in doubts
        if domain in DOMAINS_OF[each.fact_table] and each.severity != "refuse"
    ]


TABLES = {
    "fact_dates": "select * from fact_dates order by fact_table, fact_date",
    "stray_dates": "select * from stray_dates order by fact_table, fact_date",
    "repeated_blocks": "select * from repeated_blocks order by fact_table, region nulls first, first_date",
    "name_months": "select fact_table, column_name, name, ds, n_facts, cast(amount as double) as amount from name_months order by all",
    "fact_windows": "select fact_table, grain from fact_windows order by fact_table",
    "series": "select distinct region, product_category from sales_monthly union select distinct region, product_category "
    "from inventory_month_end union select distinct region, product_category from profit_monthly order by all",
    "turns": "select region, ds, any_value(is_full) as is_full, any_value(last_day) as last_day, count(*) as n_products, "
    "count(*) filter (where not is_on_last_day and units is distinct from 0) as n_missing from inventory_counts group by all order by all",
}


def fold(name: str) -> str:
    """Return a name without what the eye does not see: capitals, blanks, hyphens, width and accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    unseen = ("Z", "C", "M", "Pd", "Pc")  # blanks, controls, accents, hyphens, underscores
    return "".join(letter for letter in plain if not unicodedata.category(letter).startswith(unseen))


def _unusable_ids(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Two series, or a series and a sum, that would have the same id, and names that stand for sums."""
    pairs = [(str(region), str(category)) for region, category in tables["series"].itertuples(index=False)]
    nodes = {*pairs, *((region, ALL) for region, _ in pairs), *((ALL, category) for _, category in pairs)}
    by_id: dict[str, list[tuple[str, str]]] = {}
    for node in sorted(nodes):
        by_id.setdefault("/".join(node), []).append(node)
    clashes = {key: found for key, found in by_id.items() if len(found) > 1}
    return [Doubt("sales", "refuse", "ids", _clash_text(key, found[0], found[1])) for key, found in clashes.items()]


def _clash_text(key: str, one: tuple[str, str], other: tuple[str, str]) -> str:
    """Name two series of one id."""
    first, second = (f"region '{region}' with category '{category}'" for region, category in (one, other))
    advice = "Give one of them another name, in the facts or by rename in params/."
    return f"R{first[1:]} and {second} would both be called '{key}'. {advice}"


def _totals(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Regions or categories that are the sum of the others, by their numbers or by their name."""
    found = []
    for (fact_table, column), rows in tables["name_months"].groupby(["fact_table", "column_name"]):
        wide = rows.pivot_table(index="ds", columns="name", values="amount", aggfunc="sum")
        if wide.shape[1] < 2:
            continue
        proofs = _sums_of_others(wide)
        named = {name: "is called like a total of the others" for name in wide if fold(name).strip(":.*=") in TOTALS}
        if fact_table == "expenses":
            named.pop(ALL, None)  # what concerns all regions
        suspected = named | proofs
        if len(suspected) > 1:  # the rows of a total in the other column
            suspected.pop(NOT_STATED, None)
        for name, why in suspected.items():
            if settings["totals"].get(name) != "keep" or name == ALL:
                found.append(Doubt(str(fact_table), "refuse", "totals", _total_text(fact_table, column, name, why)))
    if len({doubt.fact_table for doubt in found}) < len(found):
        found = [doubt for doubt in found if f"'{NOT_STATED}'" not in doubt.text]
    return found


def _total_text(fact_table: str, column: str, name: str, why: str) -> str:
    """Name what is taken for a total, and what can be said of it."""
    other = "another name, since 'All' stands for the sum" if name == ALL else "keep says that it is a real one"
    return (
        f"{COLUMNS[column]} '{name}' of the {fact_table} facts {why}: counted beside them it would double the company. State in params/ "
        f"what it is: totals: {{'{name}': drop}} leaves its rows out, {'or give it ' if name == ALL else ''}{other}."
    )


def _sums_of_others(wide: pd.DataFrame) -> dict[str, str]:
    """Return the names whose amounts [months × names] are the sum of the others, month after month, and a part of a sentence that says so.

    Where there are k such names, each is a (k + 1)th of everything.
    """
    everything, found = wide.sum(axis=1), {}
    for parts in range(2, MOST_TOTALS + 2):
        hits = {}
        for name, amounts in wide.items():
            own = amounts[amounts.notna() & (amounts != 0)]
            distance = (everything[own.index] - parts * own).abs()
            n_equal = int((distance <= NEAR * own.abs()).sum())
            exact = bool((distance < 0.01 * parts).all())
            enough = n_equal >= MONTHS_TO_JUDGE or (exact and n_equal >= 3)
            if enough and n_equal >= 0.9 * len(own) and own.round(2).nunique() >= 3:
                hits[str(name)] = (
                    f"equals the sum of the other {'names' if parts > 2 else 'ones'} in {n_equal} of {len(own)} months"
                )
        if len(hits) > parts - 1:  # alike to each other: only the name tells which is the total
            hits = {name: text for name, text in hits.items() if fold(name).strip(":.*=") in TOTALS}
        found |= hits
    return found


def _long_gaps(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
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


def _periods(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """One date a period that is no month: the sums of calendar months would be zeros and doubles, or follow the number of weeks."""
    grains = dict(tables["fact_windows"][["fact_table", "grain"]].itertuples(index=False))
    found = []
    for fact_table, dates in _used_dates(tables).groupby("fact_table"):
        days = pd.to_datetime(dates["fact_date"])
        gaps = days.diff().dt.days.dropna()
        if fact_table == "inventory" or len(gaps) < MONTHS_TO_JUDGE or grains.get(fact_table) == "monthly":
            continue
        months = days.dt.to_period("M")
        dates_of = months.value_counts().reindex(
            pd.period_range(months.iloc[0], months.iloc[-1], freq="M"), fill_value=0
        )
        if grains.get(fact_table) == "weekly":
            text = (
                f"The {fact_table} facts have one date every {gaps.median():.0f} days: a month has {dates_of.iloc[1:-1].min()} or "
                f"{dates_of.iloc[1:-1].max()} of them, and its total follows that number. Daily facts would tell more."
            )
            found.append(Doubt(str(fact_table), "medium", "weekly", text))
        elif gaps.between(26, 37).mean() >= 0.9 and (dates_of.max() > 1 or dates_of.min() == 0):
            odd = [f"{month} has {n or 'no'} date{'s' if n > 1 else ''}" for month, n in dates_of.items() if n != 1]
            text = (
                f"The {fact_table} facts have one date a period, {gaps.min():.0f} to {gaps.max():.0f} days apart, and the periods are no "
                f"calendar months (4-4-5 weeks?): {listed(odd, 4)}. Date each with the first day of the month that it stands for."
            )
            found.append(Doubt(str(fact_table), "refuse" if fact_table == "sales" else "medium", "periods", text))
    return found


def _stray(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Dates that are not used."""
    found = []
    used = _used_dates(tables)
    for (fact_table, reason), dates in tables["stray_dates"].groupby(["fact_table", "reason"]):
        days = listed([f"{pd.Timestamp(day):%Y-%m-%d}" for day in dates["fact_date"]], 6)
        n, others = int(dates["n_facts"].sum()), pd.to_datetime(used.loc[used["fact_table"] == fact_table, "fact_date"])
        if others.empty:
            text = f"Every date of the {fact_table} facts {reason}: {days}. Correct the dates."
            found.append(Doubt(str(fact_table), "refuse", "stray_dates", text))
            continue
        subject = f"{n:,} of the {fact_table} facts {'is' if n == 1 else 'are'} left out"
        worth = "" if fact_table == "inventory" else f", amount {dates['amount'].sum():,.2f}"
        text = (
            f"{subject}: the date {days} {reason}, which end on {others.max():%Y-%m-%d}{worth}. Correct it, or set stray_dates: keep "
            "in params/ if it is right."
        )
        found.append(Doubt(str(fact_table), "medium", "stray_dates", text))
    return found


def _repeated(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Blocks of rows that stand more than once."""
    found = []
    for fact_table, blocks in tables["repeated_blocks"].groupby("fact_table"):
        spans = [_block_text(block) for block in blocks.itertuples()]
        n, amount = int(blocks["n_surplus"].sum()), float(blocks["amount"].sum())
        unit = "units on hand" if fact_table == "inventory" else "amount"
        much = f"{n:,} rows more, {unit} {amount:,.2f}"
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
    whose = "all rows" if pd.isna(block.region) else f"all rows of {block.region}"
    times = "twice" if block.times == 2 else "three times"
    return f"{whose} from {pd.Timestamp(block.first_date):%Y-%m-%d} to {pd.Timestamp(block.last_date):%Y-%m-%d} stand {times}"


def _alike(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Names that differ only in what the eye does not see."""
    found = []
    for column, rows in tables["name_months"].groupby("column_name"):
        used = rows.groupby("name").agg(last=("ds", "max"), n=("n_facts", "sum"))
        for _, names in used.groupby(fold):
            if len(names) < 2:
                continue
            names = names.sort_values(["last", "n"], ascending=False)  # the one in use first
            best, *others = map(str, names.index)
            said = ", ".join(f"{name!r} ({int(n):,} facts)" for name, n in names["n"].items())
            mapping = ", ".join(f'"{_escaped(name)}": {best}' for name in others)
            text = (
                f"{COLUMNS[str(column)]} {best} is spelled in {len(names)} ways, each a series of its own: {said}. If they are one, "
                f"state it in params/: rename: {{{column}: {{{mapping}}}}}."
            )
            table = rows.loc[rows["name"].isin(names.index), "fact_table"]
            found.extend(Doubt(name, "medium", "names_alike", text) for name in sorted(set(table)))
    return found


def _escaped(name: str) -> str:
    """Return a name as YAML writes it between double quotes, what the eye does not see as \\u escapes."""
    return "".join(
        letter if letter.isprintable() and letter not in '"\\' else f"\\u{ord(letter):04x}" for letter in name
    )


def _successors(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """A name that ends in the month before another of like size begins: it may have been renamed."""
    found = []
    flows = tables["name_months"][tables["name_months"]["fact_table"] == "sales"]
    for column, rows in flows.groupby("column_name"):
        lives = rows[rows["amount"] != 0].sort_values("ds").groupby("name")["ds"].agg(["min", "max", "size"])
        end = rows["ds"].max()
        for old, life in lives[(lives["size"] >= MONTHS_TO_JUDGE) & (lives["max"] < end)].iterrows():
            begin = pd.Timestamp(life["max"]) + pd.DateOffset(months=1)
            sizes = {new: _like_size(rows, old, new) for new in lives.index[pd.to_datetime(lives["min"]) == begin]}
            new = max(sizes, key=lambda name: sizes[name], default=None)
            if (
                new is not None and sizes[new] >= 0.5 and fold(new) != fold(old)
            ):  # else said already, as another spelling
                text = (
                    f"{COLUMNS[str(column)]} {old} ends in {life['max']:%Y-%m} and {new}, of like size, begins in {begin:%Y-%m}. "
                    f"If it was only renamed, state it in params/, so that its history goes on: rename: {{{column}: {{{old}: {new}}}}}."
                )
                found.append(Doubt("sales", "medium", "renamed", text))
    return found


def _like_size(rows: pd.DataFrame, old: str, new: str) -> float:
    """Return the smaller of two means as a share of the larger: the last six months of one name, the first of another."""
    ends = rows[rows["name"] == old].sort_values("ds")["amount"].tail(MONTHS_TO_JUDGE).mean()
    begins = rows[rows["name"] == new].sort_values("ds")["amount"].head(MONTHS_TO_JUDGE).mean()
    small, large = sorted((ends, begins))
    return small / large if small > 0 else 0.0


def _turns(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Months whose last count of stock lacks products that were listed days before."""
    found = []
    lacking = tables["turns"][tables["turns"]["n_missing"] > 0]
    for is_full, months in lacking.groupby("is_full"):
        latest = months[months["ds"] == months["ds"].max()]
        examples = [
            f"{row.region} on {pd.Timestamp(row.last_day):%Y-%m-%d} lacks {row.n_missing:,} of {row.n_products:,}"
            for row in latest.itertuples()
        ]
        rule = (
            "The counts are otherwise full, so these count as 0."
            if is_full
            else "Products are counted in turns, so the month's stock is each product's last count."
        )
        text = (
            f"The last count of stock lacks products that were counted days before, in {len(months):,} months of a region: "
            f"{listed(examples, 6)}. {rule}"
        )
        found.append(Doubt("inventory", "low" if is_full else "medium", "counted_in_turns", text))
    return found


def _not_stated(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Facts without a name where others have one."""
    rows = tables["name_months"][tables["name_months"]["name"] == NOT_STATED]
    return [
        Doubt(
            str(table),
            "low",
            "not_stated",
            f"{int(n):,} of the {table} facts have no {what}: they are a series '{NOT_STATED}'.",
        )
        for (table, column), n in rows.groupby(["fact_table", "column_name"])["n_facts"].sum().items()
        for what in [COLUMNS[str(column)].lower()]
    ]


CHECKS: tuple[Callable[[dict[str, pd.DataFrame], dict[str, Any]], list[Doubt]], ...] = (
    _long_gaps, _periods, _totals, _unusable_ids, _repeated, _stray, _turns, _alike, _successors, _not_stated,
)  # fmt: skip
