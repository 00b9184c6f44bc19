"""How fast shards are done here, in the pool and on a cluster of two nodes, and whether the bits are the same: a table of seconds.

    python tests/measure_engine.py runs/benchmark/engine.csv [--series 1000] [--models dynamic_optimized_theta]

The pool and the cluster have two cores each, and each of them does all shards `--rounds` times, in turns, so that what else the machine
does hits both alike; the least time of each counts. The start of processes is in the pool's time as it is in a run's; that of the cluster
is not, because a cluster is there.
"""

import argparse
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

import local_cluster
from forecasting import evaluation, models
from forecasting.engine import Engine
from forecasting.evaluation import many
from many_series import many_series

CUTOFFS = 6


def main() -> None:
    """Measure and write the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("target", type=Path)
    asked.add_argument("--series", type=int, default=1000)
    asked.add_argument("--months", type=int, default=60)
    asked.add_argument("--models", default="dynamic_optimized_theta")
    asked.add_argument("--rounds", type=int, default=2)
    options = asked.parse_args()
    train = many_series(options.series, months=options.months, regions=max(options.series // 200, 2))
    months = train["ds"].drop_duplicates().sort_values()
    cutoffs = list(months.iloc[-CUTOFFS - 1 : -1])
    engines = {"here": Engine(), "pool": Engine("local", processes=2)}
    if find_spec("ray") is not None:
        engines["ray"] = Engine("ray", local_cluster.ADDRESS)
    nodes = [] if "ray" not in engines or local_cluster.answers() else local_cluster.start()
    try:
        rows = [
            row for name in options.models.split(",") for row in measured(name, train, cutoffs, engines, options.rounds)
        ]
    finally:
        local_cluster.stop(nodes)
    options.target.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows)
    table.to_csv(options.target, index=False)
    print(table.to_string(index=False))


def measured(name: str, train: pd.DataFrame, cutoffs: list, engines: dict[str, Engine], rounds: int) -> list[dict]:
    """Walk forward with a model on each engine; return the least seconds of each and whether all said the same."""
    model, seconds, said = models.get(name)(), {}, {}
    for number in range(rounds):
        for where, engine in engines.items():
            if where == "here" and number:
                continue
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                said[where] = evaluation.walk_forward(
                    model,
                    train,
                    "sales",
                    cutoffs,
                    engine=Engine(engine.kind, engine.address, engine.processes, Path(folder)),
                )
                took = time.perf_counter() - started
            print(f"{name}, {where}: {took:.1f} s", flush=True)
            seconds[where] = min(seconds.get(where, float("inf")), took)
    return [
        {
            "model": name,
            "engine": where,
            "series": train["unique_id"].nunique(),
            "cutoffs": len(cutoffs),
            "shard_size": many.shard_size(train["unique_id"].nunique(), engines[where]),
            "seconds": round(seconds[where], 1),
            "series_per_second": round(train["unique_id"].nunique() / seconds[where], 1),
            "speed_of_pool": round(seconds["pool"] / seconds[where], 2),
            "same_bits": said[where].equals(said["here"]),
        }
        for where in engines
    ]


if __name__ == "__main__":
    main()
