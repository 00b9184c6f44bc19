"""From a file and what is stated of it to rows with their fates; what is open is proposed, asked, or refused all at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from forecasting.errors import UserError
from forecasting.facts import TABLES, Connection, nearest
from forecasting.imports.contents import Contents
from forecasting.imports.draft import Draft
from forecasting.imports.mapping import HEADING, PSEUDO, RULES, Mapping
from forecasting.imports.names import rank
from forecasting.imports.propose_amounts import propose_amounts
from forecasting.imports.propose_dates import propose_date
from forecasting.imports.propose_fill import propose_fill_down
from forecasting.imports.propose_rows import propose_rows, propose_texts
from forecasting.imports.propose_shape import across_of, columns_across, read_parts, stated_dialect
from forecasting.imports.questions import Ask, Question, undecided
from forecasting.imports.reading import Reader, read_rows
from forecasting.imports.rules import decide_fates
from forecasting.imports.staging import Parts, Staged, stage, words_for_nothing
from forecasting.imports.styles import decide_styles

MOST_ROUNDS = 12


@dataclass(frozen=True)
class Read:
    """A file that was read: its tables, how that was found, and the rows."""

    parts: Parts
    draft: Draft
    reader: Reader


def complete(
    connection: Connection,
    path: Path,
    mapping: Mapping,
    ask: Ask | None,
    save: Callable[[list[str]], object],
    shown: str,
    is_told: bool = True,
) -> Read:
    """Read a file by a mapping, which is completed in place; `save` keeps it with its open questions where nobody can be asked.

    is_told: somebody said which fact table it is; else the names of its columns must not speak against sales.

    Raises
    ------
    UserError
        If the file does not fit what is stated, or something is open and `ask` is None.
    """
    parts = parts_of(connection, path, mapping, ask, save, shown)
    staged = staged_of(connection, parts, mapping)
    if not is_told:
        require_sales(path.name, staged.columns)
    require_fits(staged, parts, mapping, shown)
    is_whole = set(TABLES[mapping.table].columns) <= set(mapping.columns) and set(RULES) <= set(mapping.rules)
    for _ in range(MOST_ROUNDS):
        draft = Draft(mapping, staged, Contents(staged, mapping.numbers))
        if not is_whole:
            propose_date(draft)
            propose_amounts(draft)
            propose_texts(draft)
            propose_fill_down(draft)
            if not draft.questions:
                propose_rows(draft)
        styles = decide_styles(draft)
        if not draft.questions:
            break
        answer(draft.questions, mapping, ask, save, shown)
        staged = staged_of(connection, parts, mapping)
    for column in TABLES[mapping.table].columns:
        mapping.columns.setdefault(column, None)
    for rule in RULES:
        mapping.rules.setdefault(rule, "keep")
    reader = read_rows(staged, mapping, styles)
    decide_fates(reader)
    return Read(parts, draft, reader)


def require_sales(file: str, names: Iterable[str]) -> None:
    """Raise a UserError if a file has no column that is surely called as sales are, but one that is called as stock or expenses are."""
    if any(rank("net_amount", name) == 0 for name in names):
        return
    kinds = {"inventory": ("quantity_on_hand", "inventory_value"), "expenses": ("expense",)}
    for table, meanings in kinds.items():
        found = [name for name in names if any(rank(meaning, name) == 0 for meaning in meanings)]
        if found:
            raise UserError(
                f"{file} has the column «{found[0]}», as {table} facts have. Say which table it is: TABLE={table}, or TABLE=sales if these "
                "are sales after all."
            )


def parts_of(connection, path: Path, mapping: Mapping, ask: Ask | None, save, shown: str) -> Parts:
    """Read the file's tables; ask how it is written where that is open."""
    for _ in range(MOST_ROUNDS):
        parts = read_parts(connection, path, mapping)
        if isinstance(parts, Parts):
            if not mapping.file:
                mapping.file = stated_dialect(parts)
            return parts
        answer([parts], mapping, ask, save, shown)
    raise UserError(
        f"{path.name}: how it is written cannot be decided. State it in {shown}, below {mapping.table}: file:."
    )


def answer(
    questions: list[Question], mapping: Mapping, ask: Ask | None, save: Callable[[list[str]], object], shown: str
) -> None:
    """Ask the questions one after another, or keep what is decided and refuse with all of them."""
    if ask is None:
        save([question.written() for question in questions])
        raise undecided(questions, shown)
    for question in questions:
        if not question.choices:
            raise undecided([question], shown)
        ask(question).apply(mapping)


def staged_of(connection: Connection, parts: Parts, mapping: Mapping) -> Staged:
    """Write the tables as one; months or years that stand side by side become rows where the mapping says so, or nothing yet."""
    if mapping.empty is None:
        mapping.empty = words_for_nothing(connection, parts)
    if mapping.across:
        names = columns_across(connection, parts.names, mapping.across)
    elif mapping.columns.get(TABLES[mapping.table].date):
        names = []
    else:
        mapping.across, names = across_of(connection, parts.names)
    return stage(connection, parts, names, mapping.empty, [name for name, is_so in mapping.fill_down.items() if is_so])


def require_fits(staged: Staged, parts: Parts, mapping: Mapping, shown: str) -> None:
    """Raise a UserError that names all columns which the mapping uses and the file does not have."""
    missing = [name for name in mapping.used() if name not in staged.columns]
    if not missing:
        return
    names = [name for name in staged.columns if name not in PSEUDO or name == HEADING]
    listed = "\n".join(f"* {name}{nearest(name, names)}" for name in missing)
    raise UserError(
        f"{parts.path.name} does not fit {shown}: the mapping of {mapping.table} uses columns that are not in the file. "
        f"Correct the mapping, or the file.\n{listed}\nThe file has: {', '.join(names)}."
    )
