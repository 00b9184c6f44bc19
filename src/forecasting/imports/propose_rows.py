"""Proposes which rows count: headings between rows, rows that say they are cancelled, amounts whose sign stands in another column."""

import re

from forecasting.facts import TABLES
from forecasting.imports.contents import MOST_SERIES, Content
from forecasting.imports.draft import Draft
from forecasting.imports.mapping import SECTION
from forecasting.imports.names import words_of
from forecasting.imports.propose_kinds import propose_kinds
from forecasting.imports.questions import Choice, Question
from forecasting.imports.staging import STAGED

CANCELLED = [
    "cancelled",
    "canceled",
    "cancel",
    "cancelado",
    "cancelada",
    "cancelados",
    "storniert",
    "storno",
    "annule",
    "annulee",
    "annullato",
    "annullata",
    "geannuleerd",
    "void",
    "voided",
    "refunded",
    "refund",
    "returned",
    "deleted",
    "rejected",
    "declined",
    "failed",
    "abgebrochen",
    "abgelehnt",
    "devuelto",
    "rembourse",
    "rimborsato",
    "draft",
    "reversed",
]
SIGNS = ({"s": "minus", "h": "plus"}, {"d": "minus", "c": "plus"}, {"dr": "minus", "cr": "plus"}, {"debit": "minus", "credit": "plus"},
         {"soll": "minus", "haben": "plus"})  # fmt: skip
OWN_SECTIONS = {
    "sales": r"(?i)(ordinary )?(income|revenue|revenues|sales|net sales|erlöse|umsatzerlöse|umsatz|ingresos|ventas|ventes|produits)",
    "expenses": r"(?i)(total )?(operating )?(expense|expenses|aufwendungen|kosten|gastos|charges|spese)",
    "inventory": r"(?i)(inventory|inventories|stock|bestand)",
}
MOST_VALUES = 30
LAST_TIER = 4  # of names: those that say least


def propose_texts(draft: Draft) -> None:
    """Complete region, category and product by names and contents; where two may be it, ask."""
    is_open = draft.is_open("product_category")
    for column in TABLES[draft.mapping.table].texts:
        if not draft.is_open(column):
            continue
        ranked = draft.ranked(column, lambda content: is_text(content))
        few = [
            (place, name) for place, name in ranked if column == "product" or is_few(draft.contents.all[name], place)
        ]
        several = [(place, name) for place, name in few if draft.contents.all[name].n_distinct > 1] or few
        best = [name for place, name in several if place == several[0][0]]
        if len(best) > 1 and not all(draft.contents.same_parts(best[0], other) for other in best[1:]):
            draft.ask(column, "which is it?", [*best, None], lambda name: said_of(draft, name))
            continue
        draft.take(
            column, best[0] if best else None, f"{draft.contents.all[best[0]].n_distinct:,} different" if best else ""
        )
        for name in [name for _, name in ranked if name not in [other for _, other in few]][:1]:
            if not best:
                draft.evidence.append(
                    f"{column}: «{name}» is not used, it has {draft.contents.all[name].n_distinct:,} values."
                )
    if is_open:
        propose_words(draft)


def propose_words(draft: Draft) -> None:
    """Where months stand side by side and no name says what their rows are, take the only column of words as the category."""
    columns = draft.mapping.columns
    if not draft.mapping.across or any(columns.get(name) for name in TABLES[draft.mapping.table].texts):
        return
    words = [each for each in draft.free() if is_text(each) and not each.is_number and is_few(each, LAST_TIER)]
    if len(words) == 1 and words[0].n_distinct > 1:
        draft.take("product_category", words[0].name, f"the only column of words, {words[0].n_distinct:,} different")


def is_text(content: Content) -> bool:
    """Say whether a column can name things."""
    return content.n_filled > 0 and not content.is_date and not (content.is_number and not content.whole)


def is_few(content: Content, place: float) -> bool:
    """Say whether a column has few enough names to be series."""
    return content.n_distinct <= MOST_SERIES.get(int(place), 60)


def said_of(draft: Draft, name: str | None) -> str:
    """Return what speaks for a column of names."""
    return (
        f"{draft.contents.all[name].n_distinct:,} different, for example {draft.contents.all[name].example}"
        if name
        else "none of them"
    )


def propose_rows(draft: Draft) -> None:
    """Complete which rows count, or ask."""
    propose_sections(draft)
    if not draft.mapping.minus_where:
        propose_signs(draft)
    propose_kinds(draft)
    if "cancellations" not in draft.mapping.rules:
        propose_cancellations(draft)


def propose_sections(draft: Draft) -> None:
    """Decide what headings between the rows mean: parts of which one counts, or names of what stands below."""
    stated = SECTION in [*draft.mapping.used()]
    if SECTION not in draft.staged.columns or stated:
        return
    column = draft.staged.columns[SECTION]
    found = draft.staged.fetch(
        f"select {column}, count(*) from {STAGED} where {column} is not null group by 1 order by min(n)"
    )
    own = [name for name, _ in found if re.fullmatch(OWN_SECTIONS[draft.mapping.table], name.strip())]
    if len(own) == 1:
        draft.mapping.only[SECTION] = own
        draft.evidence.append(f"only: the rows below «{own[0]}», of {len(found)} headings.")
        return
    listed = ", ".join(f"«{name}» ({n:,} rows)" for name, n in found[:10])
    choices = [Choice(f"only the rows below «{name}»", {("only", SECTION): [name]}) for name, _ in found[:10]]
    texts = [name for name in TABLES[draft.mapping.table].texts if draft.mapping.columns.get(name) is None]
    choices += [Choice(f"each heading is a {name.replace('_', ' ')}", {("columns", name): SECTION}) for name in texts]
    choices.append(Choice("all rows count", {("leave_out", SECTION): ["(none)"]}))
    draft.questions.append(
        Question(draft.mapping.table, f"headings stand between the rows: {listed}. What are they?", tuple(choices))
    )


def propose_signs(draft: Draft) -> None:
    """Take the sign of amounts from a column that says debit or credit, where the amounts have none."""
    for each in draft.free():
        values = values_of(draft, each) if 1 <= each.n_distinct <= 2 else []
        plain = {value.strip().lower() for value in values}
        for signs in SIGNS:
            if plain and plain <= set(signs) and is_sign_column(each.name) and not has_negatives(draft):
                against = "plus" if draft.mapping.table == "expenses" else "minus"
                turned = [value for value in values if signs[value.strip().lower()] == against]
                draft.mapping.minus_where[each.name] = turned or [
                    next(key.upper() for key, sign in signs.items() if sign == against)
                ]
                draft.evidence.append(f"minus_where: «{each.name}» says whether an amount counts for or against.")
                return


def is_sign_column(name: str) -> bool:
    """Say whether a name can be that of a column with signs."""
    return bool(re.search(r"soll|haben|kennz|s/h|d/c|debit|credit|dr|cr|sign|indicator|typ|posting|side", name.lower()))


def has_negatives(draft: Draft) -> bool:
    """Say whether the amount has negative numbers of its own."""
    amount = draft.spec.amount(draft.mapping.columns)
    return any(
        (draft.contents.all[name].low or 0) < 0 for name in draft.mapping.sources(amount) if name in draft.contents.all
    )


def propose_cancellations(draft: Draft) -> None:
    """Find rows that say they are cancelled: by a status, or by a letter before the number of an invoice."""
    if draft.mapping.table != "sales":
        return
    for each in [
        each for each in draft.contents.all.values() if 2 <= each.n_distinct <= MOST_VALUES and not each.is_number
    ]:
        values = [value for value in values_of(draft, each) if set(words_of(value).split()) & set(CANCELLED)]
        if values and is_status(each.name):
            return decide_cancelled(draft, each.name, {"values": values})
    for each in draft.free():
        if not each.is_date and (prefix := prefix_of(draft, each)):
            return decide_cancelled(draft, each.name, {"prefix": prefix})
    return None


def is_status(name: str) -> bool:
    """Say whether a name can be that of a status."""
    return bool(re.search(r"status|state|type|typ|estado|etat|état|stato|stand|art|storno|cancel|kind", name.lower()))


def prefix_of(draft: Draft, content: Content) -> str | None:
    """Return the letter before a few numbers of a column of numbers of documents, all of rows with a negative amount; else None."""
    if not re.search(
        r"invoice|order|document|rechnung|beleg|factura|facture|bill|number|nr|no\b", content.name.lower()
    ):
        return None
    column = draft.staged.columns[content.name]
    found = draft.staged.fetch(
        f"select upper(left(trim({column}), 1)), count(*) from {STAGED} where regexp_full_match(trim({column}), '[A-Za-z]\\d{{3,}}') "
        f"group by 1 order by 2 desc"
    )
    ((plain,),) = draft.staged.fetch(f"select count(*) from {STAGED} where regexp_full_match(trim({column}), '\\d+')")
    likely = [(letter, n) for letter, n in found if letter in "CSRX" and n < 0.3 * plain]
    return likely[0][0] if len(likely) == 1 else None


def decide_cancelled(draft: Draft, name: str, which: dict) -> None:
    """Keep cancellations that count negative already, and ask about those that do not."""
    column = draft.staged.columns[name]
    if "values" in which:
        listed = ", ".join("'" + value.strip().lower().replace("'", "''") + "'" for value in which["values"])
        condition = f"lower(trim({column})) in ({listed})"
    else:
        condition = f"starts_with(trim({column}), '{which['prefix']}')"
    sources = [
        draft.staged.columns[source] for source in draft.mapping.sources("net_amount") if source in draft.staged.columns
    ]
    negative = " or ".join(f"regexp_matches({source}, '[-−(]')" for source in sources) or "false"
    ((n, against),) = draft.staged.fetch(
        f"select count(*), count(*) filter (where {negative}) from {STAGED} where {condition}"
    )
    rule = {"column": name, **which}
    if n and against >= 0.9 * n:
        draft.mapping.rules["cancellations"] = {**rule, "rule": "keep"}
        draft.evidence.append(f"cancellations: {n:,} rows by «{name}», kept: their amounts are negative.")
    elif n:
        said = {"drop": "they do not count", "keep": "they count as they are"}
        choices = [Choice(why, {("rules", "cancellations"): {**rule, "rule": what}}) for what, why in said.items()]
        shown = ", ".join(which.get("values", [which.get("prefix", "")]))
        text = f"{n:,} rows are cancelled or refunded by «{name}» ({shown}), with amounts that count. Do they?"
        draft.questions.append(Question(draft.mapping.table, text, tuple(choices)))


def values_of(draft: Draft, content: Content) -> list[str]:
    """Return the different texts of a column."""
    column = draft.staged.columns[content.name]
    return [
        value
        for (value,) in draft.staged.fetch(
            f"select distinct {column} from {STAGED} where {column} is not null order by 1"
        )
    ]
