"""Puts load on the service as `make serve` runs it: `make load` prints the figures and keeps them as CSV.

A small company with each family in turn as its champion, then the champions of a workspace, if it is there: 50 callers with histories of
their own ask for six months ahead at once, 500 ask and leave, and somebody asks alone. How long one pass over 50 series takes is measured
beside it, and how long one request with all 50 of them: where a pass is shorter than it takes to receive 50 requests, no server could
answer these within a few passes. For the linear model also what the server itself costs here: an empty handler, in the same service and
in a bare one beside it. Timing is measured here and asserted nowhere: it says something about a machine.
"""

import asyncio
import csv
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from waiting import PATIENCE, answers, free_port, until

if TYPE_CHECKING:
    from forecasting.serving import ServedModel
    from served_company import ServedCompany

ROOT = Path(__file__).resolve().parents[1]
CALLERS = 50
SECONDS = 30.0
WARM, MANY = 2_000, 20_000  # requests between which the memory is compared
ROUNDS = 3  # requests of each caller, the next as soon as the last is answered
ABANDONED = 500
FAMILIES = ("seasonal_naive", "linear", "lightgbm", "lightgbm_direct", "cnn_lstm", "auto_ets", "weighted")
COLUMNS = ["champion", "measure", "wanted", "measured"]
Rows = list[tuple[str, str, str, float]]


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


def main(target: Path, workspace: Path, seconds: float = SECONDS, many: int = MANY) -> None:
    """Measure a made-up company and the workspace, whose folder data/<name> is given, and write the figures to `target`."""
    print(f"{os.cpu_count()} cores, {CALLERS} callers")
    with tempfile.TemporaryDirectory() as scratch:
        company = made(Path(scratch))
        with serving("service", company.data) as (port, process):
            rows = shown(of_quick(port, process, seconds, many))
            for name in FAMILIES:
                company.publish(name)
                until(lambda wanted=name: served_name(port) == wanted, process)
                rows += shown(of_champion(port, company.data, "sales", name))
        with serving("bare", company.data) as (port, _):
            alone = load(port, [request("GET", "/empty")], seconds)
            rows += shown(
                [("linear", "empty handler alone in a server, requests in a second", "", round(alone.per_second, 1))]
            )
    if (workspace / "published.duckdb").exists():
        with serving("service", workspace) as (port, _):
            for domain in served_domains(port):
                rows += shown(of_champion(port, workspace, domain, f"{workspace.name}, {domain}"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def shown(rows: Rows) -> Rows:
    """Print rows and return them."""
    for champion, measure, wanted, measured in rows:
        print(f"{champion:<29}{measure:<58}{measured:>10}{f'   (wanted: {wanted})' if wanted else ''}", flush=True)
    return rows


def of_quick(port: int, process: subprocess.Popen, seconds: float, many: int) -> Rows:
    """Measure the service with the linear model as champion, which answers in the server's own loop."""
    resident = [memory(process, port, number) for number in (WARM, many - WARM)]
    empty = load(port, [request("GET", "/empty")], seconds)
    predict = load(port, predictions(), seconds)
    published = load(port, [request("GET", f"/api/forecasts?domain=sales&horizon={n}") for n in range(1, 7)], seconds)
    rows = [
        ("requests answered in a second", "", round(predict.per_second, 1)),
        ("errors", "0", predict.errors + published.errors),
        ("answered within, 50 % (ms)", "", round(predict.at(0.5), 1)),
        ("answered within, 99 % (ms)", "500", round(predict.at(0.99), 1)),
        ("empty handler of the same service, requests in a second", "", round(empty.per_second, 1)),
        ("share of the empty handler's (%)", "50", round(100.0 * predict.per_second / empty.per_second, 1)),
        ("GET /api/forecasts, requests in a second", "200", round(published.per_second, 1)),
        (f"memory after {WARM} requests (MiB)", "", round(resident[0] / 1024, 1)),
        (f"growth of memory over {many} requests (%)", "5", round(100.0 * (resident[1] / resident[0] - 1.0), 2)),
    ]
    return [("linear", *row) for row in rows]


def of_champion(port: int, data: Path, domain: str, label: str) -> Rows:
    """Measure a champion: many callers at once, many who leave, and how long a pass and one alone take."""
    from forecasting.serving import SalesForecaster

    served = SalesForecaster.champion(data, domain).served
    asked = predictions(CALLERS, served.window_size or 60, domain)
    whole, batch, alone = one_pass(served), by_itself(port, as_one(asked)), by_itself(port, asked[0])
    together = load(port, asked, number=ROUNDS * CALLERS)
    after = after_abandoned(port, asked)
    longest = max(together.latencies)
    rows = [
        ("errors", "0", together.errors + after.errors + batch.errors + alone.errors),
        (f"one pass over {CALLERS} series (s)", "", round(whole, 3)),
        (f"one request with {CALLERS} series (s)", "", round(batch.at(0.5) / 1000.0, 3)),
        (f"longest wait of {CALLERS} callers (s)", "", round(longest, 3)),
        ("longest wait, in passes", "3", round(longest / whole, 2)),
        (f"longest wait, in requests with {CALLERS} series", "", round(longest / batch.at(0.5) * 1000.0, 2)),
        ("requests answered in a second", "", round(together.per_second, 1)),
        ("one alone (s)", "", round(alone.at(0.5) / 1000.0, 3)),
        (f"one right after {ABANDONED} that were abandoned (s)", "", round(after.seconds, 3)),
    ]
    return [(f"{label}: {served.name}" if label != served.name else label, *row) for row in rows]


def one_pass(served: "ServedModel", times: int = 3) -> float:
    """Return the seconds that a model takes for all callers' series in one pass, the middle one of three."""
    from forecasting.serving import checked_series

    bodies = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in predictions(CALLERS, served.window_size or 60)]
    asked = [checked_series(body["months"], body["history"]) for body in bodies]
    found = []
    for _ in range(times + 1):  # the first one warms up
        started = time.perf_counter()
        served.forecast_series(asked, 6)
        found.append(time.perf_counter() - started)
    return sorted(found[1:])[times // 2]


def after_abandoned(port: int, requests: list[bytes]) -> Result:
    """Send many requests whose callers leave at once, and then one whose caller waits."""
    for number in range(ABANDONED):
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(requests[number % len(requests)])
    return load(port, requests[:1], number=1, callers=1)


def by_itself(port: int, asked: bytes, times: int = 5) -> Result:
    """Send a request again and again while nobody else asks."""
    return load(port, [asked], number=times, callers=1)


def as_one(requests: list[bytes]) -> bytes:
    """Return one request for the series of many."""
    bodies = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in requests]
    series = [{name: body[name] for name in ("months", "history", "region", "category")} for body in bodies]
    return request("POST", "/api/predict/batch", {"domain": bodies[0]["domain"], "series": series})


def made(folder: Path) -> "ServedCompany":
    """Make a company with a model of every family, whose champion is the linear one."""
    from served_company import ServedCompany

    found = ServedCompany.made(folder)
    found.fit(*FAMILIES)
    found.publish("linear")
    return found


def get(port: int, path: str) -> dict:
    """Return what an address answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        return json.load(answer)


def served_name(port: int) -> str:
    """Return the name of the model that answers for sales."""
    return next(each["model_name"] for each in get(port, "/api/models")["models"] if each["domain"] == "sales")


def served_domains(port: int) -> list[str]:
    """Return the domains that are served."""
    return [each["domain"] for each in get(port, "/api/models")["models"]]


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


def predictions(many: int = 500, months: int = 36, domain: str = "sales") -> list[bytes]:
    """Return requests with different histories of so many months."""
    rng = np.random.default_rng(0)
    names = [f"{2024 - back // 12}-{12 - back % 12:02d}" for back in reversed(range(months))]
    season = 1.0 + 0.3 * np.sin(2 * np.pi * np.arange(months) / 12)
    return [
        request("POST", "/api/predict", {
            "domain": domain, "months": names, "region": "North", "category": "Bikes",
            "history": np.round(1000.0 * season * rng.lognormal(0.0, 0.2, months), 2).tolist(),
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


def load(port: int, requests: list[bytes], seconds: float = 0.0, number: int = 0, callers: int = CALLERS) -> Result:
    """Send requests from so many connections for so many seconds, or so many of them."""
    end, left = time.perf_counter() + seconds, iter(range(number))
    return load_while(
        lambda: next(left, None) is not None if number else time.perf_counter() < end, port, requests, callers
    )


def load_while(going_on: Callable[[], bool], port: int, requests: list[bytes], callers: int = CALLERS) -> Result:
    """Send requests from so many connections; whether another one is sent is asked before each."""
    return asyncio.run(_load(going_on, port, requests, callers))


async def _load(going_on: Callable[[], bool], port: int, requests: list[bytes], callers: int) -> Result:
    started = time.perf_counter()
    result = Result(0.0)
    await asyncio.gather(
        *(_caller(going_on, port, requests[each::callers] or requests, result) for each in range(callers))
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
        main(
            Path(sys.argv[1]),
            Path(sys.argv[2]),
            *(float(text) for text in sys.argv[3:4]),
            *(int(text) for text in sys.argv[4:5]),
        )
