"""Takes out of a relation the rows that are no facts: blank ones, totals, notes below the table, the header again. Their text is kept."""

import re
from collections.abc import Iterator, Sequence

import duckdb

from forecasting.facts.table_files.headers import Cells, column_kinds
from forecasting.facts.table_files.kinds import kind_of
from forecasting.facts.table_files.records import records
from forecasting.facts.table_files.relations import column_names, take_out
from forecasting.facts.table_files.shapes import Dialect, LeftOut, Notes
from forecasting.facts.tables import literal

SAMPLE, TAIL = 2_000, 200  # rows that tell what columns hold, and at the end that may be notes
MOST_TOTALS = 200_000  # rows looked at one by one
FILLED = 0.95  # of the rows: a column that so many fill is one of the table's keys
TOTAL_WORDS = (
    "(?:grand |overall |report |page )?totals?|sub ?-?totals?|sum|(?:gesamt|zwischen|end)?summe|(?:ins)?gesamt|"
    "(?:gesamt|zwischen)?ergebnis|total g[eé]n[eé]ral|sous ?-?total|(?:sub|eind)?totaal|(?:sub)?totale(?: generale| complessivo)?|somme|"
    "suma(?: total| końcowa)?|totalt|(?:del)?summa|i alt|yhteensä|razem|ogółem|celkem|spolu|összesen|(?:genel )?toplam|итого|всего|"
    "σύνολο|合計|総計|总计|合计|小计"
)
BESIDE = r"(?: [^\s,;()¦]+){1,3}"  # 'Total North', 'Total January 2024'
TOTAL = re.compile(rf"[∑Σσ*\s]*(?:{TOTAL_WORDS})\s*[:*]?", re.IGNORECASE)
TOTAL_OF = re.compile(rf"(?:{TOTAL_WORDS}){BESIDE}:?|(?:[^\s,;()¦]+ ){{1,3}}(?:{TOTAL_WORDS}):?", re.IGNORECASE)
NOTE_WORDS = (
    r"(?:[\d.,]+ (?:rows?|records?|zeilen|lignes|filas)|sources?|quelle|notes?|hinweis|generated|created|exported|printed|report|"
    r"as of|stand:|erstellt|page \d|seite \d|end of|confidential|copyright|©)"
)
NOTE = re.compile(rf"\W*{NOTE_WORDS}\b|(?:.*?[^\W\d]{{3,}}\W+){{3,}}.*[^\W\d]{{2,}}", re.IGNORECASE | re.DOTALL)


RULE = re.compile(r"[-=_+:|\s]*(?:---|===|___)[-=_+:|\s]*")
END_MARK = "\x1a"  # with which old programs end a file


def leave_out(
    connection: duckdb.DuckDBPyConnection, relation: str, header: Sequence[Cells], dialect: Dialect, notes: Notes
) -> None:
    """Take out of a relation, and of its bad rows, what is no fact."""
    names = column_names(connection, relation)
    take_out_blank(connection, relation, names, notes)
    if header and (repeated := matches_header(header[-1])):
        take_out(connection, relation, repeated, "the header again", notes)
    take_out(connection, relation, is_rule(names), "a line of dashes", notes)
    take_out_notes(connection, relation, names, notes)
    take_out_totals(connection, relation, names, notes)
    take_out_notes(connection, relation, names, notes)
    take_out_bad(connection, relation, dialect, notes)


def take_out_blank(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], notes: Notes) -> None:
    """Move blank rows to what was left out, those that follow each other as one."""
    blank = " and ".join(f"({name} is null or trim({name}, ' \t\u00a0') = '')" for name in names)
    numbered = f"select line, line - row_number() over (order by line) as run from {relation} where {blank}"
    found = connection.execute(f"select min(line), count(*) from ({numbered}) group by run order by 1").fetchall()
    notes.left_out += [LeftOut(line, "", "blank", n) for line, n in found]
    if found:
        connection.execute(f"delete from {relation} where {blank}")


def is_rule(names: Sequence[str]) -> str:
    """Return the SQL that says whether a row is a line drawn of dashes."""
    first, row = f"coalesce({', '.join(names)})", f"concat_ws('', {', '.join(names)})"
    return f"(starts_with({first}, '-') or starts_with({first}, '=')) and regexp_full_match({row}, {literal(RULE.pattern)})"


def matches_header(cells: Cells) -> str:
    """Return the SQL that says whether a row repeats the header's cells, '' where too few of them would have to."""
    found = [
        f"trim(c{at}) = {literal(cell.strip())}" for at, cell in enumerate(cells, start=1) if cell and cell.strip()
    ]
    return " and ".join(found)


def take_out_totals(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], notes: Notes) -> None:
    """Move totals to what was left out: rows that say so, where a date belongs or with a key of the table empty."""
    cells = ", ".join(f"nullif(trim({name}), '')" for name in names)
    # most cells begin with a letter or digit and need no trim
    has = [f"case when {name} >= '!' then 1 when trim({name}) <> '' then 1 end" for name in names]
    several = " + ".join(f"coalesce({one}, 0)" for one in has) + f" > {min(len(names) - 1, 1)}"
    rows = f"{relation} where {several}"  # a row with one cell is a heading
    listed = ", ".join(f"count({one})" for one in has)
    n_rows, *counts = connection.execute(f"select count(*), {listed} from {rows}").fetchone() or (0,)
    if not n_rows:
        return
    sample = connection.execute(f"select {', '.join(names)} from {rows} order by line limit {SAMPLE}").fetchall()
    kinds = column_kinds([[kind_of(cell) for cell in row] for row in sample])
    alone = only_key(kinds)
    words = [at for at, kind in enumerate(kinds) if kind in ("date", "number") or at == alone]
    keys = [at for at, n in enumerate(counts) if n >= 0.5 * n_rows]
    empty = [f"{names[at]} is null or {names[at]} < '!'" for at in keys]
    possible = " or ".join([*empty, *(f"{names[at]} >= 'A'" for at in words), "false"])
    says_so = f"regexp_matches(concat_ws('¦', {', '.join(names)}), {literal(pattern_in_row())}, 'i')"
    sql = f"select line, {cells} from {rows} and ({possible}) and {says_so} order by line limit {MOST_TOTALS}"
    found = connection.execute(sql).fetchall()
    others = n_rows - len(found)
    own = [sum(1 for _, *row in found if row[at] is not None) for at in range(len(names))]
    keys = [at for at in keys if counts[at] - own[at] >= FILLED * others]
    totals = [line for line, *row in found if is_total(row, kinds, keys, alone)]
    if totals:
        connection.execute("create or replace temp table total_lines as select unnest(?::bigint[]) as line", [totals])
        take_out(connection, relation, "line in (select line from total_lines)", "a total", notes)
        connection.execute("drop table total_lines")


def only_key(kinds: Sequence[str]) -> int | None:
    """Return the one column of words of a table without dates, as where months stand side by side; None where there are others."""
    texts = [at for at, kind in enumerate(kinds) if kind == "text"]
    return texts[0] if len(texts) == 1 and "date" not in kinds else None


def pattern_in_row() -> str:
    """Return the pattern of a row, its cells parted by '¦', of which one says that it is a total."""
    return rf"(^|¦)\s*(?:{TOTAL.pattern}|{TOTAL_OF.pattern})\s*(¦|$)"


def is_total(row: Cells, kinds: Sequence[str], keys: Sequence[int], alone: int | None) -> bool:
    """Say whether a row is a total: a cell says so, where a date or number belongs, or with a key empty, or as the only key.

    Where 'Total' is but a part of what it says, and the table has dates, the date is the key that must be empty.
    """
    dates = [key for key in keys if kinds[key] == "date"]
    for at, cell in enumerate(row):
        text = (cell or "").strip()
        alone_says = TOTAL.fullmatch(text)
        if not text or not (alone_says or TOTAL_OF.fullmatch(text)):
            continue
        if kinds[at] in ("date", "number") or (at == alone and alone_says):
            return True
        needed = keys if alone_says else dates or keys
        if any(row[key] is None for key in needed if key != at) and any(kind_of(other) == "number" for other in row):
            return True
    return False


def take_out_notes(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], notes: Notes) -> None:
    """Move the rows of one cell with words, below the last row that has more, to what was left out."""
    if len(names) < 2:
        return
    tail = connection.execute(
        f"select line, {', '.join(names)} from {relation} order by line desc limit {TAIL}"
    ).fetchall()
    lines = []
    for line, *row in tail:
        cells = [cell for cell in row if cell and cell.strip(" \t\u00a0")]
        if len(cells) > 1 or kind_of(cells[0]) != "text":
            break
        lines.append(line)
    if lines and len(lines) < len(tail):
        take_out(connection, relation, f"line >= {min(lines)}", "below the table", notes)


def take_out_bad(connection: duckdb.DuckDBPyConnection, relation: str, dialect: Dialect, notes: Notes) -> None:
    """Move from the bad rows to what was left out: notes below the last good row, and totals."""
    (last,) = connection.execute(f"select coalesce(max(line), 0) from {relation}").fetchone() or (0,)
    sql = f"select line, text from {relation}_bad where (contains(reason, 'cells where') or contains(reason, 'cell where'))"
    says_so = f"regexp_matches(text, {literal(TOTAL_WORDS)}, 'i')"
    rule = f"regexp_full_match(text, {literal(RULE.pattern)})"
    rows = connection.execute(
        f"{sql} and (line > {last} or {says_so} or {rule}) order by line limit {MOST_TOTALS}"
    ).fetchall()
    found = list(left_out_of(rows, last, dialect))
    notes.left_out += found
    if found:
        connection.execute(
            f"delete from {relation}_bad where line in (select unnest(?::bigint[]))", [[one.line for one in found]]
        )


def left_out_of(rows: Sequence[tuple[int, str]], last: int, dialect: Dialect) -> Iterator[LeftOut]:
    """Yield what of rows that do not fit is a total, or a note below the last good row."""
    for line, text in rows:
        record = next(records([text], dialect.writing))
        cells = [cell.strip() for cell in record.cells if cell.strip()]
        if RULE.fullmatch(text) or text.strip() == END_MARK:
            yield LeftOut(line, text, "a line of dashes" if RULE.fullmatch(text) else "the end mark of old programs")
        elif cells and (TOTAL.fullmatch(cells[0]) or (TOTAL_OF.fullmatch(cells[0]) and len(cells) > 1)):
            yield LeftOut(line, text, "a total")
        elif line > last and len(cells) == 1 and NOTE.match(cells[0]):
            yield LeftOut(line, text, "below the table")
