"""Finds amounts of several kinds that must not be added up or mistaken: below each other by a measure, or beside each other less a fee."""

from forecasting.imports.contents import Content
from forecasting.imports.draft import Draft, is_number
from forecasting.imports.names import words_of
from forecasting.imports.questions import Choice, Question
from forecasting.imports.staging import STAGED

# as `words_of` writes them
MEASURES = (
    "measure|measures|measure name|measure names|metric|metric name|indicator|indicator name|kpi|kennzahl|kennzahlen|amount type|"
    "amount description|value type|wertart|betragsart|statistic|data item|mesure|indicateur|medida|indicador|misura|indicatore|"
    "scenario|szenario|version|actual budget|adj|seasonal adjustment"
)
MOST_KINDS = 30
FEES = "fee fees gebuhr gebuhren entgelt commission commissions provision frais comision commissione"


def propose_kinds(draft: Draft) -> None:
    """Ask which rows count where a column says that the amounts below each other are of several kinds: revenue, cost, units."""
    mapping, asked = draft.mapping, list[Content]()
    amount = mapping.columns.get(draft.spec.amount(mapping.columns))
    read = draft.number(amount) if isinstance(amount, str) and amount in draft.contents.all else None
    for each in draft.free():
        known = {*mapping.only, *mapping.leave_out, *mapping.minus_where}
        if (
            words_of(each.name) not in MEASURES.split("|")
            or each.name in known
            or not 2 <= each.n_distinct <= MOST_KINDS
        ):
            continue
        if any(draft.contents.same_parts(each.name, other.name) for other in asked):
            continue
        asked.append(each)
        column = draft.staged.columns[each.name]
        found = draft.staged.fetch(
            f"select {column}, count(*), sum({read or 'null'}) from {STAGED} where {column} is not null group by 1 order by min(n)"
        )
        choices = [
            Choice(
                f"{n:,} rows" + (f", total {total:,.2f}" if total is not None else ""), {("only", each.name): [kind]}
            )
            for kind, n, total in found
        ]
        choices.append(Choice("all rows count, added up", {("leave_out", each.name): ["(none)"]}))
        text = (
            f"by «{each.name}» the amounts are of {len(found)} kinds. Which count? Several may be listed, as in [A, B]"
        )
        draft.questions.append(Question(mapping.table, text, tuple(choices)))


def before_fees(draft: Draft, name: str) -> str | None:
    """Return the column of amounts from which a fee was taken to give this one, None where there is none."""
    numbers = [each for each in draft.free() if is_number(each) and each.name != name]
    fees = [each.name for each in numbers if set(words_of(each.name).split()) & set(FEES.split())]
    for fee in fees:
        for other in [each.name for each in numbers if each.name not in fees]:
            a, b, c = (draft.number(column) for column in (other, name, fee))
            if None in (a, b, c):
                continue
            ((share,),) = draft.staged.fetch(
                f"select avg((abs(abs({a} - {b}) - abs({c})) <= 0.011)::int) from {STAGED} where {c} <> 0"
            )
            if share and share >= 0.95:
                return other
    return None
