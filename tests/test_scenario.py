"""What if: assumptions over a published forecast against a loop month by month, its controls, and the notebook as a person runs it."""

import json
from pathlib import Path

import duckdb
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import assume, given
from hypothesis import strategies as st

from forecasting.errors import UserError
from forecasting.pipeline import notebooks as pipeline
from forecasting.planning.scenario import Assumptions, Baseline, load_baseline, what_if
from forecasting.planning.widgets import HONEST, NO_PROMOTION, WhatIf, source, table
from report_fixtures import Company, build
from shown import agrees

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "explore" / "what_if.ipynb"
MONTHS = pd.date_range("2025-07-01", periods=6, freq="MS")
KEYS = [f"{ds:%Y-%m}" for ds in MONTHS]


def baseline(sales: list[float], profit: float | None = 20.0, margin: float | None = 0.4) -> Baseline:
    """A forecast of six months; profit is the same in each."""
    profits = [float("nan") if profit is None else profit] * 6
    rows = pd.DataFrame({"ds": MONTHS, "sales": sales, "lo_80": 0.0, "hi_80": 1e6, "profit": profits})
    history = pd.DataFrame({"ds": MONTHS - pd.DateOffset(months=6), "sales": sales})
    span = None if margin is None else (MONTHS[0], MONTHS[-1])
    return Baseline("All", "All", "EUR", "linear", MONTHS[0], rows, history, margin, span, "gross profit")


amounts = st.lists(st.floats(100.0, 300.0), min_size=6, max_size=6)
shares = st.floats(-0.5, 0.5)
promotions = st.builds(
    Assumptions, volume=shares, price=shares, elasticity=st.floats(-3, 0), promotion=st.sampled_from([None, *KEYS]),
    uplift=st.floats(0, 1), discount=st.floats(0, 0.5), pull_forward=st.floats(0, 0.3),
)  # fmt: skip


def by_hand(given: Baseline, assumed: Assumptions) -> tuple[list[float], list[float]]:
    """Sales and profit month by month, one sale after another."""
    volumes = [
        sales * (1 + assumed.volume) * (1 + assumed.price) ** assumed.elasticity for sales in given.rows["sales"]
    ]
    prices = [1 + assumed.price] * 6
    if assumed.promotion:
        place = KEYS.index(assumed.promotion)
        extra = volumes[place] * assumed.uplift
        volumes[place] += extra
        prices[place] *= 1 - assumed.discount
        if place < 5:
            volumes[place + 1] -= extra * assumed.pull_forward
    profits = []
    for forecast, profit, volume, price in zip(given.rows["sales"], given.rows["profit"], volumes, prices, strict=True):
        costs_before, costs = forecast * (1 - given.margin), volume * (1 - given.margin)
        profits.append(profit - (forecast - costs_before) + (volume * price - costs))
    return [volume * price for volume, price in zip(volumes, prices, strict=True)], profits


@given(amounts)
def test_without_assumptions_it_is_the_forecast(sales):
    found = what_if(baseline(sales), Assumptions()).rows
    assert found["scenario"].tolist() == found["baseline"].tolist() == sales
    assert found["profit_scenario"].tolist() == [20.0] * 6


@given(amounts, promotions)
def test_a_scenario_is_what_it_is_by_hand(sales, assumed):
    given_ = baseline(sales)
    found = what_if(given_, assumed)
    sold, earned = by_hand(given_, assumed)
    assert found.rows["scenario"].tolist() == pytest.approx(sold)
    assert found.rows["profit_scenario"].tolist() == pytest.approx(earned)
    assert found.totals["scenario"] == pytest.approx(sum(sold))
    assert found.totals["profit_scenario"] - found.totals["profit_baseline"] == pytest.approx(sum(earned) - 120.0)


@given(amounts, st.sampled_from(KEYS), st.floats(0, 1), st.floats(0, 1))
def test_what_is_pulled_forward_is_missing_later(sales, month, uplift, share):
    """Inside the months or after them, the volume that a promotion adds is what is not pulled forward."""
    place = KEYS.index(month)
    assume(place == 5 or uplift * share * sales[place] < sales[place + 1])
    found = what_if(baseline(sales), Assumptions(promotion=month, uplift=uplift, pull_forward=share))
    added = found.rows["volume"].sum() - found.outside - sum(sales)
    assert added == pytest.approx(uplift * (1 - share) * sales[place], abs=1e-9)
    assert (found.outside > 0) == (place == 5 and uplift * share > 0)
    changed = [KEYS[k] for k in range(6) if found.rows["volume"][k] != sales[k]]
    assert set(changed) <= {month, *KEYS[place + 1 : place + 2]}


@given(amounts, st.floats(-0.5, 1.0))
def test_at_an_elasticity_of_one_sales_stay(sales, price):
    found = what_if(baseline(sales), Assumptions(price=price, elasticity=-1.0))
    assert found.rows["scenario"].tolist() == pytest.approx(sales)
    saved = 0.6 * (
        sum(sales) - found.rows["volume"].sum()
    )  # the same money for other amounts of goods, of which each costs 60 %
    assert found.totals["profit_scenario"] - found.totals["profit_baseline"] == pytest.approx(saved, abs=1e-9)


@given(amounts, st.floats(-0.9, 0.9))
def test_a_price_that_nobody_minds_goes_into_profit_in_full(sales, price):
    found = what_if(baseline(sales), Assumptions(price=price)).totals
    assert found["profit_scenario"] - found["profit_baseline"] == pytest.approx(price * sum(sales))


@pytest.mark.parametrize(
    ("values", "words"),
    [({"volume": -1.1}, "fall by more"), ({"price": -1.0}, "price"), ({"uplift": -0.1}, "uplift"), ({"discount": 1.0}, "discount"),
     ({"pull_forward": 1.1, "volume": -2.0}, "volume.*pulled forward"), ({"price": float("nan")}, "price")],
)  # fmt: skip
def test_what_cannot_be_is_refused(values, words):
    with pytest.raises(UserError, match=words):
        Assumptions(**values)


def test_a_promotion_needs_a_month_and_something_to_take():
    with pytest.raises(UserError, match="2030-01 is not forecast; there are 2025-07"):
        what_if(baseline([100.0] * 6), Assumptions(promotion="2030-01"))
    with pytest.raises(UserError, match=r"more from August.2025 than is sold"):
        what_if(baseline([100.0, 10.0, 1, 1, 1, 1]), Assumptions(promotion="2025-07", uplift=1.0, pull_forward=0.5))
    with pytest.raises(UserError, match=r"July.2025 are negative"):
        what_if(baseline([-100.0] * 6), Assumptions(promotion="2025-07", uplift=1.0))


def test_without_a_margin_nothing_is_said_of_profit():
    found = what_if(baseline([100.0] * 6, margin=None), Assumptions(volume=0.1))
    assert found.rows["profit_scenario"].isna().all() and pd.isna(found.totals["profit_scenario"])
    assert what_if(baseline([100.0] * 6, margin=None), Assumptions(volume=0.1), margin=0.5).totals[
        "profit_scenario"
    ] == pytest.approx(150.0)


# --- on a published database


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """Sales and profit; the categories of profit are those of sales, and expenses are a category of their own."""
    path = build(tmp_path_factory.mktemp("scenario") / "published.duckdb", Company(domains=("sales", "profit")))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """insert into monthly_actuals by name select * replace (
                'Operating expenses' as product_category, region || '/Operating expenses' as unique_id, -1000.0 as y)
            from monthly_actuals where domain = 'profit' and product_category = 'Parts'"""
        )
    return path


def ask(published: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(published), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("region", "category", "spent"), [("All", "All", -1000.0), ("East", "All", -1000.0), ("East", "Bikes", 0.0)]
)
def test_the_baseline_is_what_was_published(published, region, category, spent):
    found = load_baseline(str(published), region, category)
    node = f"region = '{region}' and product_category = '{category}'"
    ahead = "select ds, predicted_value from forecasts where status = 'published' and cutoff = (select max(cutoff) from forecasts)"
    for domain, column in (("sales", "sales"), ("profit", "profit")):
        expected = ask(published, f"{ahead} and domain = '{domain}' and {node} order by ds")
        assert [(row.ds.date(), getattr(row, column)) for row in found.rows.itertuples()] == expected
    last = f"ds > (select max(ds) from monthly_actuals) - interval 12 month and {node}"
    (sold,), (made,) = (
        ask(published, f"select sum(y) from monthly_actuals where domain = '{d}' and {last}")[0]
        for d in ("sales", "profit")
    )
    assert found.margin == pytest.approx((made - 12 * spent) / sold)
    assert "was" in source(found) and agrees(source(found).partition("was ")[2], 100 * found.margin)


def test_what_is_not_published_is_said(tmp_path, published):
    with pytest.raises(UserError, match="no forecast of Nowhere/All; there are All/All, All/Bikes"):
        load_baseline(str(published), "Nowhere")
    alone = load_baseline(str(build(tmp_path / "a.duckdb", Company(domains=("sales",), unit=""))))
    assert alone.margin is None and "nothing can be said of profit" in source(alone)
    panel = WhatIf(alone)
    assert "margin" not in panel.controls and "Profit" not in panel.table.value
    with pytest.raises(UserError, match="No forecast of sales"):
        load_baseline(str(build(tmp_path / "b.duckdb", Company(domains=("inventory",)))))


def test_moving_a_slider_moves_the_forecast(published):
    panel = WhatIf(load_baseline(str(published)))
    assert panel.assumed == Assumptions() and panel.controls["promotion"].value == NO_PROMOTION
    assert HONEST in panel.children[0].value and "not" not in panel.message.value
    first = panel.table.value, panel.picture.value
    panel.controls["volume"].value = 10
    total = panel.scenario.totals
    assert total["scenario"] == pytest.approx(1.1 * total["baseline"])
    assert (panel.table.value, panel.picture.value) != first and "+10.0\N{NO-BREAK SPACE}%" in panel.message.value
    panel.controls["promotion"].value = panel.baseline.months[0]
    panel.controls["uplift"].value, panel.controls["pull_forward"].value = 200, 100
    assert "than is sold in it" in panel.message.value and "scenario before" in panel.message.value


def cells(html: str) -> list[list[str]]:
    """The texts of a table, with its heading."""
    return [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for row in BeautifulSoup(html, "html.parser").find_all("tr")
    ]


def test_the_table_holds_months_totals_and_differences(published):
    given_ = load_baseline(str(published))
    scenario = what_if(given_, Assumptions(volume=0.1, promotion=given_.months[-1], uplift=0.5, pull_forward=0.5))
    head, *months, total = cells(table(given_, scenario))
    assert head[:4] == ["Month", "Sales, forecast", "Sales, scenario", "Difference in sales"] and len(months) == 6
    for shown, values in [*zip(months, scenario.rows.to_dict("records"), strict=True), (total, scenario.totals)]:
        sold, before, earned = (
            values["scenario"],
            values["baseline"],
            values["profit_scenario"] - values["profit_baseline"],
        )
        assert (
            agrees(shown[1], before)
            and agrees(shown[2], sold)
            and agrees(shown[3], sold - before)
            and agrees(shown[6], earned)
        )
    assert total[0] == "Total"


def test_the_notebook_runs_with_assumptions(published, tmp_path):
    """In a kernel, as papermill and JupyterLab run it."""
    values = {"published": str(published), "volume": 0.1, "promotion": "2024-02", "uplift": 0.5, "pull_forward": 0.5}
    pipeline.execute(NOTEBOOK, tmp_path / "what_if.ipynb", values)
    page = nbformat.read(tmp_path / "what_if.ipynb", as_version=4)
    shown = [output.get("data", {}) for cell in page.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in data for data in shown)
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    assert str(published) not in json.dumps([cell.get("outputs") for cell in page.cells])
    *_, total = cells(next(data["text/html"] for data in shown if "<table" in data.get("text/html", "")))
    assumed = Assumptions(volume=0.1, promotion="2024-02", uplift=0.5, pull_forward=0.5)
    assert agrees(total[2], what_if(load_baseline(str(published)), assumed).totals["scenario"])


def test_the_notebook_is_clean():
    page = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in page.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert not any(word in cell.source for cell in code for word in ("def ", "class "))
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    assert page.metadata["kernelspec"]["name"] == "python3"
