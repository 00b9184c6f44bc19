"""What several months come to: the value is the sum of what is known and forecast, its range the one that past sums needed."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import AGGREGATIONS
from forecasting.ledger import Domain, Published
from forecasting.report import sums
from forecasting.run import Champion, Manifest
from report_fixtures import VARIANTS, build

TOTAL = {"aggregation": "total", "unique_id": "All/All", "region": "All", "product_category": "All"}
LAST = pd.Timestamp("2023-07-01")


def made_up(name: str, known: list[float], coming: list[float], last: pd.Timestamp = LAST, **params: object) -> Domain:
    """A domain whose months up to `last` are `known`, and those after it `coming`, ± 1 in 80 of 100 cases."""
    before = pd.date_range(end=last, periods=len(known), freq="MS")
    after = pd.date_range(last + pd.DateOffset(months=1), periods=len(coming), freq="MS")
    actuals = [{**TOTAL, "ds": ds, "y": y} for ds, y in zip(before, known, strict=True)]
    future = [
        {**TOTAL, "ds": ds, "predicted_value": y, "lo_80": y - 1, "hi_80": y + 1, "override_value": np.nan}
        for ds, y in zip(after, coming, strict=True)
    ]
    none = pd.DataFrame()
    manifest = Manifest(unit="EUR", champion=Champion(name="linear"), params=params)
    return Domain(name, manifest, pd.DataFrame(actuals), none, pd.DataFrame(future), none, {"measure": name}, none)


def paths(errors: list[list[float]], scale: float = 2.0) -> pd.DataFrame:
    """What was forecast at one cutoff after another: it missed month by month by these errors."""
    rows = [
        {"cutoff": pd.Timestamp("2020-01-01") + pd.DateOffset(months=i), "horizon": h, "actual": 100.0 + error,
         "predicted_value": 100.0, "scale": scale, "is_published": False}
        for i, one in enumerate(errors) for h, error in enumerate(one, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["cutoff", "horizon", "actual", "predicted_value", "scale", "is_published"])


def naive_half_width(known: list[float], errors: list[list[float]], n_ahead: int, scale: float) -> float:
    """The oracle, in plain loops: the error of the sum that 80 % of the earlier ones did not exceed, at today's typical error."""
    found = sorted(abs(sum(one[:n_ahead])) / scale for one in errors if len(one) >= n_ahead)
    changes = [abs(known[i] - known[i - 12]) for i in range(12, len(known))]
    return found[math.ceil(0.8 * (len(found) + 1)) - 1] * sum(changes) / len(changes)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


error = st.floats(-50, 50).map(lambda x: round(x, 1))


@settings(deadline=None, max_examples=60)
@given(
    errors=st.lists(st.lists(error, min_size=2, max_size=5), min_size=4, max_size=25),
    n_ahead=st.integers(1, 3),
    scale=st.sampled_from([0.5, 2.0]),
)
def test_the_range_of_a_sum_is_what_earlier_sums_needed(errors, n_ahead, scale):
    known = [100.0 + 3 * (i % 12) + 0.7 * i for i in range(43)]
    domain = made_up("sales", known, [120.0, 130.0, 140.0])
    months = list(pd.date_range("2023-08-01", periods=n_ahead, freq="MS"))
    found = sums.of_months(domain, months, paths(errors, scale))
    long_enough = [one for one in errors if len(one) >= n_ahead]
    assert found.n == len(long_enough) and found.value == sum([120.0, 130.0, 140.0][:n_ahead])
    if len(long_enough) < 4:
        assert found.low is None and "only" in sums.caption(found)
        return
    half = naive_half_width(known, errors, n_ahead, scale)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_a_year_is_what_is_known_and_what_is_forecast_against_the_whole_year_before():
    known = [float(i) for i in range(43)]  # from January 2020 to July 2023
    domain = made_up("sales", known, [50.0] * 5)
    found = sums.year_end(domain, paths([[1.0] * 5] * 9))
    assert sums.name(found) == "full year 2023" and found.n_known == 7
    assert found.value == sum(known[36:]) + 250.0 and found.before == sum(known[24:36])
    short = sums.year_end(made_up("sales", known, [50.0] * 3), paths([[1.0] * 3] * 9))
    assert plain(sums.name(short)) == "January to October 2023" and short.before == sum(known[24:34])


def test_a_new_year_is_as_long_as_its_forecast_and_a_quarter_is_no_year():
    last = pd.Timestamp("2023-12-01")
    assert sums.year_end(made_up("sales", [1.0] * 24, [5.0] * 3, last), paths([])) is None
    found = sums.year_end(made_up("sales", [1.0] * 24, [5.0] * 6, last), paths([]))
    assert plain(sums.name(found)) == "January to June 2024" and found.n_known == 0 and found.value == 30.0
    assert sums.year_end(made_up("sales", [1.0] * 11, [5.0], pd.Timestamp("2023-11-01")), paths([])).n_known == 11


def test_a_stock_counts_at_the_end_with_the_range_that_was_published():
    domain = made_up("inventory", [float(i) for i in range(43)], [50.0, 60.0, 70.0])
    found = sums.next_quarter(domain, paths([[1.0] * 3] * 9))
    assert (found.value, found.low, found.high, found.before) == (70.0, 69.0, 71.0, 33.0)
    assert sums.caption(found) == "the 80 % range published for October\N{NO-BREAK SPACE}2023"


def test_what_people_changed_stands_beside_the_forecast_and_never_over_it():
    domain = made_up("sales", [100.0 + 50 * (i % 5) for i in range(43)], [1.0, 2.0, 3.0])
    found = sums.next_quarter(domain, paths([]))
    assert found.value == 6.0 and sums.changed_to(domain, found) is None
    domain.future["final_value"] = domain.future["predicted_value"]
    domain.future.loc[1, ["override_value", "final_value"]] = 20.0
    found = sums.next_quarter(domain, paths([]))
    assert found.value == 6.0 and sums.changed_to(domain, found) == 24.0
    stock = replace(domain, name="inventory")
    assert (
        sums.changed_to(stock, sums.next_quarter(stock, paths([]))) is None
    )  # the month at whose end it counts is not changed


def test_sales_that_cannot_be_negative_have_no_range_below_zero():
    domain = made_up("sales", [100.0 + 50 * (i % 5) for i in range(43)], [1.0, 2.0, 3.0], allow_negative=False)
    found = sums.next_quarter(domain, paths([[50.0] * 3] * 9))
    assert found.value == 6.0 and found.low == 0.0 and found.high > 6.0


def test_without_a_month_or_a_forecast_there_is_no_sum():
    domain = made_up("sales", [1.0] * 24, [5.0] * 2)
    assert sums.next_quarter(domain, paths([])) is None
    assert (
        sums.year_end(replace(domain, future=domain.future.iloc[:0].assign(ds=pd.to_datetime([]))), paths([])) is None
    )
    assert sums.of_months(domain, [LAST - pd.DateOffset(years=9), LAST + pd.DateOffset(months=1)], paths([])) is None


def test_paths_are_what_was_published_else_the_back_test(tmp_path):
    path = str(build(tmp_path / "published.duckdb", VARIANTS["published history"]))
    found = Published(path).paths("sales")
    assert not found.duplicated(["cutoff", "horizon"]).any() and found["actual"].notna().all()
    by_cutoff = found.groupby("cutoff")["is_published"].nunique()
    assert (by_cutoff == 1).all() and found["is_published"].any() and not found["is_published"].all()
    domain = Published(path).domain("sales", AGGREGATIONS)
    assert sums.next_quarter(domain, found).n == len(found[found["horizon"] == 3])
