"""What `make docs` shows a reader: a first page in plain words, and of the sources only the one that the workspace reads."""

import json
import re
from pathlib import Path

import pytest

from dbt_process import run_dbt
from forecasting.ledger.tables import PUBLISHED

ROOT = Path(__file__).resolve().parents[1]
BUILT_IN = [path.name for path in (ROOT / "dbt" / "models" / "sources").iterdir() if path.name != "ledger"]


@pytest.fixture(scope="module", params=["sample", "csv"])
def documented(request, tmp_path_factory) -> tuple[str, dict]:
    """A source, and what dbt knows of the project where a workspace reads it."""
    place = tmp_path_factory.mktemp(request.param)
    where = [word for option in ("--target-path", "--log-path") for word in (option, str(place))]
    line = ["--quiet", "parse", "--project-dir", "dbt", "--profiles-dir", "dbt", *where]
    line += ["--vars", json.dumps({"source": request.param})]
    done = run_dbt(line, ROOT, place / "said", FORECASTING_WAREHOUSE=str(place / "warehouse.duckdb"))
    assert done.returncode == 0, done.stdout
    return request.param, json.loads((place / "manifest.json").read_text(encoding="utf-8"))


def test_the_lineage_has_only_the_source_that_the_workspace_reads(documented):
    source, graph = documented
    assert {node["source_name"] for node in graph["sources"].values()} == {source, "ledger"}
    models = [node["name"] for node in graph["nodes"].values() if node["resource_type"] == "model"]
    assert {f"{source}_{table}" for table in ("sales", "inventory", "expenses")} < set(models)
    others = "|".join(name for name in BUILT_IN if name != source)
    assert not [name for name in models if re.match(rf"({others})_", name)]


def test_every_source_is_shown_where_it_is_read():
    """One that lacks the line would stand in everybody's lineage."""
    for name in BUILT_IN:
        text = (ROOT / "dbt" / "models" / "sources" / name / f"{name}_sources.yml").read_text(encoding="utf-8")
        assert f"enabled: \"{{{{ var('source') == '{name}' }}}}\"" in text, name


def test_the_first_page_names_tables_that_are_there(documented):
    _, graph = documented
    page = graph["docs"]["doc.forecasting.__overview__"]["block_contents"]
    named = set(re.findall(r"`((?:ml_|Pred|monthly_|actual_|forecast_|domain_|left_|latest_)\w+)`", page))
    models = {node["name"] for node in graph["nodes"].values() if node["resource_type"] == "model"}
    assert len(named) > 12 and named <= models
    assert {name for name in PUBLISHED if name.startswith("ml_train")} <= named
