"""A single series of very many is looked up: the ledger's reader, the API and the dashboard answer as if all had been read."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from forecasting.api import shelf
from forecasting.api.app import create_app
from forecasting.dashboard import selection
from forecasting.dashboard.__main__ import SERVER
from forecasting.dashboard.finding import MOST, matching
from forecasting.dashboard.source import Workspace
from forecasting.dashboard.supposing import forecast_of
from forecasting.ledger import Published
from forecasting.planning import load_baseline
from forecasting.run import first_rows, largest_rows
from forecasting.wording.numbers import compact
from made_once import made_once
from made_published import build
from published_tables import query
from waiting import PATIENCE

CHOSEN = [
    ("All", "All"),
    ("Shop 0001", "All"),
    ("All", "Product 007"),
    ("Shop 0001", "Product 123"),
    ("Shop 0002", "Product 049"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A workspace's folder with a published file of 450 series."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "published.duckdb").symlink_to(made_once("published file of 450 series", lambda new: build(new, 450)))
    return folder


@pytest.mark.parametrize(("region", "category"), CHOSEN)
def test_one_of_many_is_what_is_found_among_all(data, region, category):
    published = Published(data / "published.duckdb")
    whole, some = published.domain("sales"), published.domain("sales", whole=False)
    one = published.only(some, region, category)
    expected, found = (selection.select(domain, region, category) for domain in (whole, one))
    pd.testing.assert_frame_equal(found.rows, expected.rows, check_dtype=False)
    assert len(found.rows) == 66 and set(one.actuals["region"]) == {region}


def test_of_a_name_that_is_none_nothing_is_found(data):
    published = Published(data / "published.duckdb")
    one = published.only(published.domain("sales", whole=False), "Shop 0001", "Product 999")
    assert one.actuals.empty and one.past.empty and one.future.empty


QUERIES = [
    "region=Shop 0001&category=Product 123", "region=Shop 0002", "category=Product 007&horizon=2", "aggregation=region",
    "region=All&category=All", "aggregation=series&region=Shop 0000&horizon=1", "aggregation=total&region=Shop 0001",
]  # fmt: skip


def test_the_service_answers_the_same_whether_it_keeps_all_or_looks_up(data, monkeypatch):
    with TestClient(create_app(data)) as kept:
        expected = [kept.get(f"/api/forecasts?domain=sales&{ask}") for ask in QUERIES]
        unknown = kept.get("/api/forecasts?domain=sales&region=Nowhere")
    monkeypatch.setattr(shelf, "LARGE", 0)
    with TestClient(create_app(data)) as looked_up:
        for ask, before in zip(QUERIES, expected, strict=True):
            answer = looked_up.get(f"/api/forecasts?domain=sales&{ask}")
            assert (answer.status_code, answer.text) == (200, before.text), ask
        again = looked_up.get("/api/forecasts?domain=sales&region=Nowhere")
        assert (again.status_code, again.json()["detail"]) == (404, unknown.json()["detail"])
    assert len(json.loads(expected[0].text)["forecasts"]) == 6 and json.loads(expected[-1].text)["forecasts"] == []


def test_the_published_tables_have_an_index_of_series(data):
    found = query(data / "published.duckdb", "select table_name, expressions from duckdb_indexes()")
    assert set(found["table_name"]) == {"monthly_actuals", "actual_vs_forecast", "forecasts"}
    assert set(found["expressions"]) == {"[unique_id]"}


# --- the dashboard ----------------------------------------------------------------------------------------------------------

NAMES = pd.DataFrame(
    [
        (region, category)
        for region in ("All", "Shop 1", "Shop 10", "Ñandú")
        for category in ("All", "Bikes", "Bike (parts)", "a.b")
    ],
    columns=["region", "product_category"],
)


@given(st.lists(st.sampled_from(["shop", "1", "10", "BIKE", "(", "ñan", ".", "all", "/", "none"]), max_size=3))
def test_every_word_must_be_in_a_name(words):
    found = matching(NAMES, " ".join(words))
    wanted = [word.lower() for word in words if word != "/"]
    expected = [
        row for row in NAMES.itertuples(index=False, name=None) if all(word in " ".join(row).lower() for word in wanted)
    ]
    assert list(found.itertuples(index=False, name=None)) == expected


def test_a_series_is_found_by_a_part_of_its_name_and_shown(data, monkeypatch):
    app_file = SERVER.with_name("app.py")
    monkeypatch.setattr(sys, "argv", [str(app_file), "--data", str(data)])
    app = AppTest.from_file(app_file, default_timeout=PATIENCE).run()
    assert not app.exception and not app.error
    (listed,) = [box for box in app.selectbox if box.label == "Region and category"]
    assert len(listed.options) == MOST and listed.options[0] == "Total"
    app.text_input(key="find sales").set_value("1 product 12").run()
    (listed,) = [box for box in app.selectbox if box.label == "Region and category"]
    assert "Shop 0001 / Product 123" in listed.options and "Shop 0002 / Product 123" not in listed.options
    listed.select_index(listed.options.index("Shop 0001 / Product 123")).run()
    key = "unique_id = 'Shop 0001/Product 123'"
    made = query(
        data / "published.duckdb",
        f"select predicted_value from forecasts where {key} and status = 'published' and horizon = 1",
    )
    assert compact(made["predicted_value"].iloc[0], "EUR") in [metric.value for metric in app.metric]
    app.text_input(key="find sales").set_value("no such thing").run()
    assert any("has this name" in caption.value for caption in app.caption) and not app.exception


@pytest.mark.parametrize(("region", "category"), CHOSEN)
def test_assumptions_are_laid_over_one_of_many_as_over_one_found_among_all(data, region, category):
    found = forecast_of(Workspace.of(data), region, category)
    expected = load_baseline(str(data / "published.duckdb"), region, category)
    assert found.margin == expected.margin and found.unit == expected.unit and len(found.rows) == 6
    pd.testing.assert_frame_equal(found.rows, expected.rows, check_dtype=False)
    pd.testing.assert_frame_equal(found.history, expected.history, check_dtype=False)


# --- long tables of notebooks -----------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-50, 50), max_size=150), st.integers(1, 80))
def test_of_a_long_table_the_largest_rows_are_kept(values, most):
    table = pd.DataFrame({"value": values, "place": range(len(values))})
    kept = largest_rows(table, "value", most)
    if len(values) <= most:
        assert kept is table
    else:
        expected = sorted(range(len(values)), key=lambda i: (-abs(values[i]), i))[:most]
        assert kept["place"].tolist() == expected


def test_a_notebook_says_how_long_a_table_is_and_where_it_is(capsys):
    table = pd.DataFrame({"share": range(61)})
    assert (
        first_rows(table.head(60), "share", "series.parquet").equals(table.head(60)) and capsys.readouterr().out == ""
    )
    assert first_rows(table, "share", "series.parquet")["share"].tolist() == list(range(60, 0, -1))
    assert "60 of 61 rows" in (said := capsys.readouterr().out) and "series.parquet" in said
