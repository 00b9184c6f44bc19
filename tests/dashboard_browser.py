"""The real dashboard in a real browser: started as `make dashboard` does, opened without a network."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from browser import FLAGS, executable
from waiting import PATIENCE, free_port, until

SOURCES = Path(__file__).resolve().parents[1] / "src"
OUTSIDE = re.compile(r"(?:http|ws)s?://(?!127\.0\.0\.1)")


STARTED = ("-m", "forecasting.dashboard")


@contextmanager
def running(data: Path, log: Path, started: Sequence[str] = STARTED) -> Iterator[str]:
    """The dashboard as `make dashboard` starts it, until the end of the block; its address."""
    port = free_port()
    words = [sys.executable, *started, "--data", str(data), "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    with log.open("w") as stream:
        process = subprocess.Popen(words, stdout=stream, stderr=stream, env=environment)
    try:
        with httpx.Client(trust_env=False) as client:
            until(lambda: is_healthy(client, f"http://127.0.0.1:{port}/_stcore/health"), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def is_healthy(client: httpx.Client, address: str) -> bool:
    """Ask once."""
    try:
        return client.get(address).is_success
    except httpx.TransportError:
        return False


@contextmanager
def browser() -> Iterator[tuple[Page, list[str]]]:
    """A page of a browser, and the addresses outside this machine that it asked for."""
    outside: list[str] = []
    flags = [flag for flag in FLAGS if "host-resolver" not in flag] + [
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable(), args=flags)
        page = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True).new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("request", lambda request: outside.append(request.url) if OUTSIDE.match(request.url) else None)
        yield page, outside
        chromium.close()
