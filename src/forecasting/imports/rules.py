"""What becomes of each row: its fate in the temp table `fates` (n, fate), by the rules that the mapping states, the first that applies.

`loaded`, `quarantined`, or why it is left out: `only`, `leave_out`, `totals`, `duplicates`, `cancellations`, `returns`, `prices`.
"""

from forecasting.facts import literal
from forecasting.imports.mapping import HEADING, PSEUDO, SECTION, Mapping
from forecasting.imports.reading import READ, Reader, each, is_one_of
from forecasting.imports.staging import Staged

# How a row begins that says it is a sum; it is left out only where its amount proves it.
TOTAL = (
    r"^((grand|sub|net|gross)[ -]?)?(totals?|summe|summen|sum|gesamt|gesamtsumme|zwischensumme|endsumme|somme|sous[ -]total|totale|totaal|"
    r"suma|saldo|balance|closing balance|endsaldo|ergebnis)\b|\b(total|totals|summe|gesamt|ergebnis)$"
)
FATES, LOADED, QUARANTINED = "fates", "loaded", "quarantined"


def decide_fates(reader: Reader) -> None:
    """Write `fates`: one row per row of `staged`."""
    staged, mapping = reader.staged, reader.mapping
    run = staged.connection.execute
    first = [
        *(f"when not {is_one_of(reader.name(name), values)} then 'only'" for name, values in mapping.only.items()),
        *(
            f"when {is_one_of(reader.name(name), values)} then 'leave_out'"
            for name, values in mapping.leave_out.items()
        ),
        f"when {each(reader, lambda column: f'why_{column} is not null', ' or ')} then '{QUARANTINED}'",
    ]
    run(
        f"create or replace temp table {FATES} as select n, case {' '.join(first)} else '{LOADED}' end as fate "
        f"from {READ}"
    )
    leave_out_totals(reader)
    for rule, condition in rows_of_rules(reader).items():
        said = mapping.rule(rule)
        if said == "keep":
            continue
        run(f"create or replace temp table marked as select n, ({condition}) as is_meant from {READ}")
        if said == "drop":
            run(
                f"update {FATES} set fate = '{rule}' where fate = '{LOADED}' and n in (select n from marked where is_meant)"
            )
        if said == "net":
            net(staged, mapping, reader, rule)


def leave_out_totals(reader: Reader) -> None:
    """Leave out rows that say they are a total, or have no date, and whose amount is the sum of the rows above.

    Above: since the last such row, since the heading, or from the beginning; of the same sheet and month where months stand side by side.
    """
    staged, amount = reader.staged, reader.spec.amount(reader.known_columns())
    texts = [column for name, column in staged.columns.items() if name not in PSEUDO]
    label = f"coalesce(regexp_matches(lower(trim(coalesce({', '.join(texts)}), {literal(' *|')})), {literal(TOTAL)}), false)"
    undated = f"{reader.spec.date} is null"
    if not staged.fetch(f"select n from {READ} where {label} or {undated} limit 1"):
        return
    group = ", ".join(["sheet", *(staged.columns[name] for name in (HEADING,) if name in staged.columns)])
    above = f"partition by {group} order by n rows between unbounded preceding and 1 preceding"
    heading = f"partition by {group}, {staged.columns.get(SECTION, 'null')} order by n"
    staged.connection.execute(f"""
    update {FATES} set fate = 'totals' where fate in ('{LOADED}', '{QUARANTINED}') and n in (
        with
        rows_of_file as (select *, {amount} as y, {label} as says_so, {label} or {undated} as may_be from {READ}),
        sums as (
            select *, {{'y': coalesce(sum(y) filter (where not may_be) over above, 0), 'n': count(y) filter (where not may_be) over above}}
                as so_far
            from rows_of_file window above as ({above})
        ),
        starts as (
            select *, last_value(case when may_be then so_far end ignore nulls) over ({above}) as at_last,
                first_value(so_far) over ({heading}) as at_heading
            from sums
        ),
        spans as (select n, says_so, y, so_far, unnest([{{'y': 0, 'n': 0}}, at_last, at_heading]) as start from starts where may_be)
        select n from spans
        where so_far.y <> start.y and abs(y - (so_far.y - start.y)) < case when says_so then 0.02 else 0.005 end
            and so_far.n - start.n >= case when says_so then 1 else 2 end
    )""")


def rows_of_rules(reader: Reader) -> dict[str, str]:
    """Return rule → the SQL condition on a row that it speaks of, in the order in which they apply."""
    mapping = reader.mapping
    amount = reader.spec.amount(reader.known_columns())
    cells = ", ".join(reader.staged.columns.values())
    negative = " or ".join(f"{column} < 0" for column in (amount, "quantity") if column in reader.known_columns())
    return {
        "duplicates": f"row_number() over (partition by sheet, {cells} order by n) > 1",
        "cancellations": cancelled(reader, mapping),
        "returns": f"coalesce({negative}, false)",
        "prices": f"coalesce({'price <= 0' if mapping.rule_detail('prices') else f'{amount} = 0'}, false)",
    }


def cancelled(reader: Reader, mapping: Mapping) -> str:
    """Return the SQL that says whether a row is a cancellation, as the mapping tells them."""
    stated = mapping.rule_detail("cancellations")
    if "column" not in stated:
        return "false"
    text = reader.name(stated["column"])
    found = [is_one_of(text, [str(value) for value in stated["values"]])] if "values" in stated else []
    if "prefix" in stated:
        found.append(f"coalesce(starts_with({text}, {literal(str(stated['prefix']))}), false)")
    return " or ".join(found) or "false"


def net(staged: Staged, mapping: Mapping, reader: Reader, rule: str) -> None:
    """Leave out pairs of a row that is meant and what it takes back: an earlier row of the same key and the opposite amount.

    Within a key and a size, rows are taken in order of date, like brackets: what is taken back is the last that is still there.
    """
    amount = reader.spec.amount(reader.known_columns())
    stated = mapping.rule_detail(rule).get("key", [])
    known = [column for column in (*reader.spec.texts, "quantity") if column in reader.known_columns() and not stated]
    keys = [f"r.{staged.columns[name]}" for name in stated] + [
        f"abs(r.{c})" if c == "quantity" else f"r.{c}" for c in known
    ]
    group = ", ".join([*keys, f"abs(r.{amount})"])
    walk = f"""
    with
    rows_left as (
        select r.n, r.{reader.spec.date} as day, m.is_meant, row({group}) as pair_group
        from {READ} r join marked m using (n) join {FATES} f using (n)
        where f.fate = '{LOADED}' and r.{amount} <> 0 and m.is_meant = (r.{amount} < 0)
    ),
    steps as (select *, case when is_meant then -1 else 1 end as step from rows_left),
    depths as (
        select *, sum(step) over forward as there, sum(-step) over backward as here
        from steps
        window forward as (partition by pair_group order by day, is_meant, n),
               backward as (partition by pair_group order by day desc, is_meant desc, n desc)
    ),
    lows as (
        select *,
            min(there) over (partition by pair_group order by day, is_meant, n rows between unbounded preceding and 1 preceding) as low,
            min(here) over (
                partition by pair_group order by day desc, is_meant desc, n desc rows between unbounded preceding and 1 preceding
            ) as low_back
        from depths
    )
    select n from lows
    where case when is_meant then there >= least(coalesce(low, 0), 0) else here >= least(coalesce(low_back, 0), 0) end
    """
    staged.connection.execute(f"update {FATES} set fate = '{rule}' where n in ({walk})")
