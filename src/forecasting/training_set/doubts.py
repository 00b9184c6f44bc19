"""What speaks against the facts as they are: what must be answered before they are used, and what a reader must know.

dbt finds the numbers (`dbt/models/doubts`); `doubtful_names`, `doubtful_sums` and `doubtful_dates` judge and say them. A `Doubt` of
severity `refuse` stops the domains that it concerns, one of the sales facts everything; the others come to their domains as warnings.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from forecasting import ledger
from forecasting.contracts import NOT_STATED
from forecasting.errors import UserError
from forecasting.facts import nearest
from forecasting.run import Workspace
from forecasting.training_set.doubt import COLUMNS, Doubt
from forecasting.training_set.doubtful_dates import long_gaps, periods, repeated, stray, turns
from forecasting.training_set.doubtful_names import alike, not_stated, successors, unusable_ids
from forecasting.training_set.doubtful_sums import equal_names, totals

NEEDED = (
    "name_months",
    "product_totals",
    "fact_windows",
    "profit_monthly",
)  # the last of the tables that doubts are found in
DOMAINS_OF = {"sales": ("sales", "profit"), "inventory": ("inventory",), "expenses": ("profit",)}


def judge(tables: dict[str, pd.DataFrame], settings: dict[str, Any]) -> list[Doubt]:
    """Return all doubts. `tables`: of `TABLES`, by name; `settings`: rename, totals, duplicates, stray_dates, long_gaps."""
    return [doubt for check in CHECKS for doubt in check(tables, settings)]


def require_known(connection: Any, source: str, settings: dict[str, Any]) -> None:
    """Raise a UserError if `rename` or `totals` in params/ speak of a name that no fact has."""
    stated = {
        **settings["rename"],
        **({"region": {}, "product_category": {}, "product": {}} if settings["totals"] else {}),
    }
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
                f"totals: no fact has the region, category or product {name!r}.{nearest(name, known)} Correct params/."
            )


def forget(workspace: Workspace) -> None:
    """Drop what an earlier build found, before dbt begins: where it fails halfway, nothing old must be said of new facts."""
    if workspace.warehouse.exists():
        with ledger.connect(workspace.warehouse, read_only=False) as connection:
            for name in NEEDED:
                connection.execute(f"drop table if exists {name}")


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
        if not set(NEEDED) <= built:
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
    "repeated_blocks": "select * from repeated_blocks order by fact_table, first_date, region nulls first",
    "repeated_amounts": "select fact_table, n_surplus, cast(amount as double) as amount from repeated_amounts order by fact_table",
    "name_months": "select fact_table, column_name, name, ds, n_facts, cast(amount as double) as amount from name_months order by all",
    "series_months": "select 'sales' as fact_table, region, product_category, ds, cast(net_amount as double) as amount from sales_monthly "
    "union all select 'inventory', region, product_category, ds, cast(stock as double) from inventory_month_end order by all",
    "product_totals": "select * from product_totals order by fact_table, region, product_category, product",
    "fact_windows": "select fact_table, grain from fact_windows order by fact_table",
    "series": "select distinct 'sales' as fact_table, region, product_category from sales_monthly "
    "union select distinct 'inventory', region, product_category from inventory_month_end "
    "union select distinct 'expenses', region, product_category from profit_monthly order by all",
    "turns": "select region, ds, any_value(is_full) as is_full, any_value(last_day) as last_day, count(*) as n_products, "
    "count(*) filter (where not is_on_last_day and units is distinct from 0) as n_missing, cast(sum(units) as double) as units, "
    "cast(coalesce(sum(units) filter (where not is_on_last_day), 0) as double) as units_missing "
    "from inventory_counts group by all order by all",
}

CHECKS: tuple[Callable[[dict[str, pd.DataFrame], dict[str, Any]], list[Doubt]], ...] = (
    long_gaps, periods, totals, unusable_ids, repeated, equal_names, stray, turns, alike, successors, not_stated,
)  # fmt: skip
