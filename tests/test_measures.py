"""Each measure has one formula in Python and one in SQL: both are those of a loop, whatever the table."""

import math

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_sql import macros
from forecasting.contracts import BOUNDS, POINT
from forecasting.evaluation import metrics

ARGUMENTS = {
    "mae": (POINT, "y"), "rmse": (POINT, "y"), "bias": (POINT, "y"), "wape": (POINT, "y"), "mase": (POINT, "y", "scale"),
    "coverage": ("y", BOUNDS["lo_80"], BOUNDS["hi_80"]), "fva": (POINT, "y", "naive"), "tracking_signal": (POINT, "y"),
    "masc": (POINT, "previous", "scale"),
}  # fmt: skip
SQL = macros("measures")
PYTHON = {"coverage": metrics.coverage_80}
amount = st.one_of(st.just(0.0), st.integers(-(10**8), 10**8).map(lambda cents: cents / 100))
row = st.fixed_dictionaries(
    {
        "y": amount,
        POINT: amount,
        "bounds": st.tuples(amount, amount).map(sorted),
        "scale": st.one_of(st.none(), st.just(0.0), st.integers(1, 10**8).map(lambda cents: cents / 100)),
        "naive": st.one_of(st.none(), amount),
        "previous": st.one_of(st.none(), amount),
    }
)


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def by_loop(rows: list[dict]) -> dict[str, float]:
    """Every measure one row at a time; NaN where nothing can be measured."""
    errors, scaled, moved, inside, gains, actuals = [], [], [], [], [], 0.0
    for each in rows:
        error = each[POINT] - each["y"]
        errors.append(error)
        actuals += abs(each["y"])
        inside.append(1.0 if each["bounds"][0] <= each["y"] <= each["bounds"][1] else 0.0)
        if each["scale"]:
            scaled.append(abs(error) / each["scale"])
        if each["scale"] and each["previous"] is not None:
            moved.append(abs(each[POINT] - each["previous"]) / each["scale"])
        if each["naive"] is not None:
            gains.append(abs(each["naive"] - each["y"]) - abs(error))
    sizes = [abs(error) for error in errors]
    return {
        "mae": mean(sizes),
        "rmse": math.sqrt(mean([error**2 for error in errors])),
        "bias": mean(errors),
        "wape": math.fsum(sizes) / actuals if actuals else math.nan,
        "mase": mean(scaled),
        "masc": mean(moved),
        "coverage": mean(inside),
        "fva": mean(gains),
        "tracking_signal": math.fsum(errors) / mean(sizes) if any(errors) else math.nan,
    }


def by_sql(table: pd.DataFrame) -> dict[str, float]:
    """Every measure by its macro, in DuckDB."""
    columns = ", ".join(f"{getattr(SQL, name)(*of)} as {name}" for name, of in ARGUMENTS.items())
    with duckdb.connect() as connection:
        connection.register("known", table)
        return connection.execute(f"select {columns} from known").df().astype(float).loc[0].to_dict()


@given(st.lists(row, min_size=1, max_size=30))
def test_python_sql_and_a_loop_measure_the_same(rows: list[dict]):
    table = pd.DataFrame(rows).astype({"scale": float, "naive": float, "previous": float})
    table[BOUNDS["lo_80"]], table[BOUNDS["hi_80"]] = zip(*table.pop("bounds"), strict=True)
    table["naive_error"] = (table["naive"] - table["y"]).abs()
    expected, in_sql = by_loop(rows), by_sql(table)
    sums = {
        "bias": expected["mae"],
        "tracking_signal": len(rows),
        "fva": max(expected["mae"], table["naive_error"].max()),
    }
    for name, value in expected.items():
        close = pytest.approx(
            value, rel=1e-12, abs=1e-12 * sums.get(name, 0.0), nan_ok=True
        )  # terms of a sum may cancel
        assert PYTHON.get(name, getattr(metrics, name, None))(table) == close, name
        assert in_sql[name] == close, name


def test_every_macro_is_held_equal():
    names = {name for name in vars(SQL) if not name.startswith("_")}
    assert names == set(ARGUMENTS)


@given(
    st.lists(st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=1, max_size=40),
    st.floats(0.01, 1e4),
)
def test_the_tracking_signal_is_bounded_and_free_of_units(errors, factor):
    def signal(of: list[float]) -> float:
        return metrics.tracking_signal(pd.DataFrame({POINT: of, "y": 0.0}))

    found = signal(errors)
    if not any(errors):
        assert math.isnan(found)
        return
    assert abs(found) <= len(errors) + 1e-6
    assert signal([factor * error for error in errors]) == pytest.approx(found, rel=1e-6, abs=1e-6)
    assert signal([-error for error in errors]) == pytest.approx(-found)
    if min(errors) > 0:
        assert found == pytest.approx(len(errors))
