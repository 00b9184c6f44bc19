"""What a user sees when something is wrong: a sentence that says where and what to do, no traceback, and nothing published.

Tests of the small company «acme» run in the order they stand here: each of its runs serves several of them.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from forecasting.__main__ import main
from project_copy import ProjectCopy
from published_tables import query
from report_pages import report_of
from waiting import PATIENCE, until

GOOD = "order_date,net_amount,region,product_category,cost_amount"


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> ProjectCopy:
    """A project in which nothing has been published; it trains the baselines alone, because its runs are many."""
    return ProjectCopy.of(root, tmp_path_factory.mktemp("errors") / "project").with_families("naive")


def company(folder: Path, sales: str, **others: str) -> Path:
    """Write fact files into a new folder."""
    folder.mkdir(parents=True)
    for name, text in {"sales": sales, **others}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def sales_lines(n_months: int = 40, header: str = "order_date,net_amount,region,product_category") -> str:
    """Return weekly sales of two series over whole months, the last of them ending in 2024-12."""
    months = pd.date_range(end="2024-12-01", periods=n_months, freq="MS")
    rng = np.random.default_rng(3)
    rows = [
        f"{day:%Y-%m-%d},{100 + 20 * np.sin(day.month / 2) + rng.normal(0, 5):.2f},{region},Bikes,{60 + rng.normal(0, 3):.2f}"
        for month in months
        for day in pd.date_range(month, month + pd.offsets.MonthEnd(), freq="7D").union([month + pd.offsets.MonthEnd()])
        for region in ("North", "South")
    ]
    n_columns = header.count(",") + 1
    return "\n".join([header, *(",".join(row.split(",")[:n_columns]) for row in rows)]) + "\n"


def refused(project: ProjectCopy, name: str, *arguments: str) -> str:
    """Run `make report`, which must fail as a user's error and publish nothing; return the message."""
    published = project.path / "data" / name / "published.duckdb"
    before = published.read_bytes() if os.path.exists(published) else None  # also of a name that no folder can have
    done = project.make("report", f"NAME={name}", *arguments)
    said = done.stdout + done.stderr
    assert done.returncode == 2 and "Traceback" not in said and "\nError: " in said, said
    assert (published.read_bytes() if os.path.exists(published) else None) == before
    return said.split("\nError: ")[1].split("\n\n")[0]


@pytest.mark.parametrize(
    ("sales", "words"),
    [
        ("order_date,region\n2024-01-01,North\n", ["sales.csv", "net_amount"]),
        (f"{GOOD}\n", ["sales.csv", "no rows"]),
        ("", ["sales.csv", "empty"]),
        (f"{GOOD}\n2024-01-01,12.5,N,B,1\n2024-01-02,twelve,N,B,1\n", ["sales.csv", "line 3", "net_amount", "twelve"]),
        (f'{GOOD}\n2024-01-01,"ca. 1,001.18",N,B,1\n', ["sales.csv", "line 2", "net_amount", "ca. 1,001.18"]),
        (f"{GOOD}\n2024-01-01,1,N,B,1\n2024-13-45,2,N,B,1\n", ["sales.csv", "line 3", "order_date", "2024-13-45"]),
        (f"{GOOD}\n03/04/2024,1,N,B,1\n05/06/2024,1,N,B,1\n", ["sales.csv", "order_date", "date_format"]),
    ],
)
def test_facts_that_cannot_be_read(project, tmp_path, monkeypatch, capsys, sales, words):
    """By the command that `make` calls first; that `make` passes its message and exit code on is seen below."""
    monkeypatch.setattr("forecasting.__main__.ROOT", project.path)
    facts = company(tmp_path / "facts", sales)
    assert main(["data", "--name=unreadable", "--source=csv", f"--facts={facts}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("\nError: ") and all(word in said for word in words), said
    assert not (project.path / "data" / "unreadable").exists()


def test_facts_of_too_few_months(project, tmp_path):
    said = refused(project, "young", "SOURCE=csv", f"FACTS={company(tmp_path / 'facts', sales_lines(1))}")
    assert all(word in said for word in ("1 closed month", "2024-12", "13")), said
    assert not (project.path / "data" / "young" / "published.duckdb").exists()


def test_a_domain_that_cannot_be_forecast_stops_no_other_and_the_report_says_why(project, tmp_path):
    """Five years of sales, nine months of expenses, and a stock that was never counted as anything but nothing."""
    days = pd.date_range("2024-04-01", "2024-12-31", freq="7D").append(pd.DatetimeIndex(["2024-12-31"]))
    expenses = [f"{day:%Y-%m-%d},300,North" for day in days]
    stock = [f"{day:%Y-%m-%d},North,Bikes,0" for day in pd.date_range("2023-01-31", "2024-12-31", freq="ME")]
    files = {"expenses": ["expense_date,amount,region", *expenses],
             "inventory": ["snapshot_date,region,product_category,inventory_value", *stock]}  # fmt: skip
    others = {name: "\n".join(lines) + "\n" for name, lines in files.items()}
    facts = company(tmp_path / "facts", sales_lines(60, GOOD), **others)
    said = project.made("run", "SOURCE=csv", f"FACTS={facts}", "NAME=mixed", "PROFILE=smoke")
    words = (
        "profit has 9 closed months (2024-04 to 2024-12); at least 13 are needed",
        "inventory is zero in all 24 months",
    )
    assert all(f"Not forecast: {text}" in said for text in words), said
    published = project.path / "data" / "mixed" / "published.duckdb"
    assert query(published, "select distinct domain from forecasts")["domain"].tolist() == ["sales"]
    page = text_of((report_of(project.path, "mixed", "sales") / "index.html").read_text(encoding="utf-8"))
    assert "There is no forecast of profit: profit has 9 closed months (April 2024 to December 2024)" in page, page
    assert "There is no forecast of inventory: inventory is zero in all 24 months of all 1 series" in page
    assert "no facts came in" not in page
    assert all(f"Not forecast: {text}" in project.made("data", "NAME=mixed", "PROFILE=smoke") for text in words)


def text_of(markup: str) -> str:
    """Return what a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", markup).replace("\u202f", " ").replace("\xa0", " ").split())


def test_where_no_domain_can_be_forecast_each_says_why(project, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("forecasting.__main__.ROOT", project.path)
    facts = company(tmp_path / "facts", sales_lines(9, GOOD))
    assert main(["data", "--name=both", "--source=csv", f"--facts={facts}"]) == 2
    said = capsys.readouterr().err
    assert "sales has 9 closed months" in said and "profit has 9 closed months" in said and "Traceback" not in said


def test_what_is_wrong_with_the_stock_alone_stops_no_other_domain(project, tmp_path, monkeypatch, capsys):
    """Two series of one id, which dbt's own tests object to; and a cell that is no number, which must be answered first."""
    monkeypatch.setattr("forecasting.__main__.ROOT", project.path)
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2023-01-31", "2024-12-31", freq="ME")]
    header = "snapshot_date,region,product_category,inventory_value\n"
    stock = header + "".join(f"{day},A,B/C,5\n{day},A/B,C,7\n" for day in days)
    facts = company(tmp_path / "facts", sales_lines(60), inventory=stock)
    data = ["data", "--name=stock", "--source=csv", f"--facts={facts}"]
    assert main(data) == 0
    said = "".join(capsys.readouterr())
    assert "Region 'A' with category 'B/C' and region 'A/B' with category 'C' would both be called 'A/B/C'" in said, (
        said
    )
    assert "sales      net amount, 60 months" in said
    (facts / "inventory.csv").write_text(f"{stock}2024-12-31,A,B,many\n", encoding="utf-8")
    assert main(data) == 2
    said = capsys.readouterr().err
    assert all(
        word in said for word in ("inventory.csv, line 50", "'many'", "To forecast the rest", "move inventory.csv")
    ), said


def test_facts_that_are_not_there(project, tmp_path):
    assert "nowhere" in refused(project, "gone", "SOURCE=csv", f"FACTS={tmp_path / 'nowhere'}")
    (tmp_path / "empty").mkdir()
    assert "sales.csv" in refused(project, "gone", "SOURCE=csv", f"FACTS={tmp_path / 'empty'}")
    said = refused(project, "gone", "SOURCE=adventurework", f"FACTS={tmp_path}")
    assert "adventurework" in said and "sample, csv, adventureworks" in said
    assert "no workspace «gone» yet" in refused(project, "gone")
    assert "SOURCE=csv needs FACTS" in refused(project, "gone", "SOURCE=csv")
    assert "sources are sample, csv, adventureworks" in refused(project, "gone", "SOURCE=nowhere")
    assert not any((project.path / folder / "gone").exists() for folder in ("data", "runs"))


def test_a_misspelt_parameter_and_an_unknown_profile(project):
    settings = project.path / "params" / "workspaces" / "misspelt.yml"
    settings.write_text("horizn: 3\n")
    said = refused(project, "misspelt", "SOURCE=sample")
    assert "params/workspaces/misspelt.yml" in said and "«horizn»" in said and "«horizon»" in said
    assert "params/smok.yml" in refused(project, "trial", "SOURCE=sample", "PROFILE=smok")


def test_a_name_that_cannot_be_a_folder(project):
    assert "cannot be a workspace" in refused(project, "a b", "SOURCE=sample")
    assert "cannot be a workspace" in refused(project, "x" * 300, "SOURCE=sample")
    assert "Those that exist: large, smoke" in refused(project, "trial", "SOURCE=sample", f"PROFILE={'x' * 300}")


@pytest.fixture(scope="module")
def acme(project, tmp_path_factory) -> Path:
    """A small company, published once as it was known in September; its facts lie in a folder with a difficult name."""
    folder = company(tmp_path_factory.mktemp("acme") / "Ünsere Fakten's", sales_lines())
    as_of(project, "2024-09-30")
    project.made("run", "SOURCE=csv", f"FACTS={folder}", "NAME=acme")
    return folder


def as_of(project: ProjectCopy, day: str | None) -> None:
    """Have the company know its facts until this day only; None: all of them."""
    settings = project.path / "params" / "workspaces" / "acme.yml"
    if day is None:
        settings.unlink()
    else:
        settings.write_text(f"as_of: '{day}'\n")


def test_another_company_is_refused_and_the_memory_suffices(project, acme):
    assert "belongs to SOURCE=csv" in refused(project, "acme", "SOURCE=sample")
    assert "belongs to SOURCE=csv" in refused(project, "acme", "SOURCE=csv", f"FACTS={acme.parent}")
    assert "unchanged" in project.made("run", "NAME=acme")


def test_a_warehouse_that_another_program_holds_is_named_with_its_process(project, acme):
    as_of(project, None)
    warehouse = project.path / "data" / "acme" / "warehouse.duckdb"
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute('begin'); print('ready', flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "ready\n"
        said = refused(project, "acme")
        assert f"process {holder.pid}" in said and "warehouse.duckdb" in said
    finally:
        holder.communicate("\n")


def test_two_runs_at_once(project, acme):
    """The second is told to wait; the first is not disturbed and publishes the months that the warehouse could not take before.

    The first is stopped meanwhile, so that it cannot be done before the second has begun.
    """
    first = subprocess.Popen(
        project.command("run", "NAME=acme"),
        cwd=project.path,
        env=project.environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    until((project.path / "data" / "acme" / ".lock").read_text, first)
    os.killpg(first.pid, signal.SIGSTOP)
    try:
        assert "is going on" in refused(project, "acme")
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    assert first.wait(6 * PATIENCE) == 0
    published = project.path / "data" / "acme" / "published.duckdb"
    assert query(published, "select count(*) as n from ml_train_sales_monthly")["n"].item() == 2 * 40


@pytest.fixture(scope="module")
def acme_report(project, acme) -> Path:
    """The report of what acme has published by then."""
    return report_of(project.path, "acme", "sales")


def test_a_company_with_only_sales_is_told_what_is_missing(project, acme_report):
    said = (acme_report / "index.html").read_text(encoding="utf-8")
    assert "There are no inventory facts: inventory is not forecast." in said
    assert "sales.csv has no cost_amount: profit is not forecast." in said
    plan = (project.path / "runs" / "acme" / "plan.mk").read_text(encoding="utf-8")  # what Make is told
    assert "PAGES := index sales accuracy" in plan and "profit" not in plan and "inventory" not in plan


def test_next_month_compares_what_was_published_with_what_came(project, acme, acme_report):
    """Known until September, then everything: the report shows the published forecast of October against its actual."""
    published = project.path / "data" / "acme" / "published.duckdb"
    first = query(published, "select * from forecasts where status = 'published' and aggregation = 'series' and horizon = 1 "
                             "order by cutoff limit 2")  # fmt: skip
    assert set(first["ds"]) == {pd.Timestamp("2024-10-01")} and set(first["cutoff"]) == {pd.Timestamp("2024-09-01")}
    rows = query(published, "select * from actual_vs_forecast where forecast_kind = 'published' and status = 'published' "
                            "and domain = 'sales' and aggregation = 'total' and actual is not null order by ds")  # fmt: skip
    assert list(rows["ds"]) == list(pd.date_range("2024-10-01", "2024-12-01", freq="MS"))
    facts = pd.read_csv(acme / "sales.csv", parse_dates=["order_date"])
    came = facts.groupby(facts["order_date"].dt.to_period("M"))["net_amount"].sum()
    assert rows["actual"].tolist() == pytest.approx([came[f"{ds:%Y-%m}"] for ds in rows["ds"]])
    page = (acme_report / "sales.html").read_text(encoding="utf-8")
    assert "Published" in page or "published" in page
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute("select count(distinct run_id) from runs where domain = 'sales'").fetchone() == (2,)


def test_a_build_that_failed_never_passes_for_a_finished_one(project, acme):
    """A setting under which nothing can be built, then taken back: the warehouse must be built again."""
    published = project.path / "data" / "acme" / "published.duckdb"
    as_of(project, "1999-12-31")
    assert "as_of in params/ lies before them" in refused(project, "acme")
    as_of(project, None)
    assert "unchanged" not in project.made("run", "NAME=acme")
    assert query(published, "select count(*) as n from ml_train_sales_monthly")["n"].item() == 2 * 40


STOPPED_HALFWAY = """
import asyncio, sys
from forecasting import __main__ as commands

async def never(): ...

def work(root, options):
    loop, started = asyncio.SelectorEventLoop.__new__(asyncio.SelectorEventLoop), never()
    raise KeyboardInterrupt

commands.restore = work
commands.COMMANDS["restore"] = work, {}
sys.exit(commands.main(["restore"]))
"""


def test_ctrl_c_while_an_event_loop_is_being_made_is_one_sentence(root):
    """What is half made then complains as it goes, of parts it has not got: noise that hides what to do."""
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_HALFWAY], env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (130, "Stopped. Run the same command again to go on.\n")


STOPS = [
    ("20_train_naive.running.ipynb", signal.SIGKILL),
    ("40_forecast.running.ipynb", signal.SIGINT),
    ("published.running.duckdb", signal.SIGINT),
]


def test_a_stopped_run_publishes_nothing_and_the_next_one_goes_on(project, acme):
    """Ctrl-C, or a kill of everything, in the middle; what a user then does is run the same command again.

    Here the run is stopped three times, each time further on, before it may finish.
    """
    published = project.path / "data" / "acme" / "published.duckdb"
    before = current(published)
    text = (acme / "sales.csv").read_text(encoding="utf-8")
    (acme / "sales.csv").write_text(text + "2024-12-31,1.00,North,Bikes\n", encoding="utf-8")
    for when, kill in STOPS:
        said, stopped = stop(project, when, kill)
        if stopped:  # the last moment may be too short to be hit: then all is done
            assert "Traceback" not in said, said
            assert current(published) == before or when.startswith("published")
    said = project.made("run", "NAME=acme")
    after = current(published)
    assert after["runs"] == before["runs"] + 1 and after["sales"] != before["sales"], said
    folders = [project.path / "runs" / "acme", project.path / "data" / "acme"]
    leftovers = [path for folder in folders for path in folder.rglob("*") if re.search(r"\.(running|new)\b", path.name)]
    assert leftovers == []


def stop(project: ProjectCopy, when: str, kill: signal.Signals) -> tuple[str, bool]:
    """Run acme until a file of this name appears, then send a signal to all its processes; return what was said, and whether it stopped."""
    process = subprocess.Popen(
        project.command("run", "NAME=acme"), cwd=project.path, env=project.environment(), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    folders = [project.path / "runs" / "acme", project.path / "data" / "acme"]
    until(lambda: any(f for folder in folders for f in folder.rglob(when)) or process.poll() is not None, every=0.005)
    with suppress(ProcessLookupError):  # all is done already
        os.killpg(process.pid, kill)
    return process.communicate()[0], process.returncode != 0


def current(published: Path) -> dict:
    """Return how many runs a reader sees and the latest run of sales."""
    runs = query(published, "select run_id, domain, published_at from runs order by published_at, run_id")
    latest = query(published, "select distinct run_id from ml_pred_sales_1m")["run_id"].item()
    return {"runs": len(runs), "sales": latest}


def test_histories_too_short_to_compare_models_are_forecast_and_the_report_says_so(project, tmp_path):
    """Fourteen months have no cutoff at all, twenty-seven only recent ones: the seasonal naive, with intervals of its own.

    Every family takes them, also those that cannot learn from so little; sales have the shorter history, inventory the longer.
    """
    ends = pd.date_range(end="2024-12-31", periods=27, freq="ME")
    rng = np.random.default_rng(4)
    counts = [
        f"{day:%Y-%m-%d},{region},Bikes,{500 + 40 * day.month + rng.normal(0, 9):.2f}"
        for day in ends
        for region in ("North", "South")
    ]
    header = "snapshot_date,region,product_category,inventory_value"
    facts = company(tmp_path / "facts", sales_lines(14), inventory="\n".join([header, *counts]) + "\n")
    settings = project.path / "params" / "workspaces" / "short.yml"
    settings.write_text("families: [naive, linear, statistical, intermittent, boosting, cnn_lstm]\n")
    project.made("run", "NAME=short", "SOURCE=csv", f"FACTS={facts}", "PROFILE=smoke")
    report = report_of(project.path, "short", "sales", "inventory")
    page = (report / "index.html").read_text(encoding="utf-8")
    assert page.count("the history is too short to try it on the past") == 2
    for domain, n_months in (("sales", 14), ("inventory", 27)):
        rows = query(project.path / "data" / "short" / "published.duckdb", f"select * from ml_pred_{domain}_6m")
        assert len(rows) == 2 * 6 and set(rows["model_name"]) == {"seasonal_naive"}
        assert (rows["lo_80"] < rows["hi_80"]).all()
        assert f"{n_months} closed months" in page
        own = (report / f"{domain}.html").read_text(encoding="utf-8")
        assert "The history is too short to compare models" in own and "No model beat" not in own
