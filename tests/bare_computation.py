"""The computation of a finished run alone, in one process: what `make report` would take if nothing but computing took time.

`python bare_computation.py <project> <workspace>` prints wall and processor seconds. It executes dbt's SQL and the code of the executed
notebooks, one after the other, in a copy of the workspace: without kernels, charts, MLflow, publishing or pages.
"""

import contextlib
import importlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
from graphlib import TopologicalSorter
from pathlib import Path
from unittest import mock

QUIET = ("plots", "registry", "tables")  # rooms whose functions do nothing here


def main(project: Path, name: str) -> None:
    """Print how long the computation of a workspace's last run takes, in seconds of wall time and of processor time."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(project / "runs" / name, Path(folder) / "runs"))
        warehouse = shutil.copy2(
            project / "data" / name / "warehouse.duckdb", folder
        )  # with the ledger, which views read
        started, used = time.perf_counter(), time.process_time()
        build_sql(copy / "dbt" / "manifest.json", warehouse)
        with contextlib.ExitStack() as stack:
            for room in QUIET:
                stack.enter_context(without_functions(f"forecasting.{room}"))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            for first in sorted(copy.glob("*/10_check_data.ipynb")):
                for notebook in sorted(first.parent.glob("[0-9]*.ipynb")):
                    execute(notebook)
    print(f"{time.perf_counter() - started:.2f} {time.process_time() - used:.2f}")


def build_sql(manifest: Path, database: Path) -> None:
    """Build every model of dbt again and run the tests of the data, from the SQL that dbt compiled."""
    import duckdb

    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    order = TopologicalSorter({name: set(node["depends_on"]["nodes"]) & set(nodes) for name, node in nodes.items()})
    with duckdb.connect(str(database), config={"threads": 2}) as connection:
        for name in order.static_order():
            node = nodes[name]
            if node["resource_type"] == "model":
                kind = node["config"]["materialized"]
                connection.execute(f"create or replace {kind} {node['relation_name']} as {node['compiled_code']}")
            elif node["resource_type"] == "test":
                connection.execute(node["compiled_code"]).fetchall()


def without_functions(room: str) -> mock._patch:
    """Return a patch after which the functions that a room gives do nothing."""
    module = importlib.import_module(room)
    names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    return mock.patch.multiple(module, **{name: mock.MagicMock() for name in names})


def execute(notebook: Path) -> None:
    """Execute the code of an executed notebook, its parameters as papermill set them, in its own folder; what it shows is not shown."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    os.chdir(notebook.parent)
    names = {"display": lambda *shown: None}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), notebook.name, "exec"), names)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
