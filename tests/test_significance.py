"""The Diebold–Mariano test against a loop, and what it says of models that are better, alike, or seen too seldom."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecasting.evaluation import significance
from forecasting.evaluation.significance import compare_models as compare
from forecasting.evaluation.significance import diebold_mariano, scaled_errors
from forecasting.evaluation.significance import pairs_to_compare as pairs


def scored(n_cutoffs: int = 18, horizon: int = 6, edge: float = 0.5, seed: int = 3) -> pd.DataFrame:
    """Rows as `ranking.scored_rows` returns them: two series, two models; «good» has errors that are smaller by `edge`."""
    rng = np.random.default_rng(seed)
    cutoffs = pd.date_range("2020-01-01", periods=n_cutoffs, freq="MS")
    sets = ["calibration"] * max(n_cutoffs - 6, 0) + ["choice"] * 4 + ["held_out"] * 2
    rows = []
    for cutoff, name in zip(cutoffs, sets[-n_cutoffs:], strict=True):
        for unique_id, scale in {"N/A": 2.0, "N/B": 10.0}.items():
            for h in range(1, horizon + 1):
                common = rng.normal(1.0, 0.3)
                for model, error in {
                    "good": common * (1 - edge),
                    "seasonal_naive": common + rng.normal(0, 0.05),
                }.items():
                    rows.append(["series", unique_id, cutoff, h, name, model, 100.0 + error * scale, 100.0, scale])
    columns = ["aggregation", "unique_id", "cutoff", "horizon", "evaluation_set", "model_name", "q500", "y", "scale"]
    return pd.DataFrame(rows, columns=columns)


def loop(rows: pd.DataFrame, model: str, against: str) -> tuple[float, float, float]:
    """Return mean difference, statistic and p-value, term by term as the papers write them."""
    by_cutoff: dict = {}
    for row in rows.to_dict("records"):
        signs = {model: 1.0, against: -1.0}
        if row["model_name"] in signs:
            loss = signs[row["model_name"]] * abs(row["q500"] - row["y"]) / row["scale"]
            by_cutoff.setdefault(row["cutoff"], []).append(loss)
    d = [sum(values) / (len(values) / 2) for _, values in sorted(by_cutoff.items())]
    n, h = len(d), max(rows["horizon"])
    mean = sum(d) / n
    variance = 0.0
    for lag in range(-(h - 1), h):
        gamma = sum((d[t] - mean) * (d[t - abs(lag)] - mean) for t in range(abs(lag), n)) / n
        variance += (1 - abs(lag) / h) * gamma
    statistic = mean / math.sqrt(variance / n) * math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    return mean, statistic, 2 * stats.t.cdf(-abs(statistic), n - 1)


@pytest.mark.parametrize(("n_cutoffs", "horizon", "edge"), [(18, 6, 0.5), (12, 6, 0.02), (15, 1, -0.3), (40, 3, 0.0)])
def test_the_test_agrees_with_a_loop(n_cutoffs, horizon, edge):
    rows = scored(n_cutoffs, horizon, edge)
    found = compare(scaled_errors(rows), [("good", "seasonal_naive")]).iloc[0]
    assert found["n_cutoffs"] == n_cutoffs
    measured = (found["mean_difference"], found["statistic"], found["p_value"])
    assert measured == pytest.approx(loop(rows, "good", "seasonal_naive"), rel=1e-9)


def test_the_verdict_is_in_plain_english():
    better = compare(scaled_errors(scored()), [("good", "seasonal_naive"), ("seasonal_naive", "good")])
    assert better["verdict"].tolist() == ["better", "worse"]
    assert better["statistic"].iloc[0] == pytest.approx(-better["statistic"].iloc[1])
    alike = compare(scaled_errors(scored(edge=0.0)), [("good", "seasonal_naive")]).iloc[0]
    assert alike["verdict"] == "no clear difference" and alike["p_value"] > 0.05
    errors = scaled_errors(scored())
    same = compare(errors.assign(twin=errors["good"]), [("good", "twin")]).iloc[0]
    assert (same["mean_difference"], same["p_value"], same["verdict"]) == (0.0, 1.0, "no clear difference")


def test_too_few_cutoffs_tell_nothing():
    few = compare(scaled_errors(scored(significance.MIN_CUTOFFS - 1)), [("good", "seasonal_naive")]).iloc[0]
    assert few["n_cutoffs"] == 11 and few["verdict"] == "too few cutoffs to tell" and math.isnan(few["p_value"])
    assert few["mean_difference"] < 0
    empty = compare(
        scaled_errors(scored().iloc[:0]).reindex(columns=["good", "seasonal_naive"]), [("good", "seasonal_naive")]
    )
    assert empty["verdict"].tolist() == ["too few cutoffs to tell"] and empty["n_cutoffs"].tolist() == [0]
    assert compare(scaled_errors(scored().iloc[:0]), []).columns.tolist() == significance.COMPARISON_COLUMNS


def test_a_difference_that_never_varies_has_no_variance():
    assert all(math.isnan(value) for value in diebold_mariano(np.full(18, 0.25), 6))


def test_only_whole_cutoffs_of_single_series_on_common_rows_count():
    rows = scored()
    more = rows.assign(aggregation="total", q500=1e9)
    recent = rows.assign(evaluation_set="recent", cutoff=rows["cutoff"] + pd.DateOffset(years=9))
    unscaled = rows.assign(unique_id="N/C", scale=0.0)
    both = scaled_errors(pd.concat([rows, more, recent, unscaled], ignore_index=True))
    pd.testing.assert_frame_equal(both, scaled_errors(rows))
    lacking = rows[~((rows["model_name"] == "good") & (rows["cutoff"] < "2020-04-01"))]
    found = compare(scaled_errors(lacking), [("good", "seasonal_naive")]).iloc[0]
    assert found["n_cutoffs"] == 15
    assert found["statistic"] == pytest.approx(loop(rows[rows["cutoff"] >= "2020-04-01"], "good", "seasonal_naive")[1])


def test_pairs_are_each_model_with_the_seasonal_naive_and_challenger_with_incumbent():
    models = ["linear", "naive", "seasonal_naive"]
    assert pairs(models, {"challenger": "linear", "incumbent": "naive"}) == [
        ("linear", "seasonal_naive"),
        ("naive", "seasonal_naive"),
        ("linear", "naive"),
    ]
    assert pairs(models, {"challenger": "linear", "incumbent": "seasonal_naive"})[-1] == ("naive", "seasonal_naive")
    assert pairs(models, {"challenger": None, "incumbent": "gone"}) == pairs(
        models, {"challenger": "x", "incumbent": "naive"}
    )
