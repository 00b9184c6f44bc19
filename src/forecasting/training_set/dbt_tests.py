"""What dbt tested while it built the warehouse, as a short list that goes with each run and that the report shows.

Read from dbt's own record of the build (`run_results.json` and `manifest.json`), right after it: the next dbt command
overwrites it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forecasting.contracts import DOMAINS

BELONGS_TO = {"stg_expenses": "profit"}  # tables whose name does not say whose they are
PASSED = ("pass", "success")
Row = dict[str, Any]


def found(target: Path) -> list[Row]:
    """Return what the last build tested: one row per kind of test and domain, in that order.

    Each row: kind («contract»: columns and types are as promised; «unit_test»: a worked example; «complete»: a query of our
    own in dbt/tests; else the name of the generic test), domain (None: all domains), n, passed, on (the tables, or for
    worked examples and queries their names). `target` is dbt's target folder.
    """
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    nodes = manifest["nodes"] | manifest.get("unit_tests", {})
    rows: dict[tuple[str, str], Row] = {}
    for result in results:
        for kind, name, table in tested(nodes.get(result["unique_id"], {})):
            domain = domain_of(table)
            row = rows.setdefault((kind, domain or ""), {"kind": kind, "domain": domain, "n": 0, "passed": 0, "on": []})
            row["n"] += 1
            row["passed"] += result["status"] in PASSED
            row["on"].append(name)
    return [rows[key] | {"on": sorted(rows[key]["on"])} for key in sorted(rows)]


def tested(node: Row) -> Iterator[tuple[str, str, str]]:
    """Yield the kind of test that a node of dbt's graph stands for, what it is called and whose it is; else nothing."""
    kind, config = node.get("resource_type"), node.get("config", {})
    if kind == "model" and (config.get("contract") or {}).get("enforced"):
        yield "contract", node["name"], node["name"]
    elif kind == "unit_test":
        yield "unit_test", node["name"], node["model"]
    elif kind == "test" and node.get("test_metadata"):
        table = (node.get("attached_node") or node["name"]).split(".")[-1]
        yield node["test_metadata"]["name"], table, table
    elif kind == "test":
        yield "complete", node["name"], node["name"]


def domain_of(name: str) -> str | None:
    """Return the domain that a table or test is about, None where it is about all."""
    return BELONGS_TO.get(name) or next((domain for domain in DOMAINS if domain in name.split("_")), None)


def of_domain(rows: list[Row], domain: str) -> list[Row]:
    """Return the tests that concern one domain: its own and those of all."""
    return [row for row in rows if row["domain"] in (None, domain)]
