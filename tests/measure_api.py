"""Puts load on the service as `make serve` runs it: `make load` prints the figures and keeps them as CSV.

50 callers with histories of their own ask the linear champion for six months ahead. An empty handler, in the same service and in a bare
one beside it, tells what the server itself costs here. Timing is measured here and asserted nowhere: it says something about a machine.
"""

import asyncio
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from waiting import PATIENCE, answers, free_port, until

ROOT = Path(__file__).resolve().parents[1]
CALLERS = 50
SECONDS = 30.0
WARM, MANY = 5_000, 50_000  # requests between which the memory is compared
COLUMNS = ["measure", "wanted", "measured"]


@dataclass
class Result:
    """What one load did: the seconds each answer took, and how many were not as they should be."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return len(self.latencies) / self.seconds

    def at(self, share: float) -> float:
        """Milliseconds within which this share of the requests was answered."""
        return 1000.0 * float(np.quantile(self.latencies, share))


def main(target: Path, seconds: float = SECONDS, many: int = MANY) -> None:
    """Measure and write the figures to `target`."""
    with tempfile.TemporaryDirectory() as scratch:
        data = made(Path(scratch))
        with serving("service", data) as (port, process):
            resident = [memory(process, port, number) for number in (WARM, many - WARM)]
            empty = load(port, [request("GET", "/empty")], seconds)
            predict = load(port, predictions(), seconds)
        with serving("bare", data) as (port, _):
            bare = load(port, [request("GET", "/empty")], seconds)
    growth = 100.0 * (resident[1] / resident[0] - 1.0)
    rows = [
        ("requests answered in a second", "", round(predict.per_second, 1)),
        ("errors", "0", predict.errors),
        ("answered within, 50 % (ms)", "", round(predict.at(0.5), 1)),
        ("answered within, 99 % (ms)", "500", round(predict.at(0.99), 1)),
        ("empty handler of the same service, requests in a second", "", round(empty.per_second, 1)),
        ("share of the empty handler's (%)", "50", round(100.0 * predict.per_second / empty.per_second, 1)),
        ("empty handler alone in a server, requests in a second", "", round(bare.per_second, 1)),
        ("share of the lone empty handler's (%)", "", round(100.0 * predict.per_second / bare.per_second, 1)),
        (f"memory after {WARM} requests (MiB)", "", round(resident[0] / 1024, 1)),
        (f"growth of memory over {many} requests (%)", "5", round(growth, 2)),
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    print(f"{os.cpu_count()} cores, {CALLERS} callers, {seconds:.0f} s")
    for name, wanted, measured in rows:
        print(f"{name:<60}{measured:>10}{f'   (wanted: {wanted})' if wanted else ''}")


def made(folder: Path) -> Path:
    """Make a company whose champion is the linear model, and return its data folder."""
    from served_company import ServedCompany

    found = ServedCompany.made(folder)
    found.fit("linear")
    found.publish("linear")
    return found.data


def serve(kind: str, data: Path, port: int) -> None:
    """Serve with an empty handler beside the others, or with nothing but it."""
    import uvicorn
    from fastapi import FastAPI

    from forecasting.api.__main__ import server_settings
    from forecasting.api.app import create_app

    app = create_app(data) if kind == "service" else FastAPI()

    @app.api_route("/empty", methods=["GET", "POST"])
    async def empty() -> dict:
        return {}

    uvicorn.run(app, host="127.0.0.1", port=port, **server_settings())


@contextmanager
def serving(kind: str, data: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """Run a server in a process of its own; yield its port and the process."""
    port = free_port()
    process = subprocess.Popen([sys.executable, __file__, "--serve", kind, str(data), str(port)], cwd=ROOT)
    try:
        until(lambda: answers(port), process)
        yield port, process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def predictions(many: int = 500) -> list[bytes]:
    """Return requests with different histories of three years."""
    rng = np.random.default_rng(0)
    months = [f"{year}-{month:02d}" for year in (2022, 2023, 2024) for month in range(1, 13)]
    season = 1.0 + 0.3 * np.sin(2 * np.pi * np.arange(36) / 12)
    return [
        request("POST", "/api/predict", {
            "domain": "sales", "months": months, "region": "North", "category": "Bikes",
            "history": np.round(1000.0 * season * rng.lognormal(0.0, 0.2, 36), 2).tolist(),
        })
        for _ in range(many)
    ]  # fmt: skip


def request(method: str, path: str, content: object = None) -> bytes:
    """Return a request as it goes over the wire; the connection is kept."""
    body = b"" if content is None else json.dumps(content).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def load(port: int, requests: list[bytes], seconds: float = 0.0, number: int = 0) -> Result:
    """Send requests from 50 connections for so many seconds, or so many of them."""
    end, left = time.perf_counter() + seconds, iter(range(number))
    return load_while(lambda: next(left, None) is not None if number else time.perf_counter() < end, port, requests)


def load_while(going_on: Callable[[], bool], port: int, requests: list[bytes]) -> Result:
    """Send requests from 50 connections; whether another one is sent is asked before each."""
    return asyncio.run(_load(going_on, port, requests))


async def _load(going_on: Callable[[], bool], port: int, requests: list[bytes]) -> Result:
    started = time.perf_counter()
    result = Result(0.0)
    await asyncio.gather(
        *(_caller(going_on, port, requests[each::CALLERS] or requests, result) for each in range(CALLERS))
    )
    result.seconds = time.perf_counter() - started
    return result


async def _caller(going_on: Callable[[], bool], port: int, requests: list[bytes], result: Result) -> None:
    """Ask, wait for the answer, ask again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    turn = 0
    while going_on():
        started = time.perf_counter()
        writer.write(requests[turn % len(requests)])
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.index(b"content-length:") + 15
        body = await reader.readexactly(int(head[length : head.index(b"\r\n", length)]))
        result.latencies.append(time.perf_counter() - started)
        result.errors += not head.startswith(b"http/1.1 200 ") or not body.startswith(b"{")
        turn += 1
    writer.close()
    await writer.wait_closed()


def memory(process: subprocess.Popen, port: int, number: int) -> int:
    """Return the server's resident memory in KiB after so many more requests."""
    load(port, predictions(), number=number)
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main(Path(sys.argv[1]), *(float(text) for text in sys.argv[2:3]), *(int(text) for text in sys.argv[3:4]))
