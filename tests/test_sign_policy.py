"""What was published says where the sign policy cut a forecast to zero: in the ledger's reader, the API, the dashboard and the report."""

import itertools
import json
from dataclasses import replace

import duckdb
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from forecasting.api.app import create_app
from forecasting.dashboard import selection, tables
from forecasting.ledger import Published
from forecasting.ledger.sign_policy import run_points_cut, was_cut
from forecasting.report import domain_page, next_months
from forecasting.run import Manifest
from report_fixtures import VARIANTS, build
from served_company import ServedCompany
from synthetic import company

POINTS, BOUNDS = "below 0 and cut to 0, because sales may not be below 0", "cut at 0, because sales may not be below 0"


class Losing(ServedCompany):
    """A company of which one series of sales is negative: it sends back more than it sells."""

    @property
    def train(self) -> pd.DataFrame:
        """The training set."""
        rows = company(self.months)
        return rows.assign(y=rows["y"].where(rows["unique_id"] != "R0/C1", -rows["y"].abs() - 1.0))


@pytest.fixture(scope="module")
def losing(tmp_path_factory) -> Losing:
    """The company, published."""
    found = Losing.made(tmp_path_factory.mktemp("losing"))
    found.fit("seasonal_naive")
    found.publish("seasonal_naive")
    return found


def test_the_api_says_which_forecasts_were_cut_and_which_sums_hold_one(losing):
    with TestClient(create_app(losing.data)) as client:
        answer = client.get("/api/forecasts?domain=sales").json()
    cut = {(row["region"], row["product_category"]) for row in answer["forecasts"] if row["was_cut"]}
    assert cut == {("R0", "C1"), ("R0", "All"), ("All", "C1"), ("All", "All")}
    rows = [row for row in answer["forecasts"] if row["region"] == "R0" and row["product_category"] == "C1"]
    assert [row["predicted_value"] for row in rows] == [0.0] * 6 and all(row["was_cut"] for row in rows)
    assert answer["warnings"][0].startswith("6\N{NO-BREAK SPACE}forecasts of a single series and month were " + POINTS)
    assert answer["warnings"][1].endswith(BOUNDS + " (allow_negative in params/).")


def test_nothing_is_said_where_nothing_was_cut(tmp_path):
    honest = ServedCompany.made(tmp_path)
    honest.allow_negative = True
    honest.fit("seasonal_naive")
    honest.publish("seasonal_naive")
    with TestClient(create_app(honest.data)) as client:
        answer = client.get("/api/forecasts?domain=sales").json()
    assert answer["warnings"] == [] and {row["was_cut"] for row in answer["forecasts"]} == {False}


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Published:
    """A published domain of which one series was cut in its first two months."""
    path = build(
        tmp_path_factory.mktemp("cut") / "published.duckdb",
        replace(VARIANTS["published history"], domains=("sales",)),
    )
    with duckdb.connect(str(path)) as connection:
        (run_id, text) = connection.execute(
            "select run_id, manifest from runs semi join latest_runs using (run_id)"
        ).fetchone()
        (series,) = connection.execute(
            "select min(unique_id) from forecasts where run_id = ? and aggregation = 'series'", [run_id]
        ).fetchone()
        manifest = json.loads(text)
        manifest["params"]["allow_negative"] = False
        manifest["explanation"] |= {"cut": {"points": 2, "bounds": 3}, "cut_series": {series: [1, 2]}}
        connection.execute("update runs set manifest = ? where run_id = ?", [json.dumps(manifest), run_id])
        connection.execute("update forecasts set predicted_value = 0 where unique_id = ? and horizon <= 2", [series])
    return Published(path)


def test_dashboard_and_report_say_it_of_the_series_and_of_sums_that_hold_it(published):
    domain = published.domain("sales")
    region, category = domain.future.loc[
        domain.future["was_cut"] & (domain.future["aggregation"] == "series"), ["region", "product_category"]
    ].iloc[0]
    words = {
        name: tables.cut_words(selection.select(domain, *name))
        for name in itertools.product((region, "All"), (category, "All"))
    }
    own = words.pop((region, category))
    assert own.startswith(
        "The forecast was below 0 in 2 of 6\N{NO-BREAK SPACE}months and was cut to 0 there, because sales may not be below"
    )
    assert {text.partition(" below")[0] for text in words.values()} == {"The forecast, or that of a series in it, was"}
    others = domain.future.loc[domain.future["region"] != region, ["region", "product_category"]].drop_duplicates()
    known = [name for name in others.itertuples(index=False, name=None) if "All" not in name]
    assert known and all("below 0 in" not in tables.cut_words(selection.select(domain, *name)) for name in known)
    table = tables.months_table(selection.select(domain, region, category)).data
    assert [text for text in table[tables.KINDS].dropna() if "cut" in text] == ["coming, cut to 0"] * 2
    assert "‡ In 1\N{NO-BREAK SPACE}row the forecast of a month was below 0" in domain_page.by_part(domain, "series")
    assert "or that of a series in it," in domain_page.by_part(domain, "region")
    assert POINTS in next_months.next_months(domain)


names = st.sampled_from(["North", "South", "Ä/ö"])


@given(st.sets(st.tuples(names, names), min_size=1), st.data())
def test_a_sum_counts_as_cut_where_a_series_in_it_was(series, data):
    """Against a loop over the parts of each sum."""
    cut = data.draw(st.sets(st.tuples(st.sampled_from(sorted(series)), st.integers(1, 3))))
    rows, expected = [], []
    for horizon in (1, 2, 3):
        below = {name for name, h in cut if h == horizon}
        for region, category in series:
            rows.append(("series", f"{region} | {category}", region, category, horizon))
            expected.append((region, category) in below)
        for region in {region for region, _ in series}:
            rows.append(("region", region, region, "All", horizon))
            expected.append(any(name[0] == region for name in below))
        for category in {category for _, category in series}:
            rows.append(("category", category, "All", category, horizon))
            expected.append(any(name[1] == category for name in below))
        rows.append(("total", "All", "All", "All", horizon))
        expected.append(bool(below))
    noted: dict[str, list[int]] = {}
    for (region, category), horizon in cut:
        noted.setdefault(f"{region} | {category}", []).append(horizon)
    table = pd.DataFrame(rows, columns=["aggregation", "unique_id", "region", "product_category", "horizon"])
    explanation = {"cut": {"points": len(cut), "bounds": 0}, "cut_series": noted}
    assert was_cut(table, Manifest.from_json({"explanation": explanation})).tolist() == expected
    if cut:  # a run that counted, but did not note which
        old = Manifest.from_json({"explanation": explanation | {"cut_series": {}}})
        assert was_cut(table, old).isna().all() and run_points_cut(old)


@pytest.mark.parametrize(
    ("params", "known"), [({"allow_negative": True}, True), ({"allow_negative": False}, False), ({}, False)]
)
def test_of_a_run_that_counted_nothing_it_is_known_only_where_nothing_may_be_cut(params, known):
    rows = pd.DataFrame(
        {"aggregation": ["series"], "unique_id": ["a"], "region": ["a"], "product_category": ["b"], "horizon": [1]}
    )
    found = was_cut(rows, Manifest.from_json({"params": params}))
    assert found.isna().all() != known and not found.fillna(False).any()
