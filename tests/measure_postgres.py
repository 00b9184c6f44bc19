"""Measures how fast SOURCE=postgres reads order lines, beside `COPY … TO` of the same rows, in one run on one server that it starts itself.

`python tests/measure_postgres.py out.csv --lines 5000000` writes a row per way of reading: the median of several rounds, in which the
ways take turns, and its ratio to COPY … TO the client.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from forecasting.facts.sources.postgres import SOURCE
from forecasting.facts.sources.postgres.server import DSN
from postgres_server import HOW_TO_GET_ONE, PostgresServer, programs

MAKE = """create table lines (line_id bigint primary key, order_date date, region text, product_category text, product text,
    quantity integer, net_amount numeric(12, 2), cost_amount numeric(12, 2))"""
FILL = """insert into lines select i, date '2018-01-01' + (i % 2500)::integer, 'Region ' || i % 7, 'Category ' || i % 11,
    'Product ' || i % 997, i % 20, (i % 100000) / 100.0, (i % 70000) / 100.0 from generate_series(1, {lines}) as i"""
SETTINGS = {
    "columns": {},
    "levels": {},
    "time_zone": None,
    "postgres": {"sales": {"table": "lines", "new_rows": "line_id"}},
}
ROUNDS = 3


def seconds(do: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def copy_to(server: PostgresServer) -> None:
    """Have psql copy all lines to a file that keeps nothing."""
    subprocess.run([server.programs / "psql", "-q", server.dsn(), "-c", r"\copy lines to '/dev/null'"], check=True)


def measure(server: PostgresServer, n_lines: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round, by way of reading."""
    with server.connect() as owner:
        owner.execute(MAKE)
        owner.execute(FILL.format(lines=n_lines))
        owner.execute("vacuum analyze lines")
    os.environ[DSN] = server.dsn()
    found: dict[str, list[float]] = {"COPY … TO": [], "first read": [], "nothing new": [], "1 % new": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as scratch:
            found["COPY … TO"].append(seconds(lambda: copy_to(server)))
            found["first read"].append(seconds(lambda: SOURCE.bring(Path(scratch), SETTINGS, "")))
            found["nothing new"].append(seconds(lambda: SOURCE.bring(Path(scratch), SETTINGS, "")))
            with server.connect() as owner:
                first, last = owner.execute(
                    "select max(line_id) + 1, max(line_id) + greatest(count(*) / 100, 1) from lines"
                ).fetchone()
                owner.execute(FILL.format(lines=last).replace("generate_series(1,", f"generate_series({first},"))
            found["1 % new"].append(seconds(lambda: SOURCE.bring(Path(scratch), SETTINGS, "")))
            with server.connect() as owner:
                owner.execute(f"delete from lines where line_id > {n_lines}")
    return found


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if (folder := programs()) is None:
        sys.exit(f"It {HOW_TO_GET_ONE}.")
    server = PostgresServer(folder)
    try:
        with psycopg.connect(server.dsn()) as connection:
            version = connection.info.server_version
        found = measure(server, options.lines, options.rounds)
    finally:
        server.close()
    medians = {way: statistics.median(times) for way, times in found.items()}
    options.target.parent.mkdir(parents=True, exist_ok=True)
    with options.target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["lines", "server_version", "way", "seconds", "ratio_to_copy"])
        for way, value in medians.items():
            ratio = value / medians["COPY … TO"]
            writer.writerow([options.lines, version, way, f"{value:.2f}", f"{ratio:.2f}"])
            print(
                f"{way:<12} {value:7.2f} s   {ratio:5.2f} × COPY … TO   ({', '.join(f'{each:.2f}' for each in found[way])})"
            )


if __name__ == "__main__":
    main()
