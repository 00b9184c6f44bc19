"""The sources are of one kind: a folder each, found by one list; the page that adds another is followed word by word."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from dbt_process import run_dbt
from forecasting import facts
from forecasting.facts.sources import SOURCES
from forecasting.facts.tables import TABLES

PAGE = "docs/sources.md"


def folders(path: Path) -> set[str]:
    """Return the names of the folders in a folder that hold code."""
    return {each.name for each in path.iterdir() if each.is_dir() and each.name != "__pycache__"}


def test_every_source_is_a_folder_here_and_in_dbt_and_a_line_on_the_page(root):
    assert folders(root / "src/forecasting/facts/sources") == set(SOURCES)
    assert folders(root / "dbt/models/sources") == {*SOURCES, "ledger"}
    shown = re.findall(r"^\| `(\w+)` \|", (root / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(shown) == sorted(SOURCES)


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_has_a_described_model_of_each_fact_table_built_for_it_alone(root, source):
    folder = root / "dbt/models/sources" / source
    for table in TABLES:
        sql = (folder / f"{source}_{table}.sql").read_text(encoding="utf-8")
        assert sql.startswith(f"{{{{ config(enabled=var('source') == '{source}') }}}}")
        (model,) = yaml.safe_load((folder / f"{source}_{table}.yml").read_text(encoding="utf-8"))["models"]
        described = [column["name"] for column in model["columns"]]
        assert set(described) == set(TABLES[table].columns) and model["description"].split(";")[-1].strip().startswith(
            "one row per"
        )


def test_no_other_file_knows_a_source_by_name(root):
    """Besides its folders and the list, only the default source and examples in messages may name one."""
    known = {root / "src/forecasting/facts/sources/__init__.py"}
    branches = re.compile(rf"""source\s*[!=]=\s*["']({"|".join(SOURCES)})["']""")
    for path in (root / "src").rglob("*.py"):
        assert path in known or not branches.search(path.read_text(encoding="utf-8")), path


def test_a_source_is_imported_only_when_facts_are_asked_for():
    code = "import sys, forecasting.__main__; print([m for m in sys.modules if m.startswith(('forecasting.facts', 'duckdb', 'psycopg'))])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def known_sales(project: Path, scratch: Path, source: str, variables: dict) -> tuple[list[tuple], int]:
    """Have dbt read the sales of a source; return them in order, and how many different rows the facts have."""
    scratch.mkdir()
    places = [f"--{what}={where}" for what, where in (("project-dir", project), ("profiles-dir", project), ("target-path", scratch),
                                                     ("log-path", scratch), ("vars", json.dumps(variables)))]  # fmt: skip
    command = ["--quiet", "run", "--select", f"{source}_sales+1", *places]
    warehouse = str(scratch / "warehouse.duckdb")
    done = run_dbt(command, project, scratch / "said", FORECASTING_WAREHOUSE=warehouse)
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(warehouse, read_only=True) as connection:
        rows = connection.execute("select * exclude (row_hash) from known_sales order by all").fetchall()
        return rows, connection.execute("select count(distinct row_hash) from known_sales").fetchone()[0]


def test_the_page_that_adds_a_source_can_be_followed(root, tmp_path):
    """In a copy, by what the page says; what comes of it is what the same facts give as CSV."""
    for part in ("src", "dbt"):
        shutil.copytree(root / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (code,) = re.findall(r"```python\n(.*?)```", (root / PAGE).read_text(encoding="utf-8"), re.DOTALL)
    sources = tmp_path / "src/forecasting/facts/sources"
    (sources / "jsonl").mkdir()
    (sources / "jsonl/__init__.py").write_text(code, encoding="utf-8")
    text = (sources / "__init__.py").read_text(encoding="utf-8")
    text = re.sub(r"(from forecasting.facts.sources import .*)", r"\1, jsonl", text)
    (sources / "__init__.py").write_text(re.sub(r"(\w+\.SOURCE)\)", r"\1, jsonl.SOURCE)", text), encoding="utf-8")
    models = tmp_path / "dbt/models/sources"
    shutil.copytree(models / "csv", models / "jsonl")
    for path in list((models / "jsonl").iterdir()):
        text = path.read_text(encoding="utf-8").replace("csv", "jsonl")
        path.with_name(path.name.replace("csv", "jsonl")).write_text(text, encoding="utf-8")
        path.unlink()
    rows = [{"order_date": f"2024-0{m}-15", "net_amount": m + 0.25, "region": "North"} for m in range(1, 5)]
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts/sales.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "facts/sales.csv").write_text(
        "".join(f"{','.join(map(str, row))}\n" for row in [rows[0], *(r.values() for r in rows)])
    )
    ask = "import json, sys; from forecasting.facts import inspect; print(json.dumps(inspect('jsonl', sys.argv[1]).dbt_vars()))"
    env = {"PYTHONPATH": str(tmp_path / "src"), "PATH": ""}
    asked = [sys.executable, "-c", ask, str(tmp_path / "facts")]
    variables = json.loads(subprocess.run(asked, env=env, capture_output=True, text=True, check=True).stdout)
    given = {"jsonl": variables, "csv": facts.inspect("csv", tmp_path / "facts").dbt_vars()}
    found = {source: known_sales(tmp_path / "dbt", tmp_path / source, source, own)[0] for source, own in given.items()}
    assert found["jsonl"] == found["csv"] and len(found["csv"]) == len(rows)


def test_csv_and_parquet_are_the_same_facts_and_a_row_is_all_its_cells(root, tmp_path):
    """A column called «line» must not stand for the whole row: all lines 1 of orders would be the same."""
    header = "order_date,net_amount,region,product,Line"
    rows = ["2024-01-31,10.5,North,7,1", "2024-01-31,2, South ,8,1", "2024-02-01,-1.25,,,1", "2024-02-01,-1.25,,,1"]
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts/sales.csv").write_text("\n".join([header, *rows]) + "\n")
    duckdb.sql(f"copy (from '{tmp_path}/facts/sales.csv') to '{tmp_path}/facts/sales.parquet'")
    found = {}
    for source in ("csv", "parquet"):
        variables = facts.inspect(source, tmp_path / "facts").dbt_vars()
        found[source] = known_sales(root / "dbt", tmp_path / source, source, variables)
    assert found["csv"] == found["parquet"] and found["csv"][1] == 3
