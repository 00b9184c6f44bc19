"""How far the forecast of the same month moves from one cutoff to the next: what counts, and what it does not depend on."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import POINT
from forecasting.evaluation.metrics import change_share, masc
from forecasting.evaluation.ranking import scored_rows
from forecasting.report import domain_page, stability
from report_fixtures import Company, build

MONTHS = pd.date_range("2022-01-01", periods=12, freq="MS")
# two years of both series, so that every forecast has an actual
TRAIN = pd.DataFrame(
    [{"unique_id": f"{region}/x", "region": region, "product_category": "x", "ds": ds, "y": 1.0, "is_imputed": False}
     for region in "AB" for ds in pd.date_range("2022-01-01", periods=24, freq="MS")]
)  # fmt: skip
value = st.integers(-(10**6), 10**6).map(float)


@st.composite
def forecasts(draw: st.DrawFn) -> pd.DataFrame:
    """Forecasts of two models for two series at some of twelve cutoffs, one to six months ahead, in any order."""
    cutoffs = draw(st.lists(st.sampled_from(list(MONTHS)), min_size=1, max_size=6, unique=True))
    rows = [
        {"aggregation": "series", "unique_id": name, "model_name": model, "cutoff": cutoff, "horizon": ahead,
         "ds": cutoff + pd.DateOffset(months=ahead), POINT: draw(value), "scale": draw(st.floats(0.1, 1e4))}
        for name in ("A/x", "B/x") for model in ("one", "other") for cutoff in cutoffs for ahead in range(1, 7)
    ]  # fmt: skip
    rows = pd.DataFrame(rows).assign(evaluation_set="choice")
    return rows.sample(frac=1.0, random_state=draw(st.integers(0, 100))).reset_index(drop=True)


@settings(max_examples=30, deadline=None)
@given(forecasts(), st.floats(0.01, 100.0))
def test_only_cutoffs_one_month_apart_count(rows: pd.DataFrame, factor: float):
    said = {(r.unique_id, r.model_name, r.cutoff, r.ds): r.q500 for r in rows.itertuples()}
    before = [
        said.get((r.unique_id, r.model_name, r.cutoff - pd.DateOffset(months=1), r.ds), math.nan)
        for r in rows.itertuples()
    ]
    found = scored_rows(rows, TRAIN)
    np.testing.assert_array_equal(found["previous"], before)
    assert found[rows.columns.tolist()].equals(rows) and found.loc[found["horizon"] == 6, "previous"].isna().all()
    moved = [abs(r.q500 - b) for r, b in zip(rows.itertuples(), before, strict=True) if not math.isnan(b)]
    scaled = [abs(r.q500 - b) / r.scale for r, b in zip(rows.itertuples(), before, strict=True) if not math.isnan(b)]
    if not moved:
        assert math.isnan(masc(found)) and math.isnan(change_share(found))
        return
    assert masc(found) == pytest.approx(math.fsum(scaled) / len(scaled))
    sizes = math.fsum(abs(b) for b in before if not math.isnan(b))
    assert change_share(found) == pytest.approx(math.fsum(moved) / sizes if sizes else math.nan, nan_ok=True)
    other_unit = found.assign(**{name: found[name] * factor for name in (POINT, "previous", "scale")})
    assert masc(other_unit) == pytest.approx(masc(found)) and masc(found.assign(previous=found[POINT])) == 0.0


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def test_the_domain_page_says_it_in_a_sentence_of_what_was_published_where_there_is_enough(tmp_path):
    for history, words in (
        (True, "From one published report to the next"),
        (False, "In the back-test on the cutoffs held out"),
    ):
        domain = domain_page.load(build(tmp_path / "p.duckdb", Company(domains=("sales",), history=history)), "sales")
        rows = domain.accuracy.query("aggregation == 'total' and horizon_group == 'all' and is_champion")
        kind = "forecast_kind == 'published'" if history else "evaluation_set == 'held_out'"
        moved = rows.query(kind)["masc"].item()
        text = text_of(stability.sentence(domain))
        assert text.startswith(words) and f"moved by {moved:.2f} of a typical error on average" in text
        assert text in text_of(domain_page.made_by(domain))


def test_without_two_cutoffs_nothing_is_said(tmp_path):
    company = Company(domains=("sales",), walk_forward=False, months=20)
    assert stability.sentence(domain_page.load(build(tmp_path / "p.duckdb", company), "sales")) == ""
