"""Runs real companies from facts to forecasts and tells how much better the champion is: `make companies` prints and keeps it as CSV.

The data is not part of the project; a company that is not there is left out. What is measured is the MASE of the two cutoffs that
chose nothing, which each run keeps in its `champion.json`.
"""

import csv
import json
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from project_copy import ProjectCopy

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT.parent / "shared" / "data" / "company"
WANTED = 15.0  # % better than the seasonal naive
COLUMNS = ["company", "domain", "champion", "mase", "seasonal_naive_mase", "better_by_pct", "verdict", "seconds"]

# Each SELECT gives the facts contract from the files of its folder.
COMPANIES = {
    "contoso": ("contoso_100k", {"sales": """
        select order_date, country as region, category as product_category, quantity * net_price as net_amount
        from '{folder}/sales.parquet' join '{folder}/products.parquet' using (product_key)"""}),
    "census": ("census_mrts", {
        "sales": """
        select month as order_date, naics || ' ' || kind_of_business as product_category, musd as net_amount
        from '{folder}/mrts_sales_inventories.parquet'
        where adjustment = 'nsa' and series like '%sales%' and regexp_full_match(naics, '\\d{{3}}') and musd is not null""",
        "inventory": """
        select month as snapshot_date, naics || ' ' || kind_of_business as product_category, musd as inventory_value
        from '{folder}/mrts_sales_inventories.parquet'
        where adjustment = 'nsa' and series like '%inventor%' and regexp_full_match(naics, '\\d{{3}}(,\\d{{3}})?')
            and musd is not null"""}),
    "australia": ("aus_retail", {"sales": """
        select month as order_date, state as region, industry as product_category, turnover_maud as net_amount
        from '{folder}/aus_retail.parquet'"""}),
}  # fmt: skip


def main(target: Path, wanted: list[str]) -> None:
    """Run the companies and write a row for each of their domains to `target`."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        project = ProjectCopy.of(ROOT, Path(scratch) / "project")
        for company in wanted or [*COMPANIES, "adventureworks", "sample"]:
            rows += measured(project, company, Path(scratch) / company)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print("  ".join(f"{row[name]:.3f}" if isinstance(row[name], float) else str(row[name]) for name in COLUMNS))
    short = [row for row in rows if row["company"] in COMPANIES and row["better_by_pct"] < WANTED]
    print(f"{len(short)} of the companies' domains are less than {WANTED:.0f} % better than the seasonal naive.")


def measured(project: ProjectCopy, company: str, scratch: Path) -> list[dict]:
    """Run one company and return a row for each domain; none where its data is not here."""
    source = {"adventureworks": "adventureworks_dw", "sample": ""}.get(company) or COMPANIES.get(company, [""])[0]
    if source and not (FACTS / source).exists():
        print(f"{company}: its data is not here", file=sys.stderr)
        return []
    started = time.monotonic()
    project.made("run", *settings(company, source, scratch))
    seconds = round(time.monotonic() - started, 1)
    folder = project.path / "runs" / company
    found = {path.parent.name: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*/champion.json"))}
    return [row(company, domain, champion, seconds) for domain, champion in found.items()]


def settings(company: str, source: str, scratch: Path) -> list[str]:
    """Return make's settings for a company; the facts of one that comes as CSV are written first."""
    if company == "sample":
        return []
    if company not in COMPANIES:
        return [f"SOURCE={company}", f"FACTS={FACTS / source}"]
    scratch.mkdir()
    for table, select in COMPANIES[company][1].items():
        duckdb.sql(f"copy ({select.format(folder=FACTS / source)} order by all) to '{scratch / table}.csv' (header)")
    return ["SOURCE=csv", f"FACTS={scratch}", f"NAME={company}"]


def row(company: str, domain: str, champion: dict, seconds: float) -> dict:
    """Return what one domain's run found; `seconds` are those of the company's whole run."""
    mase, naive = champion["mase_held_out"], champion["seasonal_naive_mase_held_out"]
    values = (
        company,
        domain,
        champion["name"],
        mase,
        naive,
        100.0 * (1.0 - mase / naive),
        champion["verdict"],
        seconds,
    )
    return dict(zip(COLUMNS, values, strict=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
