"""Proposes where amounts, quantities and costs are read from: columns by their names and contents, or formulas of them."""

from forecasting.imports.contents import Content
from forecasting.imports.draft import Draft, is_number
from forecasting.imports.mapping import PSEUDO, VALUE
from forecasting.imports.names import NOT_AMOUNT, rank, words_of
from forecasting.imports.propose_kinds import before_fees
from forecasting.imports.staging import STAGED

TAXES = "tax taxes vat mwst ust steuer umsatzsteuer mehrwertsteuer iva tva btw gst moms"
LEAST_SOLD = 5  # rows of products that are sold in several quantities
SPENT = "debit|debits|soll|withdrawal|withdrawals|money out|paid out|cargo|debe|debit amount|dare|af|ausgang|ausgaben|sortie|payments"
EARNED = "credit|credits|haben|deposit|deposits|money in|paid in|abono|haber|credit amount|avere|bij|eingang|einnahmen|entree|receipts"
NO_AMOUNT = [
    "id",
    "nr",
    "no",
    "number",
    "code",
    "zip",
    "plz",
    "postal",
    "phone",
    "year",
    "jahr",
    "month",
    "monat",
    "day",
    "week",
    "quarter",
    "index",
    "line",
    "position",
    "row",
    "key",
    "index",
    "lat",
    "lon",
    "age",
]


def propose_amounts(draft: Draft) -> None:
    """Complete the numbers of the contract, or ask."""
    for column in (*draft.spec.required[1:], *draft.spec.one_of):
        if draft.is_open(column):
            propose_main(draft, column)
    if draft.is_open("quantity"):
        propose_plain(draft, "quantity")
    if draft.is_open("unit_cost"):
        propose_plain(draft, "unit_cost")
    if draft.is_open("cost_amount"):
        propose_cost(draft)


def propose_main(draft: Draft, column: str) -> None:
    """Complete the amount that is added up."""
    spec = draft.spec
    if VALUE in draft.staged.columns and VALUE not in draft.mapping.used():
        return propose_value(draft, column)
    named = draft.surest(column, is_number)
    place = draft.ranked(column, is_number)[0][0] if named else 99
    formula, price, why = formula_of(draft) if column == "net_amount" else (None, "", "")
    if formula and (not named or price in named) and not why:  # a price of which nobody knows whether it is for one
        return ask_amount(draft, column, [price, formula])
    if formula and price in named:
        named, place = [], 99
    if column in ("net_amount", "amount") and place >= 1 and (both := debit_and_credit(draft, column)):
        return draft.take(column, both, "debit and credit apart")
    if len(named) == 1 and place % 3 == 2 and (taxes := taxes_of(draft)):
        net = f"= [{named[0]}] - [{taxes[0]}]?"
        return ask_amount(draft, column, [net, *([formula] if formula else []), named[0]])
    if len(named) == 1 and column == "net_amount" and (whole := before_fees(draft, named[0])):
        return ask_amount(draft, column, [whole, named[0]], "which is it, before or after the fee that is taken off?")
    if len(named) == 1:
        return draft.take(column, named[0], "by its name and its numbers")
    if len(named) > 1 and formula and (same := [name for name in named if agrees(draft, name, formula)]):
        return draft.take(column, same[0], f"it is {formula.removeprefix('= ')} in nearly every row")
    if formula and not named and not draft.unsure:
        return draft.take(column, formula, why)
    if formula and not named:
        less = draft.unsure[0]
        readings = {f"= {formula[2:]} * (1 - [{less}]? / 100)": "it is a percentage", f"= {formula[2:]} - [{less}]?": "it is an amount",
                    formula: "it is in the price already"}  # fmt: skip
        return draft.ask(column, f"what does «{less}» take off?", readings, readings.get)
    if column in spec.one_of and not named and column != spec.one_of[-1]:
        return draft.take(column, None, "")
    if column in spec.one_of and any(draft.mapping.columns.get(other) for other in spec.one_of):
        return draft.take(column, None, "")
    by_content = [each.name for each in draft.free() if may_be_amount(draft, each)] if not named else []
    decimals = [name for name in by_content if not draft.contents.all[name].whole]
    if not named and len(decimals or by_content) == 1:
        return draft.take(column, (decimals or by_content)[0], "the only column of numbers that may be amounts")
    ask_amount(draft, column, [*named, *([formula] if formula else [])] or by_content)
    return None


def propose_value(draft: Draft, column: str) -> None:
    """Complete the amount where months stand side by side: it is their cells. Of stock, a value in money or a number of units."""
    if column not in draft.spec.one_of:
        return draft.take(column, VALUE, "the cells under the headings")
    text = " ".join([draft.staged.path.stem, *draft.staged.titles, *(set(draft.staged.columns) - set(PSEUDO))]).lower()
    money = any(
        word in text for word in ("dollar", "value", "usd", "eur", "wert", "$", "€", "£", "valor", "valeur", "cost")
    )
    units = any(word in text for word in ("unit", "quantity", "qty", "stück", "menge", "pieces", "cantidad"))
    if money != units or not draft.contents.all[VALUE].whole:
        wanted = "quantity_on_hand" if units and not money else "inventory_value"
        for other in draft.spec.one_of:
            draft.take(
                other, VALUE if other == wanted else None, "the cells under the headings" if other == wanted else ""
            )
        return None
    values = draft.spec.one_of
    choices = {name: {("columns", other): VALUE if other == name else None for other in values} for name in values}
    draft.ask_sets(column, "are the cells under the headings units, or their value?", choices)
    return None


def taxes_of(draft: Draft) -> list[str]:
    """Return the columns with amounts of tax: a total beside them may have it in it."""
    words = set(TAXES.split())
    return [
        each.name
        for each in draft.free()
        if set(words_of(each.name).split()) & words and is_number(each) and (each.high or 0) > 0
    ]


def ask_amount(draft: Draft, column: str, values: list[str], text: str = "which is it?") -> None:
    """Ask which column or formula is the amount; where nothing speaks for one, any column of numbers may be meant."""
    if not values:
        text = "no column says that it is the amount. Name one, or a formula of columns"
        values = [each.name for each in draft.free() if is_number(each)]
    draft.ask(column, text, values[:10], draft.total)


def may_be_amount(draft: Draft, content: Content) -> bool:
    """Say whether a column may be amounts by its content alone: numbers that are no keys, years or codes."""
    words = set(words_of(content.name).split())
    if content.n_filled < 0.9 * draft.staged.n_rows:
        return False
    counted = content.whole and content.n_distinct == content.n_filled and content.n_filled > 20
    return (
        is_number(content) and content.n_distinct > 1 and not counted and not words & {*NO_AMOUNT, *NOT_AMOUNT.split()}
    )


def propose_plain(draft: Draft, column: str) -> None:
    """Complete an optional number by its name, or say that it is not in the file; ask where two have it."""
    named = draft.surest(column, is_number)
    if len(named) > 1:
        draft.ask(column, "which is it?", [*named, None], lambda name: draft.total(name) if name else "none of them")
    else:
        draft.take(column, named[0] if named else None, "by its name and its numbers" if named else "")


def propose_cost(draft: Draft) -> None:
    """Complete the cost of what was sold: a column, units times their cost, or what an amount leaves after its profit."""
    named = draft.surest("cost_amount", is_number)
    ranks = {name: rank("cost_amount", name) for name in named}
    unit = [
        name for name in draft.surest("unit_cost", is_number) if (rank("unit_cost", name) or 0) <= ranks.get(name, 99)
    ]
    profit = draft.surest("profit", is_number)
    quantity, net = draft.mapping.columns.get("quantity"), draft.mapping.columns.get("net_amount")
    if len(named) == 1 and (named[0] not in unit or not quantity or counted_by(draft, named[0], quantity) == "row"):
        if net in draft.contents.all and is_against(draft, named[0], net):
            return draft.take("cost_amount", f"= -[{named[0]}]", "it is negative where the amount is positive")
        return draft.take("cost_amount", named[0], "by its name and its numbers")
    if len(unit) == 1 and quantity and (unit[0] not in named or counted_by(draft, unit[0], quantity) == "unit"):
        return draft.take("cost_amount", f"= [{quantity}] * [{unit[0]}]", "units times the cost of one")
    if len(profit) == 1 and net:
        inner = f"({net[1:].strip()})" if net.startswith("=") else f"[{net}]"
        return draft.take("cost_amount", f"= {inner} - [{profit[0]}]", "what the amount leaves after the profit")
    many = list(dict.fromkeys([*named, *unit]))
    if not many:
        return draft.take("cost_amount", None, "")
    choices = [*many, *(f"= [{quantity}] * [{name}]" for name in unit if quantity), None]
    draft.ask("cost_amount", "which is the cost of the whole row?", choices, lambda value: cost_said(draft, value))
    return None


def is_against(draft: Draft, one: str, other: str) -> bool:
    """Say whether two columns of numbers have opposite signs in nearly all rows where neither is 0."""
    cells = [draft.staged.columns[name] for name in (one, other)]
    minus = [f"regexp_matches({cell}, '[-−–(]')" for cell in cells]
    filled = " and ".join(f"regexp_matches({cell}, '[1-9]')" for cell in cells)
    ((share,),) = draft.staged.fetch(f"select avg(({minus[0]} <> {minus[1]})::int) from {STAGED} where {filled}")
    return bool(share) and share >= 0.9


def cost_said(draft: Draft, value: str | None) -> str:
    """Return what speaks for a choice of the cost."""
    if value is None:
        return "none of them: profit is not forecast"
    return "the cost of one unit stands there" if value.startswith("=") else draft.total(value)


def formula_of(draft: Draft) -> tuple[str | None, str, str]:
    """Return the amount as a formula of quantity, price and discount, the price, and why; None where there are not both of the first.

    Why is empty where it cannot be told whether the price is that of one unit or of the row.
    """
    quantity = draft.surest("quantity", is_number)
    prices = draft.surest("unit_price", is_number)
    if len(quantity) != 1 or len(prices) != 1:
        return None, "", ""
    price = prices[0]
    sure = draft.ranked("unit_price", is_number)[0][0] == 0
    counted = "unit" if sure else counted_by(draft, price, quantity[0])
    if counted == "row":
        return None, "", ""
    why = (
        "there is no amount, but a price of one"
        if sure
        else f"«{price}» does not grow with «{quantity[0]}»"
        if counted
        else ""
    )
    return f"= [{quantity[0]}] * [{price}]{discount_of(draft)}", price, why


def discount_of(draft: Draft) -> str:
    """Return the factor of a discount, nothing where there is none, or where it is no share of the price."""
    found = draft.surest("discount", lambda content: content.is_number or content.percent)
    if len(found) != 1:
        return ""
    content = draft.contents.all[found[0]]
    low, high = content.low or 0.0, content.high or 0.0
    if low >= 0 and high <= 1:
        return f" * (1 - [{found[0]}]?)"
    words = words_of(found[0]).split()
    if low >= 0 and high <= 100 and any(word in words for word in ("pct", "percent", "rate", "prozent")):
        return f" * (1 - [{found[0]}]? / 100)"
    if low >= 0 or high <= 0:
        draft.unsure.append(found[0])
    return ""


def counted_by(draft: Draft, price: str, quantity: str) -> str | None:
    """Return whether a price or cost is that of one 'unit' or of the 'row', None where it cannot be told.

    Where a product is sold in several quantities, its price for one varies less than that price divided by the quantity.
    """
    products = draft.ranked("product", lambda content: content.n_distinct > 1)
    if not products:
        return None
    p, q = (f"try_cast(replace({draft.staged.columns[name]}, ',', '.') as double)" for name in (price, quantity))
    product = draft.staged.columns[products[0][1]]
    ((alone, shared, n),) = draft.staged.fetch(
        f"with v as (select {product} as product, ln({p}) as whole, ln({p} / {q}) as part from {STAGED} where {p} > 0 and {q} > 0) "
        "select sum(whole), sum(part), sum(n) from (select var_pop(whole) * count(*) as whole, var_pop(part) * count(*) as part, "
        "count(*) as n from v group by product having var_pop(whole - part) > 0)"
    )
    if not n or n < LEAST_SOLD:
        return None
    return "unit" if alone < 0.5 * shared else "row" if shared < 0.5 * alone else None


def agrees(draft: Draft, name: str, formula: str) -> bool:
    """Say whether a column is what a formula gives, to a cent, in 95 % of the rows."""
    from forecasting.imports.formula import parse

    def number(column: str) -> str:
        return f"try_cast(replace({draft.staged.columns[column]}, ',', '.') as decimal(38, 12))"

    value = parse(formula[1:], "").sql(number)
    ((share,),) = draft.staged.fetch(f"select avg((abs({value} - {number(name)}) <= 0.011)::int) from {STAGED}")
    return bool(share) and share >= 0.95


def debit_and_credit(draft: Draft, column: str) -> str | None:
    """Return the amount of two columns, what came in and what went out; None where there are not both."""
    found = []
    for names in (EARNED, SPENT):
        usual = {words_of(name) for name in names.split("|")}
        alike = [
            each for each in draft.free() if words_of(each.name) in usual and (each.is_number or not each.n_filled)
        ]
        if len(alike) != 1:
            return None
        found.append(alike[0])
    plus, minus = found if column == "net_amount" else found[::-1]
    if not (plus.n_filled or minus.n_filled):
        return None
    sign = "+" if minus.n_filled and (minus.high or 0) <= 0 else "-"
    return f"= [{plus.name}]? {sign} [{minus.name}]?"
