"""Who else might have made the forecast: the best other model in the back-test, and why it is not in use."""

from html import escape

import pandas as pd

from forecasting.ledger import Domain, at
from forecasting.models import model_name
from forecasting.report.champion import BASELINE
from forecasting.report.glossary import term
from forecasting.report.html import paragraph
from forecasting.run import Champion, Rule
from forecasting.tables import RULES
from forecasting.wording import SPACE, day, listing, number

METRICS = {"scaled_crps": "scaled CRPS"}  # measures of the gate that are not written in capitals alone


def held_out(domain: Domain, level: str = "series") -> pd.DataFrame:
    """Return the back-test of every model over all months ahead on the cutoffs held out, in the order of the tables: the best first."""
    rows = at(domain.accuracy, level)
    wanted = (rows["forecast_kind"] == "walk_forward") & (rows["evaluation_set"] == "held_out")
    rows = rows[wanted & (rows["horizon_group"] == "all")]
    return rows.sort_values(["mase", "model_name"], na_position="last", ignore_index=True)


def best_other(domain: Domain) -> str | None:
    """Return the model with the lowest MASE over the series on the cutoffs held out, of those that are neither in use nor a yardstick."""
    rows = held_out(domain)
    others = rows[~rows["model_name"].isin([domain.champion, BASELINE]) & rows["mase"].notna()]
    return None if others.empty else str(others["model_name"].iloc[0])


def first_of(domain: Domain, level: str) -> str | None:
    """Return the model that stands first in the table of a level; None where nothing could be measured."""
    rows = held_out(domain, level).dropna(subset="mase")
    return None if rows.empty else str(rows["model_name"].iloc[0])


def why_not_first(domain: Domain) -> str:
    """Say why the model that stands first in the tables of the cutoffs held out is not the one in use; nothing without a table."""
    series, total = (first_of(domain, level) for level in ("series", "total"))
    if series is None:
        return ""
    mine = escape(model_name(domain.champion))
    if series == domain.champion:
        text = f"The model in use, {mine}, is also the first of the single series on these months, which it was not chosen by."
        return paragraph(text + of_total(domain, series, total))
    first = escape(model_name(series))
    text = (
        f"<strong>Why is {first}, the first in the table of single series, not in use?</strong> The table is of the months "
        f"{term('held out')}. They choose nothing, so that they can tell what to expect of a choice: whoever is first on so few months may "
        f"owe it to {term('luck')}. "
    )
    return paragraph(text + reason(domain, series) + of_total(domain, series, total))


def of_total(domain: Domain, series: str, total: str | None) -> str:
    """Say that the order of the total is another, where another model is first there."""
    if total is None or total in (series, domain.champion):
        return ""
    return (
        f" For the total alone {escape(model_name(total))} is first; the choice goes by all single series together, which have more to "
        "tell than one line."
    )


def reason(domain: Domain, other: str) -> str:
    """Say what spoke against another model when the one in use was chosen."""
    champion, name = domain.manifest.champion, escape(model_name(other))
    if champion.verdict == "chosen_by_person":
        return f"{escape(model_name(champion.name)).capitalize()} was chosen by a person on {day(champion.chosen_on)}."
    if champion.veto:
        vetoed = escape(model_name(champion.veto["model"]))
        return (
            f"{vetoed} was chosen by the months before, but is no better than repeating last year on these. What is not better than that "
            f"is not used, and no other is put in its place by these months ({term('veto')})."
        )
    mine, theirs = (champion.metric_choice.get(each) for each in (champion.name, other))
    if mine is None or theirs is None:
        return f"On the months that choose it was not compared, or the run did not note how {name} did there."
    metric = METRICS.get(champion.metric, champion.metric.upper())
    figures = f"{metric} {number(theirs, 3)} against {number(mine, 3)}"
    if theirs >= mine:
        return f"On the months that choose it was {'behind' if theirs > mine else 'as good'}: {figures}."
    return f"On the months that choose it was ahead too ({figures}), but not by enough: {not_enough(champion, other)}."


def not_enough(champion: Champion, other: str) -> str:
    """Say what the gate found wanting: of this model, or of the one for which more spoke."""
    challenger = champion.challenger
    failed = listing([asked(rule) for rule in champion.rules if not rule.passed])
    if challenger == champion.name:
        return (
            f"less {term('luck')}, most spoke for {escape(model_name(champion.name))}, which passed the {term('gate')}"
        )
    if challenger == other:
        return f"it did not pass the {term('gate')} ({failed})"
    return (
        f"less what {term('luck')} gives the best of many, more spoke for {escape(model_name(challenger or ''))}, and that did not pass "
        f"the {term('gate')} ({failed})"
    )


def asked(rule: Rule) -> str:
    """Write a rule of the gate that does not hold: what was measured, and what is asked for."""
    limit = "at least" if rule.name == "improvement_pct" else "at most"
    name = RULES[rule.name]
    text = (
        f"{name[0].lower()}{name[1:]}: {number(rule.measured, 1, plus=True)}, asked for {limit} {number(rule.limit, 1)}"
    )
    return escape(text.replace(" %", f"{SPACE}%"))
