"""What make import does with a file's rows: rules, quarantine, accounts that add up, and what the next file changes."""

import csv
import datetime as dt
import json
import os
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.errors import UserError
from forecasting.imports import import_file
from forecasting.imports import store as storing
from forecasting.imports.formula import parse
from imported_files import imported, left_by, text_file

D = Decimal
HEAD = "Invoice,Date,Customer,Country,Quantity,Unit price\n"


def orders(rows):
    return HEAD + "".join(",".join(map(str, row)) + "\n" for row in rows)


SHOP = [
    ("1001", "2024-01-02", "a", "DE", 10, "2.00"), ("1001", "2024-01-02", "a", "DE", 10, "2.00"),
    ("1002", "2024-01-03", "b", "DE", 5, "1.50"), ("1003", "2024-01-04", "c", "FR", 1, "0.00"),
    ("1004", "2024-02-04", "c", "FR", 3, "7.25"), ("C1005", "2024-02-05", "a", "DE", -10, "2.00"),
    ("C1006", "2024-02-06", "b", "DE", -5, "1.50"), ("C1007", "2024-02-07", "x", "DE", -2, "9.00"),
    *((f"{2000 + n}", "2024-02-28", "d", "FR", 1, "1.00") for n in range(20)),
]  # fmt: skip
TOTAL = D("20") + D("20") + D("7.5") + D("21.75") - D("20") - D("7.5") - D("18") + 20


def rules(text):
    return f"sales:\n  rules:\n    {text}\n"


@pytest.mark.parametrize(
    ("stated", "left_out", "total"),
    [
        ("duplicates: keep", {}, TOTAL),
        ("duplicates: drop", {"duplicates": 1}, TOTAL - 20),
        ("returns: drop", {"returns": 3}, TOTAL + D("45.5")),
        ("prices: {column: Unit price, rule: drop}", {"prices": 1}, TOTAL),
        ("cancellations: {column: Invoice, prefix: C, rule: drop}", {"cancellations": 3}, TOTAL + D("45.5")),
        # each takes back an earlier row of the same customer and size; of the third there is none, so it stays
        ("cancellations: {column: Invoice, prefix: C, rule: net, key: [Customer]}", {"cancellations": 4}, TOTAL),
        ("returns: {rule: net, key: [Customer]}", {"returns": 4}, TOTAL),
    ],
)
def test_each_rule_leaves_out_what_it_says_and_counts_it(tmp_path, stated, left_out, total):
    found = imported(tmp_path, text_file(tmp_path, "shop.csv", orders(SHOP)), mapping=rules(stated))
    assert found.total("net_amount") == total
    assert found.record["rows"] == {"loaded": len(SHOP) - sum(left_out.values()), **left_out}
    assert sum(map(D, found.record["totals"].values())) == D(found.record["total_in"]) == TOTAL


def test_cancelled_orders_with_amounts_are_asked_about(tmp_path):
    text = "Date,Amount,Status\n" + "".join(
        f"2024-01-{n + 1:02},10,{'Cancelled' if n == 3 else 'Shipped'}\n" for n in range(20)
    )
    file = text_file(tmp_path, "orders.csv", text)
    with pytest.raises(
        UserError, match=r"(?s)put what is in braces below.*1 rows are cancelled.*rule: drop.*rule: keep"
    ):
        imported(tmp_path, file)
    chosen = imported(tmp_path, file, ask=lambda question: question.choices[0])
    assert chosen.total("net_amount") == 190
    assert "rule: drop" in (tmp_path / "params/imports/acme.yml").read_text()


def test_all_faults_come_at_once_and_nothing_is_imported_where_there_are_too_many(tmp_path):
    good = "".join(f"2024-01-{n % 28 + 1:02},{n},DE\n" for n in range(30))
    bad = "2024-02-30,1,DE\n2024-01-05,ten,DE\n,5,DE\n2024-01-06,,DE\n2024-02-31,2,DE\n"
    file = text_file(tmp_path, "faults.csv", "Date,Amount,Country\n" + good + bad)
    with pytest.raises(UserError) as refused:
        imported(tmp_path, file)
    said = str(refused.value)
    for part in ("5 of 35 rows (14.3 %)", "2 × Date: a day or month that does not exist: «2024-02-30» (lines 32, 36)",
                 "«ten» (line 33)", "Date: the cell is empty (line 34)", "Amount: the cell is empty (line 35)"):  # fmt: skip
        assert part in said
    assert not (tmp_path / "data/acme/facts").exists()
    assert len(list(csv.DictReader((tmp_path / "data/acme/refused-sales-faults.csv").open()))) == 5
    found = imported(tmp_path, file, mapping="sales: {most_quarantined_pct: 20}\n")
    assert found.record["rows"] == {"loaded": 30, "quarantined": 5}
    assert D(found.record["totals"]["quarantined"]) == 8
    assert [row["line"] for row in found.quarantine] == ["32", "33", "34", "35", "36"]


def test_a_fault_in_a_column_that_nothing_uses_stops_nothing(tmp_path):
    text = "Date,Amount,Ship date,Tax\n" + "".join(f"2024-01-{n + 1:02},{n},99/99/99,?\n" for n in range(9))
    assert len(imported(tmp_path, text_file(tmp_path, "a.csv", text)).facts) == 9


def test_what_rounding_to_four_decimals_moves_is_said(tmp_path, capsys):
    text = "Date,Amount\n" + "".join(f"2024-01-{n % 28 + 1:02},0.00014\n" for n in range(200))
    found = imported(tmp_path, text_file(tmp_path, "a.csv", text))
    assert found.total("net_amount") == D("0.02")
    assert (
        "net_amount: 200 cells have more than four decimals; rounding each moves their sum by -0.0080"
        in capsys.readouterr().out
    )


def test_two_amounts_are_asked_about_with_their_totals(tmp_path):
    text = "Date,Amount in doc currency,Amount in local currency\n2024-01-01,10.00,9.00\n2024-01-02,20.00,18.50\n"
    with pytest.raises(UserError, match=r"(?s)net_amount.*doc currency.*total 30.00.*local currency.*total 27.50"):
        imported(tmp_path, text_file(tmp_path, "sap.csv", text))
    draft = (tmp_path / "params/imports/acme.yml").read_text()
    assert "order_date: Date" in draft and "# open: columns: net_amount" in draft


def test_without_a_terminal_and_without_yes_it_waits_for_somebody_to_look(tmp_path):
    file = text_file(tmp_path, "a.csv", "Date,Amount\n2024-01-01,10\n2024-01-02,20\n")
    with pytest.raises(UserError, match="look at the above"):
        imported(tmp_path, file, yes=False)
    assert not (tmp_path / "data/acme/facts").exists()
    assert imported(tmp_path, file, yes=False).total("net_amount") == 30


def month(n, factor=1):
    return "Date;Amount;Country\n" + "".join(f"2024-{n:02}-{d:02};{d * factor};DE\n" for d in range(1, 29))


def test_next_month_the_same_mapping_imports_the_new_file_without_a_question(tmp_path):
    first = text_file(tmp_path, "jan.csv", month(1))
    imported(tmp_path, first)
    mapping = (tmp_path / "params/imports/acme.yml").read_text()
    second = imported(tmp_path, text_file(tmp_path, "feb.csv", month(2)), yes=False)
    assert second.total("net_amount") == 406
    assert (tmp_path / "params/imports/acme.yml").read_text() == mapping
    assert sorted(path.name for path in (tmp_path / "data/acme/facts/sales").iterdir()) == [
        "feb.parquet",
        "jan.parquet",
    ]
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "data/acme/facts/sales").iterdir()}
    imported(tmp_path, first)  # the same again
    assert stamps == {path: path.stat().st_mtime_ns for path in (tmp_path / "data/acme/facts/sales").iterdir()}


def test_a_file_with_all_of_the_past_and_more_takes_its_place(tmp_path):
    imported(tmp_path, text_file(tmp_path, "to_feb.csv", month(1) + month(2).split("\n", 1)[1]))
    imported(
        tmp_path, text_file(tmp_path, "to_mar.csv", month(1) + month(2).split("\n", 1)[1] + month(3).split("\n", 1)[1])
    )
    assert [path.name for path in (tmp_path / "data/acme/facts/sales").iterdir()] == ["to_mar.parquet"]


def test_a_file_that_disagrees_with_the_past_is_refused_by_months_and_amounts(tmp_path):
    imported(tmp_path, text_file(tmp_path, "jan.csv", month(1)))
    other = text_file(tmp_path, "again.csv", month(1, factor=2) + month(2).split("\n", 1)[1])
    with pytest.raises(UserError, match=r"2024-01: 28 rows, 406.00 before; 28 rows, 812.00"):
        imported(tmp_path, other)
    written = tmp_path / "params/imports/acme.yml"
    written.write_text(written.read_text().replace("new_files: by dates", "new_files: add"))
    with pytest.raises(UserError, match=r"count twice.*\n\* 2024-01: 28 rows, 406.00 before; 28 rows, 812.00"):
        imported(tmp_path, other)
    overlapping = text_file(tmp_path, "more.csv", month(1) + month(2).split("\n", 1)[1])
    assert imported(tmp_path, overlapping).record["rows"] == {"loaded": 28, "imported": 28}
    written.write_text(written.read_text().replace("new_files: add", "new_files: replace"))
    assert imported(tmp_path, other).total("net_amount") == 812 + 406
    assert [path.name for path in (tmp_path / "data/acme/facts/sales").iterdir()] == ["again.parquet"]


def test_a_file_that_no_longer_fits_is_refused_with_all_that_is_missing(tmp_path):
    imported(tmp_path, text_file(tmp_path, "a.csv", "Day,Net amount,Country\n2024-01-01,1,DE\n2024-01-02,2,DE\n"))
    with pytest.raises(UserError, match=r"(?s)\* Net amount.*Did you mean 'Net_amount'.*\* Country"):
        imported(tmp_path, text_file(tmp_path, "b.csv", "Day,Net_amount,Nation\n2024-02-01,1,DE\n2024-02-02,2,DE\n"))


def test_unknown_keys_are_refused_with_the_nearest_name(tmp_path):
    file = text_file(tmp_path, "a.csv", "Day,Amount\n2024-01-01,1\n")
    mapping = "sales: {colums: {order_date: Day}, rules: {duplicate: keep}}\n"
    with pytest.raises(
        UserError, match=r"(?s)'colums' is not known.*'columns'.*'duplicate' is not known.*'duplicates'"
    ):
        imported(tmp_path, file, mapping=mapping)


@pytest.mark.parametrize("step", range(1, 9))
def test_an_import_killed_at_any_step_leaves_the_old_state(tmp_path, monkeypatch, step):
    """Each call that changes the file system may be the last one."""
    first, second = (
        text_file(tmp_path, "jan.csv", month(1)),
        text_file(tmp_path, "again.csv", month(1, 2) + month(2).split("\n", 1)[1]),
    )
    imported(tmp_path, first)
    before = left_by(tmp_path, first).facts
    mapping = tmp_path / "params/imports/acme.yml"
    mapping.write_text(mapping.read_text().replace("by dates", "replace"))
    calls = 0

    class Killed(BaseException):
        pass

    def dying(function):
        def called(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == step:
                raise Killed
            return function(*args, **kwargs)

        return called

    for name in ("link", "replace", "mkdir", "rename", "symlink"):
        monkeypatch.setattr(os, name, dying(getattr(os, name)))
    monkeypatch.setattr(storing.shutil, "rmtree", dying(storing.shutil.rmtree))
    try:
        imported(tmp_path, second)
    except Killed:
        monkeypatch.undo()
        record = json.loads((tmp_path / "data/acme/imports.json").read_text())["sales"]
        names = {path.stem for path in (tmp_path / "data/acme/facts/sales").iterdir()}
        assert names == set(record) and names in ({"jan"}, {"again"})
        if names == {"jan"}:
            assert left_by(tmp_path, first).facts == before
    monkeypatch.undo()
    assert imported(tmp_path, second).total("net_amount") == 812 + 406


def test_a_workspace_of_other_facts_is_left_alone(tmp_path):
    (tmp_path / "data/acme").mkdir(parents=True)
    (tmp_path / "data/acme/workspace.json").write_text('{"source": "csv", "facts": "x.csv"}')
    with pytest.raises(UserError, match="belongs to SOURCE=csv"):
        imported(tmp_path, text_file(tmp_path, "a.csv", "Day,Amount\n2024-01-01,1\n"))


def test_at_a_terminal_a_person_answers_and_agrees(tmp_path, monkeypatch, capsys):
    text = "Date,Net,Gross sales,Net sales\n2024-01-01,1.00,9.00,8.00\n2024-01-02,2.00,18.50,7.00\n"
    file = text_file(tmp_path, "two.csv", text)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    answers = iter(["", "7", "1", "n"])
    monkeypatch.setattr("builtins.input", lambda shown: next(answers))
    ambiguous = text_file(tmp_path, "two.csv", text.replace("Net,", "Net amount,"))
    with pytest.raises(UserError, match="Nothing was imported"):
        imported(tmp_path, ambiguous, yes=False)
    assert "which is it?" in capsys.readouterr().out
    answers = iter(["y"])
    found = imported(tmp_path, file, yes=False, mapping="sales: {columns: {net_amount: Net sales}}\n")
    assert found.total("net_amount") == 15


def test_names_files_and_tables_that_cannot_be_meant_are_refused(tmp_path):
    file = text_file(tmp_path, "a.csv", "Day,Amount\n2024-01-01,1\n")
    for name, path, table, said in (("sample", file, "", "NAME"), ("acme", tmp_path / "b.csv", "", "a.csv"),
                                    ("acme", file, "sale", "sales"),
                                    ("acme", tmp_path, "", "folder"), ("acme", "", "", "FILE")):  # fmt: skip
        with pytest.raises(UserError, match=said):
            import_file(tmp_path, name, str(path), table, yes=True)


NUMBERS = st.decimals(min_value=-10_000, max_value=10_000, places=2)


@given(
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.sampled_from(["a * b * (1 - c)", "a - b", "-a + b * c", "(a + b) / 4", "2.5 * [a] - 1"]),
)
@settings(max_examples=40, deadline=None)
def test_a_formula_is_worth_what_python_says(a, b, c, text):
    import duckdb

    values = {"a": a, "b": b, "c": c}
    expected = eval(text.replace("[", "").replace("]", "").replace("2.5", "D('2.5')"), {"D": D, **values})
    sql = parse(text, "here").sql(lambda name: f"'{values[name]}'")
    assert abs(duckdb.sql(f"select {sql}").fetchone()[0] - expected) < D("0.000001")


@pytest.mark.parametrize(
    "text", ["__import__('os')", "a.b", "a ** 2", "f(a)", "a if b else c", "'x'", "1 + 2", "a[0]", "a; b", "a" * 2000]
)
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(UserError):
        parse(text, "here")


def test_an_empty_cell_makes_no_amount_but_for_a_question_mark():
    import duckdb

    def worth(text, **cells):
        formula = parse(text, "here")
        return duckdb.sql(f"select {formula.sql(lambda name: cells[name])}").fetchone()[0]

    assert worth("a * b", a="'2'", b="null::varchar") is None
    assert worth("a - b", a="'2'", b="null::varchar") is None
    assert worth("[a]? - [b]?", a="null::varchar", b="'2'") == -2
    assert worth("[a]? - [b]?", a="null::varchar", b="null::varchar") is None
    assert worth("a / b", a="'2'", b="'0'") is None


# --- any table, in any dialect: read back unchanged, or quarantined; sums always add up -----------------------------------------

DIALECTS = st.fixed_dictionaries({
    "delimiter": st.sampled_from([",", ";", "\t", "|"]),
    "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    "mark": st.sampled_from([".", ","]),
    "thousands": st.sampled_from(["", " ", "'", "other"]),
    "date": st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d", "%d-%b-%Y"]),
    "minus": st.sampled_from(["-x", "x-", "(x)"]),
    "title": st.booleans(),
    "total": st.booleans(),
})  # fmt: skip
ROWS = st.lists(st.tuples(st.dates(min_value=dt.date(2019, 1, 13), max_value=dt.date(2024, 12, 31)),
                          st.sampled_from(["Nord", "Süd", "Île", "A & B"]), st.decimals(-99_999, 9_999_999, places=2)),
                min_size=8, max_size=30)  # fmt: skip


def number_as(value, mark, thousands, minus):
    separator = {"other": "." if mark == "," else ","}.get(thousands, thousands)
    text = f"{abs(value):,.2f}".replace(",", "\0").replace(".", mark).replace("\0", separator)
    return minus.replace("x", text) if value < 0 else text


@given(ROWS, DIALECTS, st.lists(st.integers(0, 7), max_size=2, unique=True))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_in_any_dialect_comes_back_or_is_quarantined(tmp_path_factory, rows, dialect, spoiled):
    folder = tmp_path_factory.mktemp("any")
    rows = [(dt.date(2023, 5, 31), "Nord", D("1234.56")), *rows]  # a day above 12, and cents
    lines = [["Datum", "Region", "Betrag"]]
    for at, (day, region, value) in enumerate(rows):
        amount = (
            "kaputt" if at - 1 in spoiled else number_as(value, dialect["mark"], dialect["thousands"], dialect["minus"])
        )
        lines.append([day.strftime(dialect["date"]), region, amount])
    if dialect["total"]:
        whole = sum(value for at, (_, _, value) in enumerate(rows) if at - 1 not in spoiled)
        lines.append(["Summe", "", number_as(whole, dialect["mark"], dialect["thousands"], dialect["minus"])])
    with (folder / "any.csv").open("w", encoding=dialect["encoding"], newline="") as file:
        if dialect["title"]:
            file.write("Umsatzbericht\r\n\r\n")
        csv.writer(file, delimiter=dialect["delimiter"]).writerows(lines)
    found = imported(folder, folder / "any.csv", mapping="sales: {most_quarantined_pct: 50}\n")
    expected = [row for at, row in enumerate(rows) if at - 1 not in spoiled]
    assert [(row["order_date"], row["region"], row["net_amount"]) for row in found.facts] == expected
    assert len(found.quarantine) == len(spoiled)
    assert sum(map(D, found.record["totals"].values())) == D(found.record["total_in"])
    assert sum(found.record["rows"].values()) == found.record["rows_in"]
