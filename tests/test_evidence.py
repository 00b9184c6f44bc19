"""What speaks for another model: the evidence against a naive loop, and what luck does to those who ask for none."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.evaluation import evidence, losses, strongest
from forecasting.evaluation.evidence import DEFAULT, HALF_LIFE

GOOD = [DEFAULT, "ets", "theta", "ces", "trees", "network", "linear"]


def table(values: np.ndarray, step: int = 1, models: list[str] = GOOD) -> pd.DataFrame:
    """Losses [models, series, origins] as a table; NaN: not there."""
    places = [models, [f"s{number}" for number in range(values.shape[1])], step * np.arange(values.shape[2])]
    index = pd.MultiIndex.from_product(places, names=["model_name", "unique_id", "origin"])
    return pd.Series(values.ravel(), index, name="mase").dropna().reset_index()


def drawn(seed: int, n_series: int = 30, n_origins: int = 16, better: float = 0.0) -> np.ndarray:
    """Losses of models that are equally good, the second one better by a share: surprises of origin, series and each forecast."""
    rng = np.random.default_rng(seed)
    shape = (len(GOOD), n_series, n_origins)
    surprise = [rng.normal(0, 0.08, (shape[0], *rest)) for rest in ((1, shape[2]), (shape[1], 1), shape[1:])]
    found = 1.0 + sum(surprise)
    found[1] -= better
    return found


def by_loop(known: pd.DataFrame, model: str, against: str, horizon: int, draws: int) -> tuple[float, float, float]:
    """Lead, noise and luck of a model in %, each sum written out."""
    cells = known.pivot(index=["unique_id", "origin"], columns="model_name", values="mase").dropna()
    last = max(origin for _, origin in cells.index)
    weight = {cell: 0.5 ** ((last - cell[1]) / HALF_LIFE) for cell in cells.index}
    total = sum(weight.values())
    lead = sum(weight[cell] * (row[against] - row[model]) for cell, row in cells.iterrows()) / total
    base = sum(weight[cell] * row[against] for cell, row in cells.iterrows()) / total
    rest = {cell: weight[cell] / total * (row[against] - row[model] - lead) for cell, row in cells.iterrows()}
    overlap = lambda one, other: max(0.0, 1.0 - abs(one - other) / horizon)  # noqa: E731
    pairs = [(one, other) for one in rest for other in rest]
    by_series = sum(rest[one] * rest[other] for one, other in pairs if one[0] == other[0])
    by_origin = sum(rest[one] * rest[other] * overlap(one[1], other[1]) for one, other in pairs)
    twice = sum(rest[one] * rest[other] * overlap(one[1], other[1]) for one, other in pairs if one[0] == other[0])
    worth = 1.0 / sum(weight[one] * weight[other] * overlap(one[1], other[1]) for one, other in pairs) * total**2
    freedom = max(worth - 1.0, 0.5)
    by_origin *= (freedom + 1.0) / freedom
    noise = math.sqrt(max(by_series + by_origin - twice, by_series, by_origin))
    luck = noise * stats.t.ppf((draws - 0.375) / (draws + 0.25), freedom) if draws > 1 else 0.0
    return 100 * lead / base, 100 * noise / base, 100 * luck / base


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 6), st.integers(1, 3), st.booleans())
def test_lead_noise_and_luck_agree_with_a_loop(seed: int, n_series: int, n_origins: int, step: int, gaps: bool):
    values = drawn(seed, n_series, n_origins)
    if gaps and n_series > 1:
        values[:, 0, : n_origins // 2] = math.nan  # a series that begins later
    known = table(values, step)
    found = evidence(known, "mase", "ets", horizon=6, named=[DEFAULT])
    assert list(found.index) == sorted(GOOD)
    for model in GOOD:
        draws = 1 if model in ("ets", DEFAULT) else len(GOOD) - 2
        expected = by_loop(known, model, "ets", 6, draws)
        measured = found.loc[model, ["lead_pct", "noise_pct", "luck_pct"]].to_numpy(float)
        np.testing.assert_allclose(measured, expected, rtol=1e-6, atol=1e-7)
        assert found.loc[model, "left_pct"] == pytest.approx(expected[0] - expected[2], abs=1e-6)


def replaced(seeds: range, **how) -> float:
    """How often another model than the default would be chosen, where 1 % must be left."""
    tables = [evidence(table(drawn(seed, **how)), "mase", DEFAULT) for seed in seeds]
    return float(np.mean([found.loc[strongest(found, DEFAULT), "left_pct"] >= 1.0 for found in tables]))


def test_of_equally_good_models_the_default_stays_and_a_better_one_is_found():
    """Whoever takes the lowest mean replaces the default almost always, and for nothing."""
    lowest = [int(np.argmin(drawn(seed).mean(axis=(1, 2)))) for seed in range(30)]
    assert np.mean([place != 0 for place in lowest]) > 0.75
    assert replaced(range(30)) < 0.25
    assert replaced(range(30), better=0.3) > 0.9


def test_more_series_are_no_more_origins():
    """A thousand series at the same four origins share four surprises: what luck gives hardly falls."""
    luck = [
        evidence(table(drawn(1, n_series, 4)), "mase", DEFAULT)["luck_pct"].drop(DEFAULT).mean()
        for n_series in (30, 1000)
    ]
    more = evidence(table(drawn(1, 30, 24)), "mase", DEFAULT)["luck_pct"].drop(DEFAULT).mean()
    assert luck[1] > 0.5 * luck[0] and more < 0.5 * luck[0]


def test_luck_grows_with_the_number_of_models_and_one_alone_has_none():
    known = table(drawn(3))
    luck = [
        evidence(known[known["model_name"].isin(GOOD[:n])], "mase", DEFAULT).loc["ets", "luck_pct"]
        for n in (2, 3, 5, 7)
    ]
    assert luck[0] == 0.0 and (np.diff(luck) > 0).all()


def test_recent_origins_count_more():
    values = drawn(5)
    values[1, :, -6:] -= 0.2
    earlier = values[:, :, ::-1]
    assert (
        evidence(table(values), "mase", DEFAULT).loc["ets", "lead_pct"]
        > evidence(table(earlier), "mase", DEFAULT).loc["ets", "lead_pct"]
    )


def test_of_equally_strong_models_the_simplest_is_taken():
    known = table(np.ones((3, 2, 4)), models=[DEFAULT, "a", "b"])
    found = evidence(known, "mase", DEFAULT)
    assert (found["lead_pct"] == 0).all()
    assert strongest(found, DEFAULT, ["b", "a"]) == "b" and strongest(found, DEFAULT) == "a"
    assert strongest(found.loc[[DEFAULT]], DEFAULT) is None


def scored(rows: list[dict]) -> pd.DataFrame:
    known = {
        "aggregation": "series",
        "unique_id": "A",
        "cutoff": "2024-01-01",
        "horizon": 1,
        "evaluation_set": "choice",
        "model_name": "one",
    }
    known |= {"y": 100.0, "scale": 10.0, "squared_scale": 400.0, **dict.fromkeys(QUANTILE_COLUMNS, 110.0)}
    return pd.DataFrame([{**known, **row} for row in rows]).astype({"cutoff": "datetime64[ns]"})


def test_losses_are_means_over_the_months_ahead_of_single_series_at_cutoffs_that_choose():
    found = losses(
        scored(
            [
                {"y": 90.0},
                {"horizon": 2, "y": 130.0},
                {"evaluation_set": "calibration", "cutoff": "2023-12-01", "scale": 0.1},
                {"evaluation_set": "held_out", "cutoff": "2024-02-01"},
                {"evaluation_set": "recent", "cutoff": "2024-03-01"},
                {"aggregation": "total", "unique_id": "total"},
                {"unique_id": "still", "scale": math.nan},
                {"model_name": "lacks a month"},
            ]
        )
    )
    assert found[["unique_id", "origin", "model_name"]].to_numpy().tolist() == [["A", 647, "one"], ["A", 648, "one"]]
    assert found["mase"].tolist() == [20.0, 2.0]  # a scale that is tiny does not decide for all
    assert found["rmsse"].tolist() == [0.25, 1.0]
    mean = (90 + 130 + 100) / 3
    np.testing.assert_allclose(found["wape"], [10 / mean, 20 / mean])
    np.testing.assert_allclose(found["scaled_crps"], [10 / mean, 20 / mean])
