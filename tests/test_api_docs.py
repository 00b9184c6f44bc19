"""The service's page of documentation, in a real browser without the internet: it shows every operation, takes the key and asks with it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from browser import FLAGS, HOW_TO_GET_ONE, executable
from made_once import made_once
from made_published import build
from waiting import PATIENCE, answers, free_port, until

KEY = "sesame"
LOOPBACK_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """A server that wants a key, of a company with published forecasts."""
    data, port = tmp_path_factory.mktemp("made"), free_port()
    (data / "published.duckdb").symlink_to(made_once("published file of 450 series", lambda new: build(new, 450)))
    process = subprocess.Popen(
        [sys.executable, "-m", "forecasting.api", "--data", str(data), "--port", str(port)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src"), "FORECASTING_API_KEY": KEY},
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: answers(port), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_the_page_names_only_files_of_the_service_itself(address):
    page = httpx.get(f"{address}/docs", timeout=PATIENCE)
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(files) == 3 and "://" not in page.text
    for file in files:
        assert httpx.get(urljoin(f"{address}/docs", file), timeout=PATIENCE).status_code == 200


def test_a_person_sees_every_operation_gives_the_key_and_gets_an_answer(address):
    if executable() is None:
        pytest.skip(HOW_TO_GET_ONE)
    flags = [flag for flag in FLAGS if not flag.startswith("--host-resolver-rules")]
    operations = sum(map(len, httpx.get(f"{address}/openapi.json", timeout=PATIENCE).json()["paths"].values()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*flags, LOOPBACK_ONLY])
        page, asked, problems = browser.new_page(), [], []
        expect.set_options(timeout=1000 * PATIENCE)
        page.set_default_timeout(1000 * PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/docs")
        expect(page.locator(".opblock")).to_have_count(operations)
        assert problems == []

        forecasts = page.locator("#operations-published-forecasts")
        forecasts.locator(".opblock-summary-control").click()
        forecasts.get_by_role("button", name="Try it out").click()
        forecasts.locator("tr[data-param-name=domain] select").select_option("sales")
        forecasts.locator("tr[data-param-name=limit] input").fill("2")
        forecasts.get_by_role("button", name="Execute").click()
        status = forecasts.locator(".live-responses-table .response .response-col_status")
        expect(status).to_contain_text("401")

        page.locator(".auth-wrapper .authorize").first.click()
        page.locator(".auth-container input").fill(KEY)
        page.locator(".auth-container .authorize").click()
        page.locator(".auth-container .btn-done").click()
        forecasts.get_by_role("button", name="Execute").click()
        expect(status).to_contain_text("200")
        expect(forecasts.locator(".live-responses-table .response-col_description").last).to_contain_text("Shop 0000")
        assert [url for url in asked if not url.startswith((f"{address}/", "data:"))] == []
        browser.close()
