"""How the used columns' numbers and dates are written: as the mapping states, else decided over all cells, else asked."""

from typing import Any

from forecasting.errors import UserError
from forecasting.facts import TABLES, DateStyle, Decision, NumberStyle, date_styles, number_styles
from forecasting.imports.draft import Draft
from forecasting.imports.mapping import Mapping
from forecasting.imports.questions import Choice, Question
from forecasting.imports.reading import Reader, Styles, date_key
from forecasting.imports.staging import STAGED, Staged


def decide_styles(draft: Draft) -> Styles:
    """Return the styles of all used columns; what was decided goes into the draft's mapping, what was not into its questions."""
    mapping, staged, styles = draft.mapping, draft.staged, Styles()
    decisions = {
        name: numbers_of(staged, mapping, name) for name in mapping.number_columns() if needs_style(staged, name)
    }
    for name, decision in decisions.items():
        if style := settle(draft, "numbers", name, as_the_others(staged, mapping, name, decision, decisions)):
            styles.numbers[name] = style
    stated = mapping.columns.get(TABLES[mapping.table].date)
    if stated and not (isinstance(stated, str) and staged.typed.get(stated) == "date"):
        key = date_key(stated)
        written = mapping.dates.get(key)
        decision = decided(lambda: dates_of(staged, mapping, stated, written), f"dates: {key}")
        if style := settle(draft, "dates", key, decision):
            styles.dates[key] = style
            if style.date_format.endswith("%z") and not mapping.time_zone:
                draft.evidence.append(
                    f"{key}: days are those of the clock as written. State time_zone: Europe/Berlin for that of a place."
                )
    return styles


def needs_style(staged: Staged, name: str) -> bool:
    """Say whether a column is text whose numbers must be read."""
    return name in staged.columns and staged.typed.get(name) != "number"


def numbers_of(staged: Staged, mapping: Mapping, name: str, stated: dict | None = None) -> Decision[NumberStyle]:
    """Return how the numbers of a column are written."""
    stated = stated or mapping.numbers.get(name)
    return decided(lambda: number_styles(staged.connection, STAGED, staged.columns[name], stated), f"numbers: {name}")


def as_the_others(
    staged: Staged,
    mapping: Mapping,
    name: str,
    decision: Decision[NumberStyle],
    all_of_them: dict[str, Decision[NumberStyle]],
) -> Decision[NumberStyle]:
    """Return a decision anew where a column alone does not tell its decimal mark and all others of the file have the same one."""
    marks = {other.chosen.decimal_mark for other in all_of_them.values() if other.chosen} - {None}
    if decision.chosen or len(marks) != 1 or "decimal_mark" not in decision.question:
        return decision
    return numbers_of(staged, mapping, name, {**mapping.numbers.get(name, {}), "decimal_mark": marks.pop()})


def decided(decide, where: str) -> Decision:
    """Return a decision; where what is stated cannot be, say of which column."""
    try:
        return decide()
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def dates_of(staged: Staged, mapping: Mapping, stated: Any, written: dict | None) -> Decision[DateStyle]:
    """Return how the dates are written, of a column or put together of parts."""
    text = Reader(staged, mapping, Styles()).date_text(stated)
    relation = f"(select line, {text} as date_text from {STAGED})"
    return date_styles(staged.connection, relation, "date_text", written, mapping.time_zone)


def settle(draft: Draft, kind: str, name: str, decision: Decision) -> NumberStyle | DateStyle | None:
    """Write a decision into the mapping, or leave the question; return the style."""
    stated = getattr(draft.mapping, kind)
    if decision.chosen is None and decision.n_cells == 0:
        return None
    if decision.chosen is None:
        choices = tuple(
            Choice(sample_of(draft, kind, name, style), {(kind, name): style.to_yaml()})
            for style in decision.candidates
        )
        draft.questions.append(Question(draft.mapping.table, f"{kind}: {name}: {decision.question}", choices))
        return None
    if name not in stated and (plain := decision.chosen.to_yaml()):
        stated[name] = plain
    draft.evidence += [f"{name}: {sentence}" for sentence in decision.evidence]
    return decision.chosen


def sample_of(draft: Draft, kind: str, name: str, style: NumberStyle | DateStyle) -> str:
    """Return what a style makes of a column: the total of its numbers, or the first and the last of its dates."""
    column = draft.staged.columns.get(name)
    if column is None:
        return ""
    if kind == "numbers":
        ((total,),) = draft.staged.fetch(f"select sum(try_cast({style.sql(column)} as decimal(38, 4))) from {STAGED}")
        return f"total {total or 0:,.2f}"
    ((first, last),) = draft.staged.fetch(f"select min({style.sql(column)}), max({style.sql(column)}) from {STAGED}")
    return f"{first} to {last}"
