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
CONCERNS = {"stg_sales": ("sales", "profit")}  # of what more than one domain is made
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


def failed(target: Path) -> dict[str | None, str]:
    """Return the domains whose tests failed in the last build (None: all of them), and for each a sentence that says what is wrong."""
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    said: dict[str | None, list[str]] = {}
    for result in results:
        node = nodes.get(result["unique_id"], {})
        if node.get("resource_type") == "test" and result["status"] not in (*PASSED, "skipped"):
            kind, name, table = next(iter(tested(node)))
            for domain in CONCERNS.get(table, (domain_of(table),)):
                said.setdefault(domain, []).append(_fault(kind, name, table, domain, int(result["failures"] or 0)))
    return {domain: " ".join(dict.fromkeys(texts)) for domain, texts in said.items()}


def _fault(kind: str, name: str, table: str, domain: str | None, n: int) -> str:
    """Say in plain English what one failed test found."""
    rows = f"{n:,} row{'' if n == 1 else 's'}"
    if kind == "not_null_together":
        facts = table.removeprefix("stg_")
        return f"{rows} of the {facts} facts have no date, or no amount: fill them in where the facts come from, or leave the rows out."
    whose = f"the months of {domain}" if domain else "the months of all domains together"
    what = {
        "complete": f"{whose} do not add up to the facts in {n:,} month{'' if n == 1 else 's'}",
        "grain": f"{whose} have {rows} without a name or more than once",
    }.get(kind, f"{whose} have {rows} that cannot be")
    others = f" To forecast the rest until it is found, leave {domain} out of domains in params/." if domain else ""
    return (
        f"What was built is not right: {what} (dbt's test {name}). Did the facts change meanwhile? Run the same command again; if it stays "
        f"so, it is a fault of this program: please report it.{others}"
    )


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
