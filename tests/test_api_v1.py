"""The service by its addresses under /v1: one name for each thing, lists as they are wanted, the document, and pages of other addresses."""

import csv
import io
import itertools
import re
import shutil
from collections.abc import Iterator
from urllib.parse import urljoin

import duckdb
import httpx
import pytest
from fastapi.testclient import TestClient

from forecasting.api import schemas
from forecasting.api.__main__ import main
from forecasting.api.app import create_app
from forecasting.api.brought import BatchResponse, PredictResponse
from forecasting.api.cors import origins
from forecasting.errors import UserError
from served_company import ServedCompany

MONTHS = [f"{2021 + month // 12}-{month % 12 + 1:02d}" for month in range(36)]
HISTORY = [100.0 + 1.1 * month + 30.0 * (month % 12 == 11) + 1 / 3 for month in range(36)]
COMMON = {"domain": "sales", "history": HISTORY, "region": "R0", "horizon": 2}
GOOD = COMMON | {"ds": MONTHS, "product_category": "C9"}
BEFORE = COMMON | {"months": MONTHS, "category": "C9"}
LISTS = {
    "/v1/forecasts?domain=sales": ("forecasts", schemas.ForecastRow),
    "/v1/accuracy?domain=sales": ("accuracy", schemas.AccuracyRow),
    "/v1/models?": ("models", schemas.ServedInfo),
}
PAGE = "https://intranet.example.com"


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> ServedCompany:
    """A company whose champion is the linear model."""
    found = ServedCompany.made(tmp_path_factory.mktemp("company"))
    found.fit("linear")
    found.publish("linear")
    return found


@pytest.fixture(scope="module")
def client(company) -> Iterator[TestClient]:
    """The service of the company."""
    with TestClient(create_app(company.data), raise_server_exceptions=False) as found:
        yield found


def refused(response: httpx.Response, status: int = 422) -> tuple[str, list[str]]:
    """Return what a problem says, and the places that it names."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return response.json()["detail"], [fault["where"] for fault in response.json()["errors"]]


def table(response: httpx.Response) -> list[dict[str, str]]:
    """Return the rows of an answer in CSV."""
    assert response.status_code == 200 and response.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text)))


# --- one name for each thing


def test_a_forecast_has_the_databases_names_and_the_former_ones_where_it_had_them(client):
    found, former = (
        client.post(path, json=body).json() for path, body in (("/v1/predict", GOOD), ("/api/predict", BEFORE))
    )
    assert (found["ds"], found["product_category"]) == (["2024-01-01", "2024-02-01"], "C9")
    assert (former["months"], former["category"]) == (["2024-01-01", "2024-02-01"], "C9")
    assert not {"months", "category"} & found.keys() and not {"ds", "product_category"} & former.keys()
    renamed = {{"ds": "months", "product_category": "category"}.get(name, name): value for name, value in found.items()}
    assert renamed == former and len(found["values"]) == 2


def test_both_names_are_taken_by_every_address(client):
    for path in ("/v1/predict", "/api/predict"):
        assert client.post(path, json=GOOD).json() == client.post(path, json=BEFORE).json()
    series = [{name: body[name] for name in body if name not in ("domain", "horizon")} for body in (GOOD, BEFORE)]
    for path in ("/v1/predict", "/api/predict"):
        alone = client.post(path, json=GOOD).json()
        found = client.post(f"{path}/batch", json={"domain": "sales", "horizon": 2, "series": series})
        assert found.json() == {"forecasts": [alone, alone]}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (COMMON, "ds"),
        (COMMON | {"ds": ["x", *MONTHS[1:]]}, "ds.0"),
        (COMMON | {"months": ["x", *MONTHS[1:]]}, "months.0"),
        (COMMON | {"ds": [*MONTHS[:-1], MONTHS[0]]}, "ds.35"),
        (COMMON | {"ds": MONTHS[:-1]}, "ds"),
        (GOOD | {"product_category": ""}, "product_category"),
        (BEFORE | {"category": ""}, "category"),
        (GOOD | {"months": MONTHS}, "months"),
        (GOOD | {"category": "C9"}, "category"),
    ],
)
def test_a_fault_is_named_as_the_caller_wrote_it(client, body, where):
    assert refused(client.post("/v1/predict", json=body))[1] == [where]
    series = {name: value for name, value in body.items() if name not in ("domain", "horizon")}
    batch = {"domain": "sales", "series": [{"ds": MONTHS, "history": HISTORY}, series]}
    assert refused(client.post("/v1/predict/batch", json=batch))[1] == [f"series.1.{where}"]


def test_a_name_that_stands_twice_is_refused_by_either_name(client):
    for name in ("ds", "months"):
        text = httpx.Request("POST", "http://x", json=COMMON | {name: MONTHS}).content.decode()
        twice = f'{text[:-1]}, "{name}": ["2021-01"]}}'
        found = client.post("/v1/predict", content=twice, headers={"Content-Type": "application/json"})
        assert "stands twice" in refused(found)[0]


def test_published_rows_are_picked_by_either_name_but_not_by_both(client):
    found = client.get("/v1/forecasts?domain=sales&product_category=C1&region=R0")
    assert {row["product_category"] for row in found.json()["forecasts"]} == {"C1"}
    assert client.get("/v1/forecasts?domain=sales&category=C1&region=R0").text == found.text
    assert client.get("/api/forecasts?domain=sales&product_category=C1&region=R0").text == found.text
    both = client.get("/v1/forecasts?domain=sales&category=C1&product_category=C1")
    assert refused(both) == ("category is what product_category was called before: give one of them.", ["category"])
    assert "There is no category 'C7'" in refused(client.get("/v1/forecasts?domain=sales&product_category=C7"), 404)[0]


def test_what_has_no_version_answers_the_same(client):
    for path in LISTS:
        assert client.get(path).text == client.get(path.replace("/v1", "/api")).text
    for path in ("/health", "/ready"):
        assert client.get(f"/v1{path}").json() == client.get(path).json()
    for path in ("/v1/metrics", "/metrics"):
        counted = client.get(path).text
        assert all(f'method="GET",route="{prefix}/models",status="200"' in counted for prefix in ("/v1", "/api"))


def test_what_anybody_may_ask_for_is_counted_as_one(client):
    for path in ("/docs/static/none.js", "/docs/static/none.css", "/v1/none"):
        assert client.get(path).status_code == 404
    assert "none" not in client.get("/metrics").text


# --- lists as they are wanted


@pytest.mark.parametrize("path", LISTS)
def test_only_the_fields_that_are_wanted_in_their_order(client, path):
    name, row = LISTS[path]
    whole = client.get(path).json()
    for fields in (list(row.model_fields)[:4][::-1], ["domain", list(row.model_fields)[5], "run_id"]):
        found = client.get(f"{path}&fields={','.join(fields)}").json()
        assert [list(each) for each in found[name]] == [fields] * len(whole[name]) and found[name]
        beside = {each: value for each, value in whole.items() if each != name}
        assert found[name] == [{field: (beside | each)[field] for field in fields} for each in whole[name]]
        assert {each: value for each, value in found.items() if each != name} == beside


def test_a_field_that_is_none_is_refused_with_those_that_there_are(client):
    said, where = refused(client.get("/v1/forecasts?domain=sales&fields=ds,date"))
    assert said.startswith("There is no field 'date'; there are domain, run_id, unit, ") and where == ["fields"]
    assert all(name in said for name in schemas.ForecastRow.model_fields)
    assert "asked for twice" in refused(client.get("/v1/forecasts?domain=sales&fields=ds, ds"))[0]
    assert "There is no field ''" in refused(client.get("/v1/forecasts?domain=sales&fields=ds,"))[0]
    assert "There is no field 'ds'" in refused(client.get("/v1/models?fields=ds"))[0]


@pytest.mark.parametrize("more", ["", "&fields=ds,unit&product_category=All"])
def test_pages_lead_to_the_next_until_all_rows_were_given(client, more):
    path = f"/v1/forecasts?domain=sales{more}"
    whole, pages = client.get(path), [client.get(f"{path}&limit=7")]
    while "next" in pages[-1].links:
        pages.append(client.get(urljoin(str(pages[-1].url), pages[-1].links["next"]["url"])))
    rows = [page.json()["forecasts"] for page in pages]
    assert list(itertools.chain(*rows)) == whole.json()["forecasts"] and "link" not in whole.headers
    assert {len(page) for page in rows[:-1]} == {7} and 0 < len(rows[-1]) <= 7
    total = str(len(whole.json()["forecasts"]))
    assert {page.headers["x-total-count"] for page in [whole, *pages]} == {total}


def test_no_rows_lie_beyond_the_last(client):
    found = client.get("/v1/models?limit=1&offset=9")
    assert found.json() == {"models": []} and found.headers["x-total-count"] == "1" and "link" not in found.headers
    assert len(client.get("/v1/models?limit=1").json()["models"]) == 1
    assert client.get("/v1/models?offset=1").json() == {"models": []}


@pytest.mark.parametrize(
    "asked", ["limit=0", "limit=-1", "limit=1.5", "limit=", "offset=-1", "offset=x", "format=xml", "fields="]
)
def test_how_a_list_cannot_be_wanted(client, asked):
    assert refused(client.get(f"/v1/accuracy?domain=sales&{asked}"))[1] == [asked.partition("=")[0]]


# --- CSV


@pytest.mark.parametrize("path", LISTS)
def test_csv_has_every_digit_and_what_stands_beside_the_list(client, path):
    name, row = LISTS[path]
    whole = client.get(path).json()
    beside = {each: value for each, value in whole.items() if not isinstance(value, list)}
    found = table(client.get(f"{path}&format=csv"))
    assert list(found[0]) == [*beside, *row.model_fields] and len(found) == len(whole[name])
    for line, each in zip(found, whole[name], strict=True):
        for field, value in (beside | each).items():
            expected = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert line[field] == expected
            assert not isinstance(value, float) or float(line[field]) == value


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("text/csv", True), ("TEXT/CSV; charset=utf-8", True), ("text/csv, */*", True), ("text/csv, application/json;q=0.5", True),
        ("application/json, text/csv", False), ("text/csv;q=0.5, application/json", False), ("text/csv;q=0", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False), ("*/*", False), ("", False), ("text/csv;q=x", False),
    ],
)  # fmt: skip
def test_the_header_accept_asks_for_csv(client, accept, is_csv):
    found = client.get("/v1/models", headers={"Accept": accept})
    assert found.headers["content-type"].startswith("text/csv" if is_csv else "application/json")
    assert found.headers["vary"] == "Accept"
    for form, kind in (("json", "application/json"), ("csv", "text/csv")):
        assert (
            client.get(f"/v1/models?format={form}", headers={"Accept": accept}).headers["content-type"].startswith(kind)
        )


def test_a_page_of_some_fields_as_csv(client):
    found = client.get("/v1/forecasts?domain=sales&fields=ds,run_id&limit=2&format=csv")
    run_id = client.get("/v1/models").json()["models"][0]["run_id"]
    assert found.text == f"ds,run_id\n2024-01-01,{run_id}\n2024-02-01,{run_id}\n"
    assert found.links["next"]["url"] == "/v1/forecasts?domain=sales&fields=ds%2Crun_id&limit=2&format=csv&offset=2"
    assert found.headers["content-disposition"] == 'attachment; filename="forecasts.csv"'
    assert table(client.get("/v1/forecasts?domain=sales&offset=9999&format=csv")) == []


def test_no_text_in_csv_is_a_formula_and_json_has_the_very_text(company, tmp_path):
    data = shutil.copytree(company.data, tmp_path / "data")
    with duckdb.connect(str(data / "published.duckdb")) as connection:
        connection.execute("update forecasts set region = '=1+1' where region = 'R0'")
        connection.execute("update forecasts set predicted_value = -1.5 where region = '=1+1'")
    with TestClient(create_app(data)) as client:
        asked = "/v1/forecasts?domain=sales&region==1%2B1&fields=region,predicted_value"
        assert client.get(asked).json()["forecasts"][0] == {"region": "=1+1", "predicted_value": -1.5}
        assert table(client.get(f"{asked}&format=csv"))[0] == {"region": "'=1+1", "predicted_value": "-1.5"}


def test_forecasts_of_brought_series_come_as_csv_with_every_digit_a_row_for_each_month(client):
    sent = GOOD | {"intervals": [95]}
    whole = client.post("/v1/predict", json=sent).json()
    answered = client.post("/v1/predict?format=csv", json=sent)
    found = table(answered)
    beside = ["domain", "region", "product_category", "is_fallback", "model_name", "model_version", "run_id"]
    assert list(found[0]) == [*beside, "horizon", "ds", "predicted_value", "lo_95", "hi_95", "interval_n", "was_cut"]
    assert [line["ds"] for line in found] == whole["ds"] and [line["horizon"] for line in found] == ["1", "2"]
    assert [float(line["predicted_value"]) for line in found] == whole["values"]
    [interval] = whole["intervals"]
    assert [(float(line["lo_95"]), float(line["hi_95"])) for line in found] == list(
        zip(interval["lower"], interval["upper"], strict=True)
    )
    assert all(line["run_id"] == whole["run_id"] and line["is_fallback"] == "false" for line in found)
    assert answered.headers["content-disposition"] == 'attachment; filename="forecast.csv"'
    for headers, kind in (({"Accept": "text/csv"}, "text/csv"), ({"Accept": "application/json"}, "application/json")):
        assert client.post("/v1/predict", json=sent, headers=headers).headers["content-type"].startswith(kind)
        assert client.post("/v1/predict?format=json", json=sent, headers=headers).json() == whole


def test_a_batch_as_csv_says_which_series_a_row_is_of_and_no_text_is_a_formula(client):
    series = [
        {"ds": MONTHS, "history": [value + extra for value in HISTORY], "region": f"={extra}"} for extra in (0, 9)
    ]
    body = {"domain": "sales", "horizon": 2, "series": series}
    whole = client.post("/v1/predict/batch", json=body).json()["forecasts"]
    found = table(client.post("/v1/predict/batch?format=csv", json=body))
    assert [(line["series"], line["horizon"]) for line in found] == [("0", "1"), ("0", "2"), ("1", "1"), ("1", "2")]
    assert [line["region"] for line in found] == ["'=0", "'=0", "'=9", "'=9"] and whole[1]["region"] == "=9"
    assert [float(line["predicted_value"]) for line in found] == [value for each in whole for value in each["values"]]


def test_former_addresses_have_their_names_in_csv_and_other_forms_are_refused(client):
    [first, _] = table(client.post("/api/predict?format=csv", json=BEFORE))
    assert (first["months"], first["category"]) == ("2024-01-01", "C9") and not {
        "ds",
        "product_category",
    } & first.keys()
    for path in ("/v1/predict", "/v1/predict/batch"):
        assert refused(client.post(f"{path}?format=xml", json=GOOD))[1] == ["format"]


# --- the document


@pytest.fixture(scope="module")
def document(client) -> dict:
    return client.get("/openapi.json").json()


def test_operations_have_names_of_their_own_and_stand_in_groups(document):
    found = {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    names = {path: operation["operationId"] for (_, path), operation in found.items()}
    assert names == {
        "/v1/predict": "predict", "/v1/predict/batch": "predict_batch", "/v1/forecasts": "forecasts", "/v1/accuracy": "accuracy",
        "/v1/models": "models", "/v1/health": "health", "/v1/ready": "ready", "/v1/metrics": "metrics",
        "/api/predict": "predict_unversioned", "/api/predict/batch": "predict_batch_unversioned",
        "/api/forecasts": "forecasts_unversioned", "/api/accuracy": "accuracy_unversioned", "/api/models": "models_unversioned",
        "/health": "health_unversioned", "/ready": "ready_unversioned", "/metrics": "metrics_unversioned",
    }  # fmt: skip
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for operation in found.values() for tag in operation["tags"]} == tags
    assert all(
        (operation["tags"] == ["unversioned"]) is not path.startswith("/v1/") for (_, path), operation in found.items()
    )
    assert {path for (_, path), operation in found.items() if operation.get("deprecated")} == {
        path for path in names if path.startswith("/api/")
    }


def example(document: dict, path: str, kind: str = "application/json") -> tuple[dict | None, dict | str]:
    """Return what the document shows of a request's body, if it has one, and of its answer."""
    [operation] = document["paths"][path].values()
    sent = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    return sent, operation["responses"]["200"]["content"][kind]["example"]


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/predict/batch", "/api/predict", "/api/predict/batch"])
def test_what_is_shown_of_a_forecast_is_asked_and_answered_so(client, document, path):
    sent, shown = example(document, path)
    found = client.post(path, json=sent)
    assert found.status_code == 200

    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {name: shape(each) for name, each in value.items()}
        return [shape(each) for each in value] if isinstance(value, list) else type(value)

    assert shape(shown) == shape(found.json())
    head = client.post(f"{path}?format=csv", json=sent).text.partition("\n")[0]
    assert example(document, path, "text/csv")[1].partition("\n")[0] == head
    if path.startswith("/v1"):
        (BatchResponse if path.endswith("batch") else PredictResponse).model_validate(shown, strict=False)


def test_problems_are_shown_as_they_are(client, document):
    shown = document["paths"]["/v1/forecasts"]["get"]["responses"]["404"]["content"]["application/problem+json"][
        "example"
    ]
    found = client.get("/v1/forecasts?domain=profit").json()
    assert shown.keys() == found.keys() and (shown["status"], shown["title"]) == (found["status"], found["title"])


@pytest.mark.parametrize("path", LISTS)
def test_what_is_shown_of_a_list_has_all_its_fields(client, document, path):
    name, row = LISTS[path]
    address = path.partition("?")[0]
    _, shown = example(document, address)
    assert shown.keys() == client.get(path).json().keys()
    assert [set(each) for each in shown[name]] == [set(row.model_fields)] and row.model_validate(shown[name][0])
    head = client.get(f"{path}&format=csv&limit=1").text.partition("\n")[0]
    assert example(document, address, "text/csv")[1].partition("\n")[0] == head


def test_the_names_and_the_key_that_the_document_tells(document, company):
    described = document["components"]["schemas"]
    assert described["PredictRequest"]["required"] == ["domain", "ds", "history"]
    assert described["UnversionedPredictRequest"]["required"] == ["domain", "months", "history"]
    asked = {each["name"]: each for each in document["paths"]["/v1/forecasts"]["get"]["parameters"]}
    assert asked["category"]["deprecated"] and "deprecated" not in asked["product_category"]
    assert document["components"]["securitySchemes"]["key"]["name"] == "X-API-Key"
    assert document["paths"]["/v1/predict"]["post"]["security"] == [{}, {"key": []}]  # may be sent, need not
    with TestClient(create_app(company.data, key="k")) as client:
        found = client.get("/openapi.json").json()["paths"]
    for path, methods in found.items():
        for operation in methods.values():
            is_open = path.rpartition("/")[2] in ("health", "ready")
            assert (
                operation.get("security") == (None if is_open else [{"key": []}])
                and ("401" in operation["responses"]) is not is_open
            )


def test_every_reference_in_the_document_leads_somewhere(client, document):
    named = set(re.findall(r'"#/components/schemas/(\w+)"', client.get("/openapi.json").text))
    assert named and named <= set(document["components"]["schemas"])


# --- pages of other addresses


def test_no_page_of_another_address_reads_anything_unless_it_is_listed(company):
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key,content-type",
    }
    with TestClient(create_app(company.data, key="k")) as client:
        assert not [
            name for name in client.get("/health", headers={"Origin": PAGE}).headers if name.startswith("access-")
        ]
        assert client.options("/v1/predict", headers=asked).status_code == 401
    with TestClient(create_app(company.data, key="k", origins=[PAGE])) as client:
        allowed = client.options("/v1/predict", headers=asked)  # browsers ask without the key
        assert allowed.status_code == 200 and allowed.headers["access-control-allow-origin"] == PAGE
        assert "X-API-Key" in allowed.headers["access-control-allow-headers"]
        answer = client.get("/v1/models", headers={"Origin": PAGE, "X-API-Key": "k"})
        assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == PAGE
        assert "Link" in answer.headers["access-control-expose-headers"] and "Accept" in answer.headers["vary"]
        faulty = client.get("/v1/models", headers={"Origin": PAGE})  # the page reads why it was refused
        assert faulty.status_code == 401 and faulty.headers["access-control-allow-origin"] == PAGE
        for other in ("https://evil.example", f"{PAGE}.evil.example", "null"):
            assert client.options("/v1/predict", headers=asked | {"Origin": other}).status_code == 400
            assert "access-control-allow-origin" not in client.get("/health", headers={"Origin": other}).headers


def test_origins_are_a_scheme_and_a_host():
    assert origins(" https://Intranet.example.com, http://localhost:3000,http://[::1]:80 ,") == (
        PAGE, "http://localhost:3000", "http://[::1]:80",
    )  # fmt: skip
    assert origins("") == () and origins("*") == ("*",)
    for bad in (
        "intranet.example.com",
        f"{PAGE}/",
        f"{PAGE}/page",
        "https://*.example.com",
        "null",
        "ftp://x",
        f"{PAGE} {PAGE}",
    ):
        with pytest.raises(UserError, match=r"is not where a web page can come from\. Write a scheme and a host"):
            origins(f"http://localhost, {bad}")


def test_the_origins_are_a_setting_and_a_bad_one_stops_the_start_with_a_sentence(monkeypatch, tmp_path, capsys, caplog):
    started = []
    monkeypatch.setenv("FORECASTING_API_KEY", "")
    monkeypatch.setattr("uvicorn.run", lambda app, **options: started.append(app))
    monkeypatch.setenv("FORECASTING_CORS_ORIGINS", PAGE)
    assert main(["--data", str(tmp_path)]) == 0
    with TestClient(started[0]) as client:
        assert client.get("/health", headers={"Origin": PAGE}).headers["access-control-allow-origin"] == PAGE
    caplog.clear()
    monkeypatch.setenv("FORECASTING_CORS_ORIGINS", "*")
    assert main(["--data", str(tmp_path)]) == 0
    assert "List the pages in FORECASTING_CORS_ORIGINS, or set FORECASTING_API_KEY" in caplog.text
    monkeypatch.setenv("FORECASTING_CORS_ORIGINS", "intranet.example.com")
    assert main(["--data", str(tmp_path)]) == 2 and len(started) == 2
    assert "Error: FORECASTING_CORS_ORIGINS has 'intranet.example.com'" in capsys.readouterr().err
