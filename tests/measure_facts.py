"""Measures what many facts cost: from files to training sets by the real path, beside the same sums as bare DuckDB SQL on the same cores.

`python tests/measure_facts.py out.csv --rows 100000000` makes order lines and a tenth as many stock rows (`made_facts`) in a temporary
folder, builds the training sets of a company in a copy of the project there, and writes a row per step: seconds, seconds of processor time
(which other programs on the machine do not lengthen), peak memory of all its processes, rows per second, and the ratio to the bare sums.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from forecasting import facts
from forecasting.run import open_workspace
from forecasting.training_set import building, doubts
from made_facts import write
from project_copy import ProjectCopy

ROOT = Path(__file__).resolve().parents[1]
NAME = "facts"
STEPS = [
    (facts, "fingerprint"),
    (building, "inspect_facts"),
    (building, "run_dbt"),
    (doubts, "found"),
    (building, "export"),
]
SALES, STOCK = (f"read_parquet('{{folder}}/{table}/*.parquet')" for table in ("sales", "inventory"))
MONTHLY = {
    "sales by month": f"select region, product_category, date_trunc('month', order_date), sum(net_amount) from {SALES} group by all",
    "profit by month": "select region, product_category, date_trunc('month', order_date), sum(net_amount - cost_amount) "
    f"from {SALES} group by all",
    "stock at the months' ends": f"""with last as (
        select region, date_trunc('month', snapshot_date) as ds, max(snapshot_date) as day from {STOCK} group by all
    ) select region, product_category, ds, sum(quantity_on_hand * unit_cost)
    from {STOCK} as stock inner join last using (region) where snapshot_date = day group by all""",
}  # fmt: skip
CHECKED = {  # what the checks need: a product that is the sum of others, rows that stand twice, products counted in turns
    "sales by day": f"select region, product_category, order_date, count(*), sum(net_amount), sum(cost_amount) from {SALES} group by all",
    "sales by product and month": f"""select region, product_category, product, date_trunc('month', order_date), sum(net_amount)
    from {SALES} group by all""",
    "lines that stand twice": f"select hash(lines), count(*) from {SALES} as lines group by all having count(*) > 1",
    "lines alike in what is used": f"""select
        hash(order_date, region, product_category, product, quantity, net_amount, cost_amount), count(*)
    from {SALES} group by all having count(*) > 1""",
    "stock by product": f"""select region, product_category, product, snapshot_date, sum(quantity_on_hand) from {STOCK} group by all""",
}  # fmt: skip


class Watch:
    """The peak memory of this process and those it started, in MB, looked at ten times a second."""

    def __init__(self) -> None:
        self.peak = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            self.peak = max(self.peak, memory(os.getpid()) / 1024)
            time.sleep(0.1)


def memory(process: int) -> int:
    """Return how much memory a process and those it started take, in kB; 0 of one that has ended meanwhile."""
    place = Path("/proc") / str(process)
    try:
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
        children = [
            int(each) for task in (place / "task").iterdir() for each in (task / "children").read_text().split()
        ]
    except OSError:
        return 0
    return int(status.get("VmRSS", "0 kB").split()[0]) + sum(map(memory, children))


def processor_seconds() -> float:
    """Return the processor time that this process and those it has started have taken."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


@contextmanager
def measured(watch: Watch, step: str, into: list[dict[str, Any]]) -> Iterator[None]:
    """Add a row of what is done in a `with` block."""
    watch.peak, started, used = 0.0, time.perf_counter(), processor_seconds()
    yield
    row = {"step": step, "seconds": time.perf_counter() - started, "processor_seconds": processor_seconds() - used}
    time.sleep(0.1)
    into.append({**row, "peak_mb": watch.peak})


def timed(watch: Watch, do: Callable, into: list[dict[str, Any]]) -> Callable:
    """Return a function that does the same and adds a row."""

    def doing(*arguments: Any, **named: Any) -> Any:
        with measured(watch, do.__name__, into):
            return do(*arguments, **named)

    return doing


def built(root: Path, folder: Path) -> list[dict[str, Any]]:
    """Build the training sets of a company in a copy of the project, and once more; return a row per step, and per slow model of dbt."""
    rows: list[dict[str, Any]] = []
    watch, place = Watch(), open_workspace(root, NAME, "parquet", str(folder))
    for room, name in STEPS:
        setattr(room, name, timed(watch, getattr(room, name), rows))
    os.chdir(root)
    building.build(place, place.settings("sales"))
    total = {name: sum(row[name] for row in rows) for name in ("seconds", "processor_seconds")}
    rows.append({"step": "facts to training sets", **total, "peak_mb": max(row["peak_mb"] for row in rows)})
    results = json.loads((place.runs / "dbt" / "run_results.json").read_text(encoding="utf-8"))["results"]
    slow = sorted(results, key=lambda each: -each["execution_time"])[:12]
    rows += [
        {"step": f"dbt: {each['unique_id'].split('.', 2)[2][:60]}", "seconds": each["execution_time"]} for each in slow
    ]
    with measured(watch, "again, unchanged", rows):
        assert not building.build(place, place.settings("sales"))
    return rows


def bare(folder: Path, memory_limit: str) -> list[dict[str, Any]]:
    """Run the bare statements; return a row for each and one for all of each kind."""
    rows: list[dict[str, Any]] = []
    watch = Watch()
    with duckdb.connect(
        config={"threads": 2, "memory_limit": memory_limit, "temp_directory": str(folder / "spill")}
    ) as connection:
        for kind, statements in (("bare: by month", MONTHLY), ("bare: what the checks need", CHECKED)):
            own: list[dict[str, Any]] = []
            for name, sql in statements.items():
                with measured(watch, f"bare: {name}", own):
                    connection.execute(f"create or replace temp table result as {sql.format(folder=folder)}")
            sums = {key: sum(row[key] for row in own) for key in ("seconds", "processor_seconds")}
            rows += [*own, {"step": kind, **sums, "peak_mb": max(row["peak_mb"] for row in own)}]
    return rows


def in_a_process(*arguments: str) -> list[dict[str, Any]]:
    """Run a part of this file in a process of its own and return its rows."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(scratch: Path, n_rows: int, memory_limit: str) -> list[dict[str, Any]]:
    """Make the facts, build and compare; return all rows, with rows per second and ratios."""
    folder, copy = scratch / "made", ProjectCopy.of(ROOT, scratch / "project")
    (copy.path / f"params/workspaces/{NAME}.yml").write_text(f"memory_limit: {memory_limit}\n", encoding="utf-8")
    write(folder, n_rows, n_rows // 10)
    rows = in_a_process("--built", str(copy.path), str(folder)) + in_a_process("--bare", str(folder), memory_limit)
    by_step = {row["step"]: row for row in rows}
    months, checks = by_step["bare: by month"], by_step["bare: what the checks need"]
    for row in rows:
        row["rows_per_second"] = round(n_rows * 1.1 / row["seconds"])
    for name in ("seconds", "processor_seconds"):
        whole = by_step["facts to training sets"][name]
        by_step["facts to training sets"][f"{name}_ratio_to_months"] = whole / months[name]
        by_step["facts to training sets"][f"{name}_ratio_to_all"] = whole / (months[name] + checks[name])
    return rows


def main() -> None:
    """Measure, print and write the table."""
    if sys.argv[1] in ("--built", "--bare"):
        part, *given = sys.argv[1:]
        rows = built(*map(Path, given)) if part == "--built" else bare(Path(given[0]), given[1])
        print("\n" + json.dumps(rows))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--memory-limit", default="4GB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = measure(Path(scratch), options.rows, options.memory_limit)
    options.target.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with options.target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for row in rows:
            shown = {name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()}
            writer.writerow(shown)
            print(", ".join(f"{name} {value}" for name, value in shown.items()))


if __name__ == "__main__":
    main()
