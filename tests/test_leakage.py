"""Leakage by force: every value after a cutoff is changed, and nothing that was said at that cutoff may change with it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from forecasting import models
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.evaluation.backtest import walk_forward
from forecasting.evaluation.cutoffs import cutoffs
from forecasting.intervals import calibrate_backtest
from forecasting.models.base import Model, point_forecast
from forecasting.models.combination import combining
from forecasting.series.panels import panel
from synthetic import company
from test_robustness import MEMBERS, NAMES, small

COLUMNS = list(QUANTILE_COLUMNS)
SINGLE = [name for name in NAMES if models.get(name).family != "combination"]
N_CUTOFFS = 4
REFIT_EVERY = (
    2  # a model that is refitted seldom is fitted at the first and the third, and handed newer months in between
)


class Said(NamedTuple):
    """What was said at the cutoffs: forecasts, forecasts with scale and interval, and the files of the fitted models."""

    raw: pd.DataFrame
    calibrated: pd.DataFrame
    files: dict[tuple[pd.Timestamp, str], bytes]


def training_set(name: str) -> pd.DataFrame:
    """A company whose series begin at different times; a small one for the costliest model."""
    return company(40, seed=5, regions=1, categories=2) if name == "auto_arima" else company(50, seed=5, categories=4)


def tampered(train: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Change every value after the cutoff beyond recognition."""
    later = train["ds"] > cutoff
    noise = np.random.default_rng(2).normal(0.0, 300.0, len(train))
    return train.assign(y=train["y"].where(~later, -3.0 * train["y"] + noise), is_imputed=later)


def chosen_cutoffs(train: pd.DataFrame) -> list[pd.Timestamp]:
    """Two months apart, so that the later ones have enough known errors for pools of their own."""
    return cutoffs(train["ds"], n_cutoffs=N_CUTOFFS, step=2)


def recorded(model: Model, directory: Path) -> Model:
    """The same model, which saves itself to `directory`/<last month> whenever it has been fitted."""

    def fit(self: Model, train: pd.DataFrame) -> Model:
        kind.fit(self, train).save(directory / f"{train['ds'].max():%Y-%m-%d}")
        return self

    kind = type(model)
    model.__class__ = type(kind.__name__, (kind,), {"fit": fit})
    if kind.refit_every > 1:
        model.refit_every = REFIT_EVERY
    return model


def walked(model: Model, train: pd.DataFrame, directory: Path) -> Said:
    """Walk a model forward, calibrate its forecasts, and read back what was saved at each cutoff."""
    raw = walk_forward(recorded(model, directory), train, "sales", chosen_cutoffs(train))
    files = {
        (pd.Timestamp(path.relative_to(directory).parts[0]), str(path.relative_to(directory))): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    return Said(raw, calibrated(raw, train), files)


def calibrated(raw: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    plan = pd.DataFrame({"cutoff": chosen_cutoffs(train), "evaluation_set": "choice"})
    return calibrate_backtest(raw, train, "sales", plan, allow_negative=True).rows


def assert_same_up_to(cutoff: pd.Timestamp, before: Said, after: Said) -> None:
    """Nothing that was said at the cutoff or before it has changed in a single bit."""
    for name in ("raw", "calibrated"):
        first, second = (getattr(said, name) for said in (before, after))
        first, second = (rows[rows["cutoff"] <= cutoff].reset_index(drop=True) for rows in (first, second))
        assert set(first["cutoff"]) and len(first) == len(second)
        pd.testing.assert_frame_equal(second, first, check_exact=True)
    first, second = ({key: one for key, one in said.files.items() if key[0] <= cutoff} for said in (before, after))
    assert second == first


def assert_changed_after(cutoff: pd.Timestamp, before: Said, after: Said) -> None:
    """What was said later has changed: the tampering reaches forecasts, scales and widths, so the test can fail."""
    first, second = (said.raw[said.raw["cutoff"] > cutoff].reset_index(drop=True) for said in (before, after))
    # which repeats months that lie before the cutoff, as TSB does of series that are not intermittent
    if not set(first["model_name"]) <= {"seasonal_naive", "tsb"}:
        assert (first["q500"] != second["q500"]).mean() > 0.7
    first, second = (said.calibrated[said.calibrated["cutoff"] > cutoff] for said in (before, after))
    assert not np.isclose(first["scale"], second["scale"]).any()
    width, changed = ((rows["q975"] - rows["q025"]).to_numpy() for rows in (first, second))
    assert (~np.isclose(width, changed)).mean() > 0.9


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """What every model says when nothing was tampered with."""
    folders = {name: tmp_path_factory.mktemp(name) for name in SINGLE}
    return {name: walked(small(name), training_set(name), folder) for name, folder in folders.items()}


@pytest.mark.parametrize("position", range(N_CUTOFFS - 1))
@pytest.mark.parametrize("name", SINGLE)
def test_nothing_said_at_a_cutoff_depends_on_what_came_later(
    name: str, position: int, original: dict[str, Said], tmp_path: Path
):
    train = training_set(name)
    cutoff = chosen_cutoffs(train)[position]
    after = walked(small(name), tampered(train, cutoff), tmp_path)
    assert_same_up_to(cutoff, original[name], after)
    assert_changed_after(cutoff, original[name], after)


def test_intervals_rest_on_known_errors_where_the_test_looks(original: dict[str, Said]):
    for name in set(SINGLE) - {"auto_arima"}:
        pools = (
            original[name]
            .calibrated.groupby("cutoff")["interval_pool"]
            .agg(lambda pool: set(pool.str.split(",").str[0]))
        )
        own = {"series", "sums"} <= pools.iloc[-2] and not any("naive" in pool for pool in pools.iloc[-2])
        assert own and len(original[name].files) > 0


# --- combinations: weights from the errors of members that are themselves free of what came later


def combined(name: str, raws: list[pd.DataFrame], train: pd.DataFrame) -> Said:
    model, raw = small(name), pd.concat(raws, ignore_index=True)
    found = model.combine(raw) if name == "median" else model.walk_forward(raw, train)
    files = weights_learned(raw, train) if name == "weighted" else {}
    return Said(found, calibrated(found, train), files)


def weights_learned(raw: pd.DataFrame, train: pd.DataFrame) -> dict[tuple[pd.Timestamp, str], bytes]:
    model = small("weighted")
    known = combining.past_errors(raw, train, model.names)
    return {
        (cutoff, "weights"): model.learn(known[known["ds"] <= cutoff]).weights.to_numpy().tobytes()
        for cutoff in chosen_cutoffs(train)
    }


@pytest.mark.parametrize("position", [1, 2])
def test_no_combination_weight_or_interval_depends_on_what_came_later(
    position: int, original: dict[str, Said], tmp_path: Path
):
    train = training_set("weighted")
    cutoff = chosen_cutoffs(train)[position]
    changed = tampered(train, cutoff)
    raws = [walked(small(member), changed, tmp_path / member).raw for member in MEMBERS]
    for name in ("median", "weighted"):
        before = combined(name, [original[member].raw for member in MEMBERS], train)
        after = combined(name, raws, changed)
        assert_same_up_to(cutoff, before, after)
        assert_changed_after(cutoff, before, after)
    weights = before.files, after.files
    assert len(set(weights[0].values())) == N_CUTOFFS
    assert all(weights[1][key] != one for key, one in weights[0].items() if key[0] > cutoff)


# --- the test itself: it finds a leak of each kind


class Clairvoyant(Model):
    """Knows the mean of the whole training set, months to come included."""

    name = "clairvoyant"
    family = "test"

    def __init__(self, train: pd.DataFrame) -> None:
        super().__init__()
        self.mean = float(train["y"].mean())

    def fit(self, train: pd.DataFrame) -> Model:
        return self

    def predict(self, history: pd.DataFrame, horizon: int) -> pd.DataFrame:
        known = panel(history)
        return point_forecast(known.ids, known.last, known.values[:, -1:] + 1e-12 * self.mean * np.ones(horizon))

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)


def test_a_model_that_knows_the_future_is_found_out(tmp_path: Path):
    train = training_set("clairvoyant")
    cutoff = chosen_cutoffs(train)[1]
    changed = tampered(train, cutoff)
    before = walked(Clairvoyant(train), train, tmp_path / "before")
    with pytest.raises(AssertionError):
        assert_same_up_to(cutoff, before, walked(Clairvoyant(changed), changed, tmp_path / "after"))
    assert_same_up_to(cutoff, before, walked(Clairvoyant(train), changed, tmp_path / "blind"))


@pytest.mark.parametrize("part", ["scale", "interval", "file"])
def test_a_scale_an_interval_or_a_file_that_knows_the_future_is_found_out(part: str, original: dict[str, Said]):
    train, said = training_set("linear"), original["linear"]
    cutoff = chosen_cutoffs(train)[1]
    future = float(tampered(train, cutoff)["y"].iloc[-1])
    leaking = {
        "scale": said._replace(calibrated=said.calibrated.assign(scale=said.calibrated["scale"] + 1e-9 * future)),
        "interval": said._replace(calibrated=said.calibrated.assign(q975=said.calibrated["q975"] + 1e-9 * future)),
        "file": said._replace(files={key: one + str(future).encode() for key, one in said.files.items()}),
    }
    with pytest.raises(AssertionError):
        assert_same_up_to(cutoff, said, leaking[part])


def test_weights_learned_from_all_errors_are_found_out(original: dict[str, Said], monkeypatch: pytest.MonkeyPatch):
    train = training_set("weighted")
    cutoff = chosen_cutoffs(train)[2]
    raws = [original[member].raw for member in MEMBERS]
    assert_same_up_to(cutoff, combined("weighted", raws, train), combined("weighted", raws, tampered(train, cutoff)))
    kind = models.get("weighted")
    honest = kind.learn

    def learn_all(self: Model, known: pd.DataFrame) -> Model:
        self.everything = known if not hasattr(self, "everything") else self.everything
        return honest(self, self.everything)

    def leaking(changed: pd.DataFrame) -> Said:
        model, raw = small("weighted"), pd.concat(raws, ignore_index=True)
        model.everything = combining.past_errors(raw, changed, model.names)
        found = model.walk_forward(raw, changed)
        return Said(found, calibrated(found, changed), {})

    monkeypatch.setattr(kind, "learn", learn_all)
    with pytest.raises(AssertionError):
        assert_same_up_to(cutoff, leaking(train), leaking(tampered(train, cutoff)))
