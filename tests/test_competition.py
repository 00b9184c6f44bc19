"""How a competition set is forecast: each model once per stretch of time, never from months after an origin, side by side as alone."""

import numpy as np
import pandas as pd
import pytest

from forecasting import competitions, engine, models
from forecasting.benchmark import competition
from forecasting.benchmark.competition import REFIT, forecast_all, origins, rows, said, stretches, until
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.models.statistical import AutoCES, AutoETS

DATASET = competitions.load("m1_monthly").inside().spread(6)


def members(horizon: int, without: str | None = None) -> list[models.Model]:
    return [Naive(), SeasonalNaive(), AutoETS(), AutoCES()]


@pytest.fixture
def few(monkeypatch):
    """Few models."""
    monkeypatch.setattr(competition, "default_models", members)


def test_processes_side_by_side_change_no_number(few, can_start_processes):
    alone = forecast_all(DATASET.train, DATASET.horizon)
    with engine.pool(2):
        together = forecast_all(DATASET.train, DATASET.horizon)
    pd.testing.assert_frame_equal(together.forecasts, alone.forecasts, check_exact=True)
    names = {"naive", "seasonal_naive", "auto_ets", "auto_ces", "median", "weighted", "champion"}
    assert set(alone.seconds) == set(together.seconds) == set(alone.forecasts["model_name"]) == names
    assert alone.forecasts.groupby("model_name").size().eq(len(DATASET.test)).all()


@pytest.mark.parametrize("kind", [Naive, AutoETS])
def test_a_model_learns_at_the_first_month_of_each_stretch_and_of_the_whole_at_last(kind):
    earlier = [until(DATASET.train, months) for months in origins(DATASET.horizon)]
    parts = stretches(kind(), earlier, DATASET.train)
    assert [len(part) for part in parts] == [min(kind.refit_every, REFIT)] * (len(earlier) // len(parts[0])) + [1]
    pd.testing.assert_frame_equal(
        pd.concat([one for part in parts for one in part]), pd.concat([*earlier, DATASET.train])
    )
    found, seconds = said(kind(), parts[0], DATASET.horizon)
    model = kind().fit(parts[0][0])
    for part, forecasts in zip(parts[0], found, strict=True):
        pd.testing.assert_frame_equal(forecasts, rows(model, part, DATASET.horizon), check_exact=True)
    assert seconds > 0


def test_an_origin_knows_nothing_of_what_came_later():
    months = origins(DATASET.horizon)[0]
    changed = DATASET.train.copy()
    late = changed.groupby("unique_id").cumcount(ascending=False) < months
    changed.loc[late, "y"] = np.nan
    was, now = (said(AutoETS(), [until(train, months)], DATASET.horizon)[0][0] for train in (DATASET.train, changed))
    pd.testing.assert_frame_equal(now[QUANTILE_COLUMNS], was[QUANTILE_COLUMNS], check_exact=True)
