"""The tables of the notebooks: every value is the one that was computed, rounded, under a name that people know."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import tables
from forecasting.models import families, family_models


def rows(table: tables.Table) -> dict[str, list[str]]:
    """The cells by row."""
    spaced = table.cells.map(lambda cell: cell.replace("\N{NO-BREAK SPACE}", " "))
    return {
        str(name).replace("\N{NO-BREAK SPACE}", " "): list(row)
        for name, row in zip(spaced.index, spaced.to_numpy(), strict=True)
    }


def test_a_leaderboard_is_in_words_and_rounded():
    board = pd.DataFrame(
        {"model_name": ["lightgbm_direct", "seasonal_naive"], "mase": [0.81435, 1.0912], "wape": [0.4031, np.nan],
         "bias": [-1234.56, 88.8], "coverage_80": [0.8444, 1.0], "n": [1360, 1360]}
    )  # fmt: skip
    table = tables.shown(board)
    assert list(table.cells.columns) == ["MASE", "WAPE", "Bias", "Inside 80 %", "Forecasts"]
    assert table.cells.columns.name == "Model"
    assert rows(table) == {
        "LightGBM, direct": ["0.814", "40.3 %", "−1,235", "84.4 %", "1,360"],
        "seasonal naive": ["1.091", "–", "89", "100.0 %", "1,360"],
    }


def test_months_yes_and_no_and_what_is_not_known():
    table = pd.DataFrame(
        {"ds": pd.to_datetime(["2024-07-01", "2024-08-01"]), "passed": [True, False], "reason": ["a <b> & c", None],
         "p_value": [0.012, np.nan]}
    )  # fmt: skip
    found = tables.shown(table)
    assert rows(found) == {"Jul 2024": ["yes", "a <b> & c", "0.012"], "Aug 2024": ["no", "–", "–"]}
    assert "a &lt;b&gt; &amp; c" in found._repr_mimebundle_()["text/html"]


def test_a_long_text_is_not_cut_and_an_empty_table_says_so():
    text = "the sales facts end on 2025-07-16, before the third-last business day of the month"
    shown = tables.shown(pd.DataFrame({"ds": ["2025-07-01"], "reason": [text]}))._repr_mimebundle_()
    assert all(text in one and "Jul\N{NO-BREAK SPACE}2025" in one for one in shown.values())
    assert tables.shown(pd.DataFrame(columns=["ds", "y"]))._repr_mimebundle_()["text/plain"] == "None."


def test_every_model_has_its_title_in_tables_and_pictures():
    known = [model for family in families() for model in family_models(family)]
    errors = pd.DataFrame(
        [(model.name, horizon, 0.5 + i / 100) for i, model in enumerate(known) for horizon in (1, 2)],
        columns=["model_name", "horizon", "mase"],
    )
    assert set(tables.named(errors)["model_name"]) == {model.title for model in known}
    found = rows(tables.by_months_ahead(errors.sample(frac=1, random_state=1)))
    assert list(found) == [model.title for model in known]  # the lowest first
    assert tables.by_months_ahead(errors).cells.columns.tolist() == ["1 month", "2 months"]
    assert set(errors["model_name"]) == {model.name for model in known}


def test_a_leaderboard_by_level_has_the_levels_in_order():
    board = pd.DataFrame(
        [(model, level, group, value) for model, value in (("naive", 1.4), ("linear", 0.8))
         for level in ("total", "Country", "series", "region", "category") for group in ("1-3", "all")],
        columns=["model_name", "aggregation", "horizon_group", "mase"],
    )  # fmt: skip
    found = tables.by_level(board)
    assert list(found.cells.columns) == ["Single series", "Country", "Regions", "Categories", "Total"]
    assert rows(found) == {"linear": ["0.800"] * 5, "naive": ["1.400"] * 5}


def test_the_cutoffs_are_told_by_what_they_are_for():
    months = pd.date_range("2024-07-01", periods=7, freq="MS")
    sets = ["calibration", "choice", "choice", "held_out", "held_out", "recent", "recent"]
    found = rows(tables.cutoffs(pd.DataFrame({"cutoff": months, "evaluation_set": sets})))
    assert found["choose between the models"] == ["2", "Aug 2024", "Sep 2024"] and len(found) == 4
    assert found["held out: choose nothing and are quoted"] == ["2", "Oct 2024", "Nov 2024"]


def test_what_is_known_of_facts_is_a_row_each():
    found = rows(
        tables.facts(
            {"n_facts": 20065, "first_month": "2019-01-01", "measure": "net amount", "left_out": [1], "last_fact": None}
        )
    )
    assert found == {"Facts": ["20,065"], "First month": ["Jan 2019"], "Measure": ["net amount"], "Last fact": ["–"]}


@given(st.lists(st.floats(-1e7, 1e7) | st.just(float("nan")), min_size=1, max_size=8))
def test_numbers_are_the_same_but_for_rounding(values):
    cells = tables.written(pd.Series(values, dtype=float), "bias")
    shown = [float(cell.replace("−", "-").replace(",", "")) if cell != "–" else float("nan") for cell in cells]
    decimals = tables.digits(pd.Series(values, dtype=float))
    assert shown == pytest.approx(values, abs=0.5 * 10**-decimals + 1e-6, nan_ok=True)


@pytest.mark.parametrize(("values", "decimals"), [([0.8], 3), ([12.5], 1), ([120.5, 0.5], 0), ([3.0, 5.0], 0)])
def test_a_column_has_the_digits_that_a_reader_uses(values, decimals):
    assert tables.digits(pd.Series(values)) == decimals


def test_where_nothing_could_be_compared_the_tables_say_none():
    """A history too short for a cutoff leaves every table without rows."""
    board = pd.DataFrame(columns=["model_name", "aggregation", "horizon_group", "mase"])
    errors = pd.DataFrame(columns=["model_name", "horizon", "mase"])
    planned = pd.DataFrame({"cutoff": pd.to_datetime([]), "evaluation_set": pd.Series([], dtype=object)})
    for found in (tables.by_level(board), tables.by_months_ahead(errors), tables.cutoffs(planned), tables.shown(board)):
        assert found._repr_mimebundle_() == {"text/html": "<p>None.</p>", "text/plain": "None."}
