"""The HTTP service: what it answers, what it refuses, and how it goes on when a champion comes, goes or breaks."""

import concurrent.futures
import datetime as dt
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import httpx
import numpy as np
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import measure_api
from forecasting.api import limits, together
from forecasting.api.__main__ import is_loopback, main
from forecasting.api.app import create_app
from forecasting.api.hosts import AllowedHosts, listed
from forecasting.contracts import BOUNDS, QUANTILE_COLUMNS
from forecasting.ledger import Published
from forecasting.registry import versions as registry
from forecasting.serving import forecaster
from forecasting.serving.forecaster import SalesForecaster
from forecasting.serving.served_model import Series, ServedModel
from served_company import ServedCompany
from waiting import PATIENCE, answers, free_port, until

MONTHS = [f"{2021 + month // 12}-{month % 12 + 1:02d}" for month in range(36)]
HISTORY = [100.0 + 1.1 * month + 30.0 * (month % 12 == 11) + 1 / 3 for month in range(36)]
GOOD = {"domain": "sales", "months": MONTHS, "history": HISTORY}


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> ServedCompany:
    """A company whose champion is the linear model, and which has others."""
    found = ServedCompany.made(tmp_path_factory.mktemp("company"))
    found.fit("linear", "lightgbm")
    found.publish("lightgbm")
    found.publish("linear")
    return found


@pytest.fixture(scope="module")
def client(company) -> Iterator[TestClient]:
    """The service of the company, its errors answered as a server would."""
    with TestClient(create_app(company.data), raise_server_exceptions=False) as found:
        yield found


def problem(response: httpx.Response, status: int) -> dict:
    """Return the content of a problem, after checking that it is one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    content = response.json()
    assert content.keys() == {"type", "title", "status", "detail", "errors"} and content["status"] == status
    assert all(fault.keys() == {"where", "problem"} for fault in content["errors"])
    return content


# --- a forecast


def test_a_forecast_is_the_forecasters_to_the_last_digit(client, company):
    served = SalesForecaster.champion(company.data, "sales").served
    expected = served.forecast_series([Series(np.array(HISTORY), 12 * 53 + 11)], 4)[0]
    found = client.post("/api/predict", json=GOOD | {"horizon": 4, "region": "R0", "category": "C9"}).json()
    assert found["values"] == expected.points.tolist()
    assert found["months"] == ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    assert [each["level"] for each in found["intervals"]] == [80, 95]
    for each in found["intervals"]:
        for side, bound in (("lower", f"lo_{each['level']}"), ("upper", f"hi_{each['level']}")):
            assert each[side] == expected.quantiles[:, QUANTILE_COLUMNS.index(BOUNDS[bound])].tolist()
    assert found["interval_n"] == expected.interval_n.tolist() and found["is_fallback"] is False
    assert (found["region"], found["category"], found["domain"]) == ("R0", "C9", "sales")
    assert (found["model_name"], found["model_version"]) == ("linear", served.origin.version)
    assert found["run_id"] == served.origin.run_id


def test_intervals_and_horizon_are_as_asked_for(client):
    found = client.post("/api/predict", json=GOOD | {"intervals": [95], "horizon": 1}).json()
    assert len(found["values"]) == 1 and [each["level"] for each in found["intervals"]] == [95]
    assert client.post("/api/predict", json=GOOD | {"intervals": []}).json()["intervals"] == []
    assert len(client.post("/api/predict", json=GOOD).json()["values"]) == 6
    assert len(client.post("/api/predict", json=GOOD | {"horizon": 2.0}).json()["values"]) == 2  # JSON's 2.0 is 2


def test_a_younger_series_says_that_it_is_whole(client):
    young = GOOD | {"months": MONTHS[-20:], "history": HISTORY[-20:]}
    said = problem(client.post("/api/predict", json=young), 422)
    assert "linear looks at exactly 36 months; 20 were sent. Send the last 36, or set is_whole_series" in said["detail"]
    assert client.post("/api/predict", json=young | {"is_whole_series": True}).json()["is_fallback"] is False


def test_a_forecast_that_the_sign_policy_cut_says_so(client):
    honest = client.post("/api/predict", json=GOOD | {"intervals": []}).json()
    assert honest["was_cut"] == [False] * 6 and honest["warnings"] == []
    below = client.post("/api/predict", json=GOOD | {"history": [-value for value in HISTORY]}).json()
    assert below["values"] == [0.0] * 6 and below["was_cut"] == [True] * 6
    assert below["warnings"][0].startswith(
        "The forecast was below 0 in 6 of 6\N{NO-BREAK SPACE}months and was cut to 0 there, because sales"
    )
    near = GOOD | {"history": [value + 400.0 * (place % 7 == 3) for place, value in enumerate(HISTORY)]}
    found = client.post("/api/predict", json=near).json()
    cut = sum(bound == 0.0 for bound in found["intervals"][1]["lower"])
    assert found["was_cut"] == [False] * 6 and min(found["values"]) > 0 and cut > 0
    [said] = found["warnings"]
    assert said.startswith(f"A bound was below 0 in {cut} of 6\N{NO-BREAK SPACE}months and was cut to 0")
    assert client.post("/api/predict", json=near | {"intervals": []}).json()["warnings"] == []


def test_a_history_that_never_changes_has_the_interval_of_a_constant_and_a_cent_moves_no_bound_far(client):
    def bounds(history: list[float]) -> list[float]:
        found = client.post("/api/predict", json=GOOD | {"history": history}).json()
        return [bound for each in found["intervals"] for side in ("lower", "upper") for bound in each[side]]

    same, moved = bounds([5008.0] * 36), bounds([5008.0] * 35 + [5008.01])
    assert same == [5008.0] * 24
    assert max(abs(a - b) for a, b in zip(same, moved, strict=True)) < 1.0


def test_callers_at_the_same_time_get_what_each_gets_alone(client, monkeypatch):
    sizes, answer = [], together.answer
    monkeypatch.setattr(together, "answer", lambda group: sizes.append(len(group)) or answer(group))
    asked = [
        GOOD | {"history": [value * (1 + number) for value in HISTORY], "horizon": 1 + number % 2}
        for number in range(24)
    ]
    alone = [client.post("/api/predict", json=each).json() for each in asked]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda each: client.post("/api/predict", json=each).json(), asked * 4))
    assert found == alone * 4 and sum(sizes) == 24 * 5


def test_a_failure_reaches_everybody_who_asked_and_the_service_goes_on(client, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("forecasting.serving.served_model.models.forecast_each", lambda *_: 1 / 0)
        assert "its log says where" in problem(client.post("/api/predict", json=GOOD), 500)["detail"]
    assert client.post("/api/predict", json=GOOD).status_code == 200


def test_series_that_are_sent_together_get_what_each_gets_alone(client):
    """Whatever their lengths: more than a pass takes, and histories of two lengths."""
    young = {"months": MONTHS[-20:], "history": HISTORY[-20:], "is_whole_series": True}
    brought = [
        {"months": MONTHS, "history": [value * (1 + n) for value in HISTORY], "region": f"R{n}"} for n in range(70)
    ]
    brought = [*brought[:35], young, *brought[35:]]
    common = {"domain": "sales", "horizon": 4, "intervals": [95]}
    found = client.post("/api/predict/batch", json=common | {"series": brought})
    assert found.status_code == 200
    assert found.json() == {"forecasts": [client.post("/api/predict", json=common | each).json() for each in brought]}


@pytest.mark.parametrize(
    ("change", "where", "words"),
    [
        ({"months": [*MONTHS[:-1], MONTHS[0]]}, "series.1.months.35", "Series 1 (counted from 0)"),
        ({"history": HISTORY[:-1]}, "series.1.months", "36 months for 35 values"),
        ({"months": MONTHS[:7], "history": HISTORY[:7]}, "series.1.history", "7 were sent"),
        ({"history": ["1"] * 36}, "series.1.history.0", "valid number"),
        ({"horizon": 3}, "series.1.horizon", "not permitted"),
    ],
)
def test_one_series_at_fault_refuses_all_that_were_sent_with_it_and_is_named(client, change, where, words):
    series = {"months": MONTHS, "history": HISTORY}
    body = {"domain": "sales", "series": [series, series | change, series]}
    found = problem(client.post("/api/predict/batch", json=body), 422)
    assert found["errors"][0]["where"] == where and words in found["detail"]


def test_how_many_series_and_bytes_are_taken_at_once(client):
    series = {"months": MONTHS, "history": HISTORY}
    for many, where in ((0, "series"), (101, "series")):
        body = {"domain": "sales", "series": [series] * many}
        assert problem(client.post("/api/predict/batch", json=body), 422)["errors"][0]["where"] == where
    body = {"domain": "sales", "series": [series | {"region": "x" * 200}] * 100}
    assert (
        len(json.dumps(body)) > limits.LARGEST_BODY and client.post("/api/predict/batch", json=body).status_code == 200
    )
    for content in (b" " * (limits.LARGEST_BATCH + 1), iter([b" " * limits.LARGEST_BATCH, b" "])):
        found = client.post("/api/predict/batch", content=content, headers={"Content-Type": "application/json"})
        assert "larger than 1024 KiB" in problem(found, 413)["detail"]


def test_of_a_hundred_faulty_series_the_first_is_told(client):
    """To list all of their faults would keep everybody else waiting."""
    series = {"months": ["2021-01", "x", "y"], "history": [1.0, "a", 2.0]}
    body = {"domain": "sales", "series": [{"months": MONTHS, "history": HISTORY}, *[series] * 99]}
    found = problem(client.post("/api/predict/batch", json=body), 422)["errors"]
    assert [fault["where"] for fault in found] == ["series.1.months.1", "series.1.months.2", "series.1.history.1"]


@pytest.mark.parametrize("name", ["history", "domain", r"hist\u006fry", "region"])
def test_a_name_that_stands_twice_is_refused_and_a_value_like_a_name_is_not(client, name):
    series = {"months": MONTHS, "history": HISTORY, "region": "history"}
    alone = {"domain": "sales", **series}
    batch = {"domain": "sales", "series": [series, series]}
    for path, body in (("/api/predict", alone), ("/api/predict/batch", batch)):
        assert client.post(path, json=body).status_code == 200
    again = json.dumps(alone.get(name, HISTORY))
    twice = f'{json.dumps(alone)[:-1]}, "{name}": {again}}}'
    for path, text in (
        ("/api/predict", twice),
        ("/api/predict/batch", json.dumps(batch)[:-3] + f', "{name}": {again}}}]}}'),
    ):
        found = client.post(path, content=text, headers={"Content-Type": "application/json"})
        problem(found, 422)
    assert "twice" in client.post("/api/predict", content=twice, headers={"Content-Type": "application/json"}).text


# --- many callers of a model that takes its time


@pytest.fixture
def slow(company, monkeypatch) -> Iterator[tuple[TestClient, list[int], threading.Event]]:
    """The service with a model that is not quick: a client, the sizes of its passes, and what lets the first pass end."""
    sizes, go = [], threading.Event()
    compute = together.computed

    def computed(group):
        sizes.append(len(group))
        assert go.wait(PATIENCE)
        return compute(group)

    monkeypatch.setattr(together, "computed", computed)
    monkeypatch.setattr(ServedModel, "quick", False)
    with TestClient(create_app(company.data), raise_server_exceptions=False) as found:
        yield found, sizes, go
        go.set()


def waiting(client: TestClient) -> int:
    """How many wait for their turn."""
    return len(client.app.state.service.together["sales"]._queue)


def test_what_waits_is_computed_together_and_to_the_last_digit(client, slow):
    many, sizes, go = slow
    asked = [GOOD | {"history": [value * (1 + n) for value in HISTORY], "horizon": 1 + n % 2} for n in range(40)]
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        found = [pool.submit(lambda each: many.post("/api/predict", json=each).json(), each) for each in asked]
        until(lambda: waiting(many) + sum(sizes) == 40)
        go.set()
        assert [each.result() for each in found] == [client.post("/api/predict", json=each).json() for each in asked]
    assert sum(sizes[: len(sizes) - 40]) == 40 and len(sizes) - 40 < 20


def test_a_full_queue_refuses_with_the_time_to_ask_again(slow, monkeypatch):
    many, sizes, go = slow
    monkeypatch.setattr(together, "MOST_WAITING", 3)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = [pool.submit(many.post, "/api/predict", json=GOOD)]
        until(lambda: sizes)
        found += [pool.submit(many.post, "/api/predict", json=GOOD) for _ in range(3)]
        until(lambda: waiting(many) == 3)
        refused = many.post("/api/predict", json=GOOD)
        assert "3 requests are waiting already. Ask again in about 1 s." in problem(refused, 503)["detail"]
        assert refused.headers["retry-after"] == "1"
        go.set()
        assert [each.result().status_code for each in found] == [200] * 4
    assert many.post("/api/predict", json=GOOD).status_code == 200


def test_series_that_are_sent_together_find_room_in_the_queue_or_none_of_them_does(client, slow, monkeypatch):
    many, sizes, go = slow
    monkeypatch.setattr(together, "MOST_WAITING", 3)
    body = {"domain": "sales", "series": [{"months": MONTHS, "history": HISTORY}] * 3}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = [pool.submit(many.post, "/api/predict", json=GOOD)]
        until(lambda: sizes)
        found += [pool.submit(many.post, "/api/predict/batch", json=body)]
        until(lambda: waiting(many) == 3)
        problem(many.post("/api/predict/batch", json=body), 503)
        assert waiting(many) == 3
        go.set()
        alone, three = (each.result().json() for each in found)
    assert three == {"forecasts": [alone] * 3} and sizes == [1, 3]


def test_passes_grow_while_they_are_short_and_shrink_when_one_is_long():
    found = together.Together()
    passes = (64, 9.0, 32), (32, 1.2, 16), (9, 0.1, 16), (16, 0.4, 32), (1, 9.0, 16), (1, 9.0, 8), (8, 9.0, 8)
    for many, seconds, size in passes:
        found._measure(many, seconds)
        assert found._size == size
    for _ in range(9):
        found._measure(found._size, 0.01)
    assert found._size == together.MOST_TOGETHER


# --- what is refused


def without(name: str) -> dict:
    return {key: value for key, value in GOOD.items() if key != name}


def changed(name: str, place: int, value: object) -> dict:
    return GOOD | {name: [*GOOD[name][:place], value, *GOOD[name][place + 1 :]]}


@pytest.mark.parametrize(
    ("body", "where", "words"),
    [
        (without("domain"), "domain", "Field required"),
        (without("months"), "months", "Field required"),
        (without("history"), "history", "Field required"),
        (GOOD | {"domain": "slaes"}, "domain", "'sales', 'inventory' or 'profit'"),
        (GOOD | {"domian": "sales"}, "domian", "Extra inputs are not permitted"),
        (GOOD | {"history": HISTORY[1:]}, "months", "36 months for 35 values"),
        (GOOD | {"months": MONTHS[1:], "history": HISTORY[1:]}, "history", "exactly 36 months; 35 were sent"),
        (GOOD | {"months": [], "history": []}, "months", "at least 1 item"),
        (GOOD | {"months": MONTHS * 40, "history": HISTORY * 40}, "months", "at most 1200 items"),
        (changed("history", 3, None), "history.3", "valid number"),
        (changed("history", 3, "12"), "history.3", "valid number"),
        (changed("history", 3, True), "history.3", "valid number"),
        (changed("history", 3, [1.0]), "history.3", "valid number"),
        (changed("history", 3, 1e16), "history.3", "less than or equal to 1000000000000000"),
        (changed("history", 3, -(10**30)), "history.3", "greater than or equal"),
        (changed("months", 5, "2021-05"), "months.5", "2021-05 stands there twice"),
        (changed("months", 5, "2021-07"), "months.5", "1 month is missing between 2021-05 and 2021-07"),
        (changed("months", 5, "2021-06-02"), "months.5", "match pattern"),
        (changed("months", 5, "2021-13"), "months.5", "match pattern"),
        (changed("months", 5, "June 2021"), "months.5", "match pattern"),
        (changed("months", 5, 202106), "months.5", "valid string"),
        (GOOD | {"months": MONTHS[::-1]}, "months.1", "2023-11 comes after 2023-12"),
        (GOOD | {"horizon": 0}, "horizon", "greater than or equal to 1"),
        (GOOD | {"horizon": 7}, "horizon", "less than or equal to 6"),
        (GOOD | {"horizon": 2.5}, "horizon", "valid integer"),
        (GOOD | {"horizon": "3"}, "horizon", "valid integer"),
        (GOOD | {"horizon": True}, "horizon", "valid integer"),
        (GOOD | {"intervals": [80, 80]}, "intervals", "asked for twice"),
        (GOOD | {"intervals": [90]}, "intervals.0", "80 or 95"),
        (GOOD | {"region": ""}, "region", "at least 1 character"),
        (GOOD | {"region": "x" * 201}, "region", "at most 200 characters"),
        (GOOD | {"is_whole_series": "yes"}, "is_whole_series", "valid boolean"),
        ([GOOD], "body", "should be an object"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_request_is_said_with_its_place(client, body, where, words):
    said = problem(client.post("/api/predict", json=body), 422)
    assert where in [fault["where"] for fault in said["errors"]]
    assert words in " ".join(fault["problem"] for fault in said["errors"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"domain": "\\ud800"}', 400),
        (b"[" * 50_000, 400),
        (b"null", 422),
        (json.dumps(GOOD).replace("100.33333333333333", "NaN", 1).encode(), 422),
        (json.dumps(GOOD).replace("100.33333333333333", "-Infinity", 1).encode(), 422),
        (json.dumps(GOOD).replace("100.33333333333333", "1e400", 1).encode(), 422),
        (json.dumps(GOOD).replace("100.33333333333333", "9" * 5000, 1).encode(), 400),
        (b" " * (limits.LARGEST_BODY + 1), 413),
        ((b" " for _ in range(limits.LARGEST_BODY + 1)), 413),
        (b" " * limits.LARGEST_BODY, 400),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_a_body_that_is_no_json_or_no_numbers_or_too_large(client, body, status):
    found = client.post("/api/predict", content=body, headers={"Content-Type": "application/json"})
    said = problem(found, status)
    assert {400: "is no JSON", 413: "larger than 128 KiB", 422: "The request is not as described"}[status] in said[
        "detail"
    ]


def test_a_body_that_is_not_said_to_be_json(client):
    for headers in ({"Content-Type": "text/csv"}, {}):
        said = problem(client.post("/api/predict", content=b"1,2,3", headers=headers), 415)
        assert "Content-Type: application/json" in said["detail"]


def test_a_good_body_that_is_not_said_to_be_json(client):
    content = json.dumps(GOOD)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data", ""):
        refused = client.post("/api/predict", content=content, headers={"Content-Type": kind})
        assert "Content-Type: application/json" in problem(refused, 415)["detail"]
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        assert client.post("/api/predict", content=content, headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize(
    ("host", "is_answered"),
    [
        *((host, True) for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "10.0.0.7", "api:8000", "x.localhost")),
        *((host, True) for host in ("forecasts.example.com", "Forecasts.Example.com:443", "a.corp.example", "forecasts.example.com.")),
        *((host, False) for host in ("evil.example", "localhost.evil.example:8000", "127.0.0.1.evil.example", "corp.example", "")),
        *((host, False) for host in ("xforecasts.example.com", "1.2.3", "[evil.example]", "localhost:8000@evil.example", "a b", ".")),
    ],
)  # fmt: skip
def test_a_name_that_is_not_the_services_is_refused(host, is_answered):
    assert AllowedHosts(None, listed(" forecasts.example.com, *.corp.example")).allows(host) is is_answered
    assert AllowedHosts(None, listed("*")).allows(host)


def test_a_page_that_leads_its_own_name_here_reads_nothing(client, company):
    for path in ("/api/models", "/health", "/openapi.json", "/metrics"):
        said = problem(client.get(path, headers={"Host": "evil.example:8000"}), 400)
        assert "'evil.example:8000'" in said["detail"] and "FORECASTING_ALLOWED_HOSTS" in said["detail"]
        assert client.get(path, headers={"Host": "127.0.0.1:8000"}).status_code == 200
    with TestClient(create_app(company.data, hosts=("evil.example",))) as other:
        assert other.get("/health", headers={"Host": "evil.example:8000"}).status_code == 200


def test_addresses_and_methods_that_are_not_there(client):
    assert "/api/forecast; /openapi.json lists" in problem(client.get("/api/forecast"), 404)["detail"]
    refused = client.get("/api/predict")
    assert problem(refused, 405)["detail"] == "/api/predict does not take GET." and refused.headers["allow"] == "POST"


def test_a_domain_that_was_never_published(client):
    said = problem(client.post("/api/predict", json=GOOD | {"domain": "profit"}), 404)
    assert said["detail"] == "Nothing of profit has been published yet."
    assert "Nothing of profit" in problem(client.get("/api/forecasts?domain=profit"), 404)["detail"]
    assert "Nothing of profit" in problem(client.get("/api/accuracy?domain=profit"), 404)["detail"]


VALUES = st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from([MONTHS, HISTORY])
NAMES = st.sampled_from([*GOOD, "horizon", "intervals", "region"])


@settings(max_examples=150)
@given(st.recursive(VALUES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner)))
def test_no_body_whatever_is_the_servers_fault(client, body):
    found = client.post("/api/predict", content=json.dumps(body), headers={"Content-Type": "application/json"})
    problem(found, 422)


# --- what was published


def sql(company: ServedCompany, select: str) -> list[tuple]:
    """Ask the published database itself."""
    with duckdb.connect(str(company.data / "published.duckdb"), read_only=True) as connection:
        return connection.execute(select).fetchall()


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("", "true"),
        ("&region=R0", "region = 'R0'"),
        ("&region=R0&category=C1", "region = 'R0' and product_category = 'C1'"),
        ("&region=All&category=All", "aggregation = 'total'"),
        ("&aggregation=series&horizon=2", "aggregation = 'series' and horizon <= 2"),
        ("&category=All&aggregation=region", "aggregation = 'region'"),
    ],
)
def test_published_forecasts_are_the_databases(client, company, query, where):
    found = client.get(f"/api/forecasts?domain=sales{query}").json()
    columns = "aggregation, region, product_category, horizon, ds, predicted_value, lo_80, hi_80, lo_95, hi_95"
    rows = sql(company, f"select {columns} from forecasts where run_id = '{found['run_id']}' and {where} order by all")
    assert rows and rows == sorted(
        tuple(dt.date.fromisoformat(row["ds"]) if name == "ds" else row[name] for name in columns.split(", "))
        for row in found["forecasts"]
    )
    champion = sql(
        company, "select distinct run_id, model_name, model_version from forecasts join latest_runs using (run_id)"
    )
    assert champion == [(found["run_id"], found["model_name"], found["model_version"])]
    assert found["unit"] == "EUR" and found["published_at"].endswith("Z")


def test_what_was_published_is_read_once_for_each_publication(company, tmp_path, monkeypatch):
    data, asked, ask = shutil.copytree(company.data, tmp_path / "data"), [], Published.ask
    monkeypatch.setattr(Published, "ask", lambda self, sql, **params: asked.append(sql) or ask(self, sql, **params))
    with TestClient(create_app(data)) as client:
        paths = [
            f"/api/forecasts?domain=sales{rest}" for rest in ("", "&region=R0", "&category=C1&horizon=2", "&aggregation=total")
        ] + ["/api/accuracy?domain=sales"]  # fmt: skip
        first = [client.get(path).json() for path in paths]
        asked.clear()
        assert [client.get(path).json() for path in paths * 3] == first * 3 and asked == []
        with duckdb.connect(str(data / "published.duckdb")) as connection:
            connection.execute("update forecasts set predicted_value = predicted_value + 1")
        again = client.get(paths[0]).json()["forecasts"]
        assert [row["predicted_value"] - 1 for row in again] == pytest.approx(
            [row["predicted_value"] for row in first[0]["forecasts"]]
        )


def test_forecasts_as_of_a_day(client, company):
    runs = sql(company, "select run_id, published_at from publications order by published_at")
    for run_id, at in runs:
        assert client.get(f"/api/forecasts?domain=sales&as_of={at:%Y-%m-%d}").json()["run_id"] == run_id
    assert (
        "had been published by 2001-01-31"
        in problem(client.get("/api/forecasts?domain=sales&as_of=2001-01-31"), 404)["detail"]
    )


def test_accuracy_is_the_marts(client):
    found = client.get("/api/accuracy?domain=sales").json()
    assert [row["mae"] for row in found["accuracy"]] == [1 / 3, 1 / 3] and found["accuracy"][0]["rmse"] == 0.1 + 0.2
    assert [(row["n_series"], row["of_series"]) for row in found["accuracy"]] == [(1, 1), (1, 1)]
    only = client.get(
        "/api/accuracy?domain=sales&model_name=seasonal_naive&aggregation=total&forecast_kind=walk_forward"
    ).json()
    assert [(row["model_name"], row["mase"]) for row in only["accuracy"]] == [("seasonal_naive", None)]
    assert client.get("/api/accuracy?domain=sales&forecast_kind=published").json()["accuracy"] == []


def test_models_say_how_long_a_history_must_be(client, company):
    version = registry.champion(company.data, "sales")
    [found] = client.get("/api/models").json()["models"]
    assert (found["model_name"], found["window_size"], found["min_history"]) == ("linear", 36, 13)
    assert (found["model_version"], found["run_id"], found["problem"]) == (version.version, version.run_id, None)
    assert found["cutoff"] == "2023-12-01" and found["unit"] == "EUR" and found["allow_negative"] is False


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/forecasts", 422, "domain: Field required"),
        ("/api/forecasts?domain=sale", 422, "domain: Input should be"),
        ("/api/forecasts?domain=sales&domain=profit", 422, "given twice"),
        ("/api/forecasts?domain=sales&horizons=3", 422, "horizons: Extra inputs"),
        ("/api/forecasts?domain=sales&horizon=0", 422, "horizon: Input should be greater"),
        ("/api/forecasts?domain=sales&horizon=3.0", 422, "horizon: Input should be a valid integer"),
        ("/api/forecasts?domain=sales&horizon=%203", 422, "horizon: Input should be a valid integer"),
        ("/api/forecasts?domain=sales&as_of=2025-02-30", 422, "as_of: Input should be a valid date"),
        ("/api/forecasts?domain=sales&as_of=1700000000", 422, "as_of: Input should be a valid date"),
        ("/api/forecasts?domain=sales&region=Nord", 404, "There is no region 'Nord'; there are All, R0, R1."),
        ("/api/forecasts?domain=sales&category=%00", 422, "category: String should match"),
        ("/api/accuracy?domain=sales&forecast_kind=best", 422, "forecast_kind: Input should be"),
        ("/api/models?domain=sales", 422, "domain: Extra inputs"),
        ("/health?verbose=1", 422, "verbose: Extra inputs"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(client, path, status, words):
    assert words in problem(client.get(path), status)["detail"]


def test_a_published_file_that_is_none_is_said(company, tmp_path):
    data = shutil.copytree(company.data, tmp_path / "data")
    with TestClient(create_app(data), raise_server_exceptions=False) as found:
        (data / "published.duckdb").write_bytes(b"nothing of the sort" * 100)
        assert (
            "cannot be opened as a DuckDB database" in problem(found.get("/api/forecasts?domain=sales"), 503)["detail"]
        )
        assert found.post("/api/predict", json=GOOD).status_code == 200


# --- who may ask, and how the service is doing


def test_with_a_key_only_health_readiness_and_the_documentation_are_open(company):
    with TestClient(create_app(company.data, key="sesame é")) as found:
        assert found.get("/health").status_code == found.get("/ready").status_code == 200
        assert found.get("/v1/health").status_code == found.get("/v1/ready").status_code == 200
        for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "sesam"}, {"Authorization": "Bearer sesame"}):
            for path in ("/api/models", "/v1/models", "/metrics", "/v1/metrics", "/nowhere", "/docs/statics"):
                refused = found.get(path, headers=headers)
                assert "X-API-Key" in problem(refused, 401)["detail"] and refused.headers["www-authenticate"]
            assert found.post("/api/predict", json=GOOD, headers=headers).status_code == 401
        key = {"X-API-Key": "sesame é".encode()}
        assert found.post("/api/predict", json=GOOD, headers=key).status_code == 200


def test_metrics_count_requests_errors_and_tell_the_champion_and_its_age(company):
    with TestClient(create_app(company.data)) as found:
        found.post("/api/predict", json=GOOD)
        found.post("/api/predict", json=without("domain"))
        found.get("/nowhere/1")
        found.get("/nowhere/2")
        found.request("FETCH", "/nowhere/3")
        response = found.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    values = dict(re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", response.text, re.MULTILINE))
    assert values['forecasting_requests_total{method="POST",route="/api/predict",status="200"}'] == "1.0"
    assert values['forecasting_requests_total{method="POST",route="/api/predict",status="422"}'] == "1.0"
    assert values['forecasting_errors_total{route="/api/predict",status="422"}'] == "1.0"
    assert values['forecasting_requests_total{method="GET",route="other",status="404"}'] == "2.0"
    assert values['forecasting_requests_total{method="other",route="other",status="404"}'] == "1.0"
    assert values['forecasting_request_seconds_count{route="/api/predict"}'] == "2.0"
    assert 'forecasting_errors_total{route="/api/predict",status="200"}' not in values
    version = registry.champion(company.data, "sales")
    label = f'{{domain="sales",model_name="linear",run_id="{version.run_id}"}}'
    assert values[f"forecasting_champion_version{label}"] == f"{float(version.version)}"
    published = sql(company, "select max(published_at) from publications")[0][0].replace(tzinfo=dt.UTC)
    age = float(values['forecasting_newest_forecast_age_seconds{domain="sales"}'])
    assert age == pytest.approx((dt.datetime.now(dt.UTC) - published).total_seconds(), abs=60)
    assert values['forecasting_champion_not_loaded{domain="sales"}'] == "0.0"


def test_before_anything_is_published_the_service_is_up_and_says_so(tmp_path):
    with TestClient(create_app(tmp_path / "none")) as found:
        assert found.get("/health").json() == {"status": "alive"}
        assert "nothing has been published yet" in problem(found.get("/ready"), 503)["detail"]
        assert problem(found.post("/api/predict", json=GOOD), 404)["detail"].startswith(
            "Nothing has been published yet"
        )
        assert found.get("/api/models").json() == {"models": []} and found.get("/metrics").status_code == 200


def test_a_damaged_model_is_told_by_ready_while_the_one_before_answers(company, tmp_path, monkeypatch):
    monkeypatch.setattr("forecasting.api.service.LOOK_EVERY", 0.02)
    monkeypatch.setattr(forecaster, "LOOK_EVERY", 0.0)
    data = shutil.copytree(company.data, tmp_path / "data")
    file = registry.champion(data, "sales").folder / "model.json"
    good = file.read_bytes()
    with TestClient(create_app(data)) as found:
        assert found.get("/ready").json() == {"status": "ready", "domains": ["sales"]}
        before = found.post("/api/predict", json=GOOD).json()
        file.write_bytes(good[: len(good) // 2])
        said = problem(eventually(lambda: found.get("/ready"), 503), 503)
        assert "sales: The saved model in" in said["detail"] and "is damaged" in said["detail"]
        assert "The champion before it answers meanwhile" in said["detail"] and said["errors"][0]["where"] == "sales"
        assert found.post("/api/predict", json=GOOD).json() == before
        assert "is damaged" in found.get("/api/models").json()["models"][0]["problem"]
        assert 'forecasting_champion_not_loaded{domain="sales"} 1.0' in found.get("/metrics").text
        with TestClient(create_app(data)) as other:  # one that starts now has nothing before it
            assert "is damaged" in problem(other.get("/ready"), 503)["detail"]
            assert "is damaged" in problem(other.post("/api/predict", json=GOOD), 503)["detail"]
            assert other.get("/health").status_code == 200
        file.write_bytes(good)
        assert eventually(lambda: found.get("/ready"), 200).json()["domains"] == ["sales"]


def eventually(ask, status: int) -> httpx.Response:
    """Ask until the answer has this status, and return it."""
    return until(lambda: answer if (answer := ask()).status_code == status else None)


# --- what the document says


ALWAYS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
# How many good and bad cases; of the other operations there is one case of each.
CASES = {
    "POST /v1/predict": (1200, 160),
    "POST /v1/predict/batch": (20, 60),
    "GET /v1/forecasts": (150, 100),
    "GET /v1/accuracy": (100, 80),
    "GET /v1/models": (30, 20),
    "POST /api/predict": (200, 40),
}


def test_no_case_of_schemathesis_finds_a_5xx_or_anything_that_the_document_does_not_say(company):
    """What the document allows is answered as it says, what it forbids is refused."""
    schemathesis.checks.load_all_checks()
    counted = dict.fromkeys(("all", "answered"), 0)
    for mode, which in ((schemathesis.GenerationMode.POSITIVE, 0), (schemathesis.GenerationMode.NEGATIVE, 1)):
        app = create_app(company.data)
        if mode.is_positive:  # good cases get months that follow each other below: to make others costs half the time
            schemas = app.openapi()["components"]["schemas"]
            for name, month in (("PredictRequest", "ds"), ("UnversionedPredictRequest", "months")):
                schemas[name]["properties"][month] = {"enum": [MONTHS]}
        for found in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations():
            operation = found.ok()
            if number := CASES.get(operation.label, (1, 0))[which]:
                check_cases(operation, mode, number, counted)
    assert counted["all"] >= 2000 and counted["answered"] >= 900


def check_cases(operation, mode: schemathesis.GenerationMode, number: int, counted: dict[str, int]) -> None:
    """Send cases of one operation and mode and check the answers."""
    named = [*ALWAYS, "negative_data_rejection"] if mode.is_negative else ALWAYS
    checks = [schemathesis.checks.CHECKS.get_one(name) for name in named]

    @settings(max_examples=number, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(operation.as_strategy(mode))
    def check(case: schemathesis.Case) -> None:
        if mode.is_positive and operation.label in ("POST /v1/predict", "POST /api/predict"):
            case.body = with_months_that_follow(case.body)
        response = case.call_and_validate(checks=checks)
        counted["all"] += 1
        counted["answered"] += response.status_code == 200

    check()


def with_months_that_follow(body: dict) -> dict:
    """Give a history as many months as it takes, so that cases reach the model: a schema cannot say that months follow each other."""
    levels = list(dict.fromkeys(body.get("intervals", [])))
    month = "ds" if "ds" in body else "months"
    return body | {"domain": "sales", month: MONTHS, "history": (body["history"] * 36)[:36], "intervals": levels}


# --- a server of its own


@contextmanager
def server(data: Path, *arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run what `make serve` runs on a free port; yield its address and the process."""
    port = free_port()
    command = [sys.executable, "-m", "forecasting.api", "--data", str(data), "--port", str(port), *arguments]
    path = str(Path(__file__).resolve().parents[1] / "src")
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path, **environment}, stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: answers(port), process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


def test_a_server_serves_swaps_champions_without_a_failed_request_and_stops(company, tmp_path):
    with server(company.data, FORECASTING_API_KEY="", FORECASTING_ALLOWED_HOSTS="f.example") as (address, process):
        port = int(address.rpartition(":")[2])
        large = b"[" + b"1," * 5_000_000 + b"1]"  # the caller reads the refusal, not that the connection was reset
        for body in (large, (large[start : start + 65536] for start in range(0, len(large), 65536))):
            refused = httpx.post(f"{address}/api/predict", content=body, headers={"Content-Type": "application/json"})
            assert "larger than 128 KiB" in problem(refused, 413)["detail"] and refused.headers["connection"] == "close"
        for host, status in (("f.example", 200), ("g.example", 400)):
            assert httpx.get(f"{address}/health", headers={"Host": host}).status_code == status
        swapped = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            load = pool.submit(measure_api.load_while, lambda: not swapped.is_set(), port, measure_api.predictions(50))
            try:
                for name in ("lightgbm", "linear"):
                    run_id = company.publish(name)
                    until(lambda wanted=run_id: answering(address) == wanted, process)
            finally:
                swapped.set()
            result = load.result()
        assert result.errors == 0 and len(result.latencies) > 50
        assert httpx.get(f"{address}/ready", timeout=PATIENCE).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) in (0, 130, -signal.SIGINT)


@contextmanager
def slow_server(company: ServedCompany, folder: Path) -> Iterator[tuple[int, subprocess.Popen]]:
    """Run a server whose model takes its time: until `go` is in the folder. `passes` there has a line for each pass: its size."""
    script, port = folder / "slow.py", free_port()
    script.write_text(SLOW)
    process = subprocess.Popen(
        [sys.executable, str(script), str(company.data), str(port), str(folder / "passes")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: answers(port), process)
        yield port, process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def asking(port: int, text: bytes) -> socket.socket:
    """Send something and return the connection, without waiting for an answer."""
    caller = socket.create_connection(("127.0.0.1", port))
    caller.sendall(text)
    return caller


def is_answered(port: int, folder: Path) -> list[int]:
    """Let the model go on, see that the next caller is answered, and return the sizes of all passes."""
    (folder / "go").touch()
    response = httpx.post(f"http://127.0.0.1:{port}/api/predict", json=GOOD, timeout=PATIENCE)
    assert response.status_code == 200
    return [int(size) for size in (folder / "passes").read_text().split()]


def test_who_leaves_while_waiting_is_never_computed(company, tmp_path):
    """A model that takes its time, in a server of its own: 500 ask, wait and leave, and the next is answered."""
    with slow_server(company, tmp_path) as (port, process):
        asked = measure_api.predictions(1)[0]
        callers = [asking(port, asked) for _ in range(500)]
        until(lambda: (tmp_path / "passes").exists(), process)
        for caller in callers:
            caller.close()
        left = 500 - together.MOST_TOGETHER
        until(lambda: metric(port, 'status="499"') + metric(port, 'status="503"') > left, process)
        assert sum(is_answered(port, tmp_path)) <= together.MOST_TOGETHER + 1


def test_who_has_left_before_being_read_costs_no_more_than_being_read(company, tmp_path):
    """Nothing of what they sent is looked at, be it whole, bad or only half of it; and none of it is the server's fault."""
    with slow_server(company, tmp_path) as (port, process):
        asked = measure_api.predictions(1)[0]
        process.send_signal(signal.SIGSTOP)  # it cannot read before all have left
        for text in (asked, asked[:-1] + b"x", asked[:-100]) * 30:
            asking(port, text).close()
        process.send_signal(signal.SIGCONT)
        until(lambda: metric(port, 'status="499"') == 90, process)
        half = asking(port, asked[:-100])
        assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE).status_code == 200
        half.close()
        until(lambda: metric(port, 'status="499"') == 91, process)
        assert is_answered(port, tmp_path) == [1]
        assert metric(port, 'status="500"') == 0
        process.terminate()
        assert "Traceback" not in process.stderr.read()


SLOW = """
import sys, time
from pathlib import Path
import uvicorn
from forecasting.api import together
from forecasting.api.__main__ import server_settings
from forecasting.api.app import create_app
from forecasting.serving import ServedModel

compute, passes = together.computed, Path(sys.argv[3])

def computed(group):
    with passes.open("a") as file:
        file.write(f"{len(group)}\\n")
    while not passes.with_name("go").exists():
        time.sleep(0.02)
    return compute(group)

together.computed = computed
ServedModel.quick = False
uvicorn.run(create_app(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), **server_settings())
"""


def metric(port: int, label: str) -> float:
    """Return how many requests for forecasts were answered so far with a label."""
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE).text.splitlines()
    return sum(
        float(line.split()[-1]) for line in lines if line.startswith("forecasting_requests_total") and label in line
    )


def answering(address: str) -> str:
    """Return the run that answers now."""
    return httpx.post(f"{address}/api/predict", json=GOOD, timeout=PATIENCE).json()["run_id"]


def test_loopback_unless_told_otherwise(monkeypatch, tmp_path, caplog):
    started = []
    monkeypatch.setattr("uvicorn.run", lambda app, **options: started.append(options))
    monkeypatch.delenv("FORECASTING_API_KEY", raising=False)
    assert main(["--data", str(tmp_path)]) == 0
    assert (started[0]["host"], started[0]["port"]) == ("127.0.0.1", 8000) and caplog.text == ""
    main(["--data", str(tmp_path / "typo"), "--host", "0.0.0.0", "--port", "9"])
    assert (started[1]["host"], started[1]["port"]) == ("0.0.0.0", 9)
    assert "Set FORECASTING_API_KEY" in caplog.text and "typo is not there yet" in caplog.text
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "example.org")] == [
        True
    ] * 3 + [False] * 2
