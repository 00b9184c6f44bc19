"""Pretraining: windows drawn from series, a training that can be stopped, the weights that come with the package and their card."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import competitions, models
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.errors import UserError
from forecasting.models.cnn_lstm import CNNLSTMForecastModel, experience
from forecasting.pretraining import Corpus, loop, training
from forecasting.pretraining import __main__ as command
from forecasting.pretraining.drawing_windows import FEWEST, draw
from forecasting.pretraining.examples import Public, block, windows_of
from forecasting.pretraining.loop import run_stage
from forecasting.pretraining.recipe import MADE, REAL, SHARES, Recipe, Stage
from forecasting.run import PRETRAINED
from forecasting.series import WINDOW, month_start
from synthetic import company, series

SMALL = Recipe(
    first=Stage("made", 3, {MADE: 1.0}, (2e-3, 1e-3)),
    second=Stage("real", 2, {MADE: 0.5, "mixed": 0.25, REAL: 0.25}, (1e-3, 1e-4)),
    block=64, batch=16, uses=1, warm_up=2, size={"horizon": 6, "sequence": 12, "channels": 4, "hidden": 4, "trunk": 8, "head": 8},
)  # fmt: skip


def corpus(seed: int = 0, without: frozenset[str] = frozenset()) -> Corpus:
    """A corpus of three series of each of two sources."""
    rng, parts = np.random.default_rng(seed), []
    for source in ("m3_monthly", "pbs"):
        for number in range(3):
            y = rng.lognormal(3, 0.2, 60 + number)
            parts.append(
                pd.DataFrame(
                    {"source": source, "unique_id": f"s{number}", "ds": month_start(240 + np.arange(len(y))), "y": y}
                )
            )
    rows = pd.concat(parts, ignore_index=True)
    return Corpus(rows[~rows["source"].isin(without)], pd.DataFrame(columns=["source", "why"]), without)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are made here: a process of its own takes seconds to start."""

    def blocks(recipe: Recipe, stage: Stage, numbers: range, public: Public | None, statistics: object) -> Iterator:
        return (block(recipe, stage, number, public, statistics)[0] for number in numbers)

    monkeypatch.setattr(loop, "blocks", blocks)


def weights(learned: loop.Learned) -> dict[str, torch.Tensor]:
    return {
        **learned.averaged.state_dict(),
        **{f"now {name}": value for name, value in learned.network.state_dict().items()},
    }


def assert_same(one: loop.Learned, other: loop.Learned) -> None:
    for name, value in weights(one).items():
        assert torch.equal(weights(other)[name], value), name
    assert one.losses == other.losses


# --- windows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([None, 0.0, 1.0, 2.0, 5.0]), min_size=1, max_size=150), st.integers(0, 2**20))
def test_a_window_is_a_stretch_of_its_series_that_begins_when_the_series_lives(
    given_values: list[float | None], seed: int
):
    y = np.array([np.nan if value is None else value for value in given_values])
    y = np.where(np.isnan(y), 3.0, y) if seed % 2 else y  # half of them without gaps
    found = draw(np.random.default_rng(seed), y[None], np.array([600]), 6)
    known = [number for number, value in enumerate(y) if np.isfinite(value)]
    lived = [number for number in known if y[number] != 0]
    if not lived or known[-1] + 1 - lived[0] <= FEWEST:
        assert len(found.window) == 0
        return
    origin = found.month[0] - 600
    assert lived[0] + FEWEST - 1 <= origin < known[-1]
    length = int(np.argmax(np.isfinite(found.window[0])))
    first = origin - (WINDOW - 1 - length)
    assert first >= lived[0]
    np.testing.assert_array_equal(found.window[0, length:], y[first : origin + 1])
    expected = [y[origin + step] if origin + step < len(y) else np.nan for step in range(1, 7)]
    np.testing.assert_array_equal(found.future[0], expected)


def test_histories_of_all_lengths_are_drawn():
    rng = np.random.default_rng(1)
    found = draw(rng, rng.lognormal(size=(4000, 200)), np.zeros(4000, dtype=int), 24)
    months = np.isfinite(found.window).sum(axis=1)
    assert months.min() == FEWEST and months.max() == WINDOW
    assert 0.2 < (months < 40).mean() < 0.6 and (months >= 72).mean() > 0.15


def test_the_corpus_as_a_panel_has_each_month_in_its_column():
    public = Public.of(corpus())
    assert public.first_month == 240 and public.values.shape == (6, 62)
    rows = corpus().rows
    np.testing.assert_array_equal(
        public.values[4][:61], rows[(rows["source"] == "pbs") & (rows["unique_id"] == "s1")]["y"]
    )
    assert np.isnan(public.values[4][61])
    by_source = public.chance.reshape(2, 3)
    np.testing.assert_allclose(
        by_source.sum(axis=1) / by_source.sum(), np.array([SHARES["m3_monthly"], SHARES["pbs"]]) / 42.0
    )
    assert public.phase_unknown.tolist() == [True] * 3 + [False] * 3


def test_only_series_whose_calendar_is_not_told_are_turned():
    public, found = Public.of(corpus()), set()
    for number in range(30):
        drawn = windows_of(REAL, SMALL, SMALL.second, number, 20, public)
        for window, month in zip(drawn.window, drawn.month, strict=True):
            last = np.argwhere(public.values == window[-1])[0]
            turned = month - (public.first_month + last[1])
            assert 0 <= turned < 12 and (turned == 0 or public.phase_unknown[last[0]])
            found.add((bool(public.phase_unknown[last[0]]), int(turned)))
    assert len(found) == 13


def test_a_block_is_the_same_each_time_and_no_other():
    public = Public.of(corpus())
    one, statistics = block(SMALL, SMALL.second, 1, public, None)
    again, other = (
        block(SMALL, SMALL.second, 1, public, statistics)[0],
        block(SMALL, SMALL.second, 2, public, statistics)[0],
    )
    assert len(one) == 64 == len(again)
    for part, same in zip(one.inputs.parts, again.inputs.parts, strict=True):
        assert torch.equal(part, same)
    assert not torch.equal(one.targets, other.targets)
    assert one.weight.mean().item() == pytest.approx(1.0, abs=0.4)


# --- the training


def test_a_training_that_is_stopped_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_this_process: None
):
    undisturbed = run_stage(SMALL, SMALL.first, tmp_path / "one", None, None, "", quiet=True)
    monkeypatch.setattr(loop, "SAVE_EVERY", 1)
    learn = loop._Stage.learn

    def stopped(self: loop._Stage, number: int, examples: object) -> None:
        learn(self, number, examples)
        if number == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop._Stage, "learn", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_stage(SMALL, SMALL.first, tmp_path / "two", None, None, "", quiet=True)
    monkeypatch.setattr(loop._Stage, "learn", learn)
    went_on = run_stage(SMALL, SMALL.first, tmp_path / "two", None, None, "", quiet=True)
    assert_same(went_on, undisturbed)
    done = run_stage(SMALL, SMALL.first, tmp_path / "two", None, None, "", quiet=True)  # nothing is left to do
    assert_same(done, undisturbed)


def test_blocks_made_by_another_process_are_the_same(
    tmp_path: Path, can_start_processes: None, monkeypatch: pytest.MonkeyPatch
):
    beside = run_stage(SMALL, SMALL.first, tmp_path / "one", None, None, "", quiet=True)
    monkeypatch.setattr(
        loop,
        "blocks",
        lambda recipe, stage, numbers, public, known: (block(recipe, stage, n, public, known)[0] for n in numbers),
    )
    assert_same(run_stage(SMALL, SMALL.first, tmp_path / "two", None, None, "", quiet=True), beside)


def test_another_recipe_or_corpus_starts_anew(tmp_path: Path, in_this_process: None):
    first = run_stage(SMALL, SMALL.first, tmp_path / "made", None, None, "", quiet=True)
    public = Public.of(corpus())
    one = run_stage(SMALL, SMALL.second, tmp_path / "all", public, first, "one", quiet=True)
    other = run_stage(SMALL, SMALL.second, tmp_path / "all", Public.of(corpus(seed=5)), first, "other", quiet=True)
    assert one.losses != other.losses and len(other.losses) == SMALL.second.blocks
    assert all(np.isfinite(one.losses)) and one.statistics is first.statistics


def test_pretraining_learns(tmp_path: Path, in_this_process: None):
    more = Recipe(
        first=Stage("made", 12, {MADE: 1.0}, (5e-3, 1e-3)),
        block=256,
        batch=64,
        uses=4,
        warm_up=5,
        averaging=0.9,
        size=SMALL.size,
    )
    learned = run_stage(more, more.first, tmp_path, None, None, "", quiet=True)
    unseen = block(more, more.first, 999, None, learned.statistics)[0]
    fresh = loop._Stage.begun(more, more.first, None, torch.device("cpu")).network
    assert training_loss(learned.averaged, unseen) < 0.8 * training_loss(fresh, unseen)


def training_loss(network: torch.nn.Module, examples: object) -> float:
    from forecasting.models.cnn_lstm.training import mean_loss

    return mean_loss(network, examples)


# --- weights and card


def test_the_weights_lie_between_those_of_the_stages(tmp_path: Path, in_this_process: None):
    first = run_stage(SMALL, SMALL.first, tmp_path / "made", None, None, "", quiet=True)
    second = run_stage(SMALL, SMALL.second, tmp_path / "all", Public.of(corpus()), first, "one", quiet=True)
    found = training.between(first, second, 0.25)
    for name, value in second.averaged.state_dict().items():
        torch.testing.assert_close(found[name], 0.75 * first.averaged.state_dict()[name] + 0.25 * value)


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_this_process: None) -> Path:
    """Networks of a small recipe, one of which has not seen a set."""
    monkeypatch.setattr(training, "corpus_of", lambda root, without: corpus(without=frozenset(without)))
    monkeypatch.setattr(training, "described", lambda found, _: {"sources": [{"name": "pbs"}], "dropped": []})
    return training.train(tmp_path, SMALL, (None, "m3_monthly"), quiet=True)


def test_the_networks_differ_by_what_they_have_seen_and_the_card_says_what_that_was(trained: Path):
    card = json.loads((trained / "model_card.json").read_text())
    assert [one["name"] for one in card["networks"]] == ["all", "without_m3_monthly"]
    assert [one["corpus_fingerprint"] for one in card["networks"]] == [
        corpus().fingerprint(), corpus(without=frozenset(["m3_monthly"])).fingerprint(),
    ]  # fmt: skip
    assert card["weights_sha256"] == hashlib.sha256((trained / "model.ckpt").read_bytes()).hexdigest()
    assert card["recipe"] == json.loads(json.dumps(SMALL.to_json()))
    whole, less = (experience.read(trained, name) for name in ("all", "without_m3_monthly"))
    assert any(
        not torch.equal(a, b) for a, b in zip(whole.network.parameters(), less.network.parameters(), strict=True)
    )
    np.testing.assert_array_equal(whole.statistics.mean, less.statistics.mean)
    with pytest.raises(UserError, match=r"no pretrained network «without_m4»\. There are: all, without_m3_monthly"):
        experience.read(trained, "without_m4")


def test_weights_are_installed_with_the_scores_that_were_measured_with_them(trained: Path, tmp_path: Path):
    package = tmp_path / "package"
    training.install(tmp_path, trained, package)
    card = json.loads((package / "model_card.json").read_text())
    assert card["scores"] == []
    scores = tmp_path / PRETRAINED
    scores.parent.mkdir(parents=True)
    rows = [{"dataset": "m3_monthly", "model": "zero_shot", "mase": 0.85, "weights": card["weights_sha256"]},
            {"dataset": "m3_monthly", "model": "zero_shot", "mase": 0.9, "weights": "of others"}]  # fmt: skip
    pd.DataFrame(rows).to_csv(scores, index=False)
    training.install(tmp_path, trained, package)
    assert json.loads((package / "model_card.json").read_text())["scores"] == [
        {"dataset": "m3_monthly", "model": "zero_shot", "mase": 0.85}
    ]
    assert (package / "model.ckpt").read_bytes() == (trained / "model.ckpt").read_bytes()


def test_the_command_says_where_the_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(training, "train", lambda root, recipe: root / "runs" / "pretraining" / "weights")
    installed = []
    monkeypatch.setattr(training, "install", lambda root, folder: installed.append(folder))
    assert command.main(["train"], tmp_path) == 0 and not installed
    assert "runs/pretraining/weights" in capsys.readouterr().out
    assert command.main(["train", "--install", "1"], tmp_path) == 0 and installed == [
        tmp_path / "runs" / "pretraining" / "weights"
    ]


# --- what comes with the package


def test_the_package_s_weights_are_those_of_their_card_and_small():
    card = experience.card()
    content = (experience.FOLDER / "model.ckpt").read_bytes()
    assert len(content) <= training.LARGEST and hashlib.sha256(content).hexdigest() == card["weights_sha256"]
    expected = [experience.name_of(name) for name in (None, *competitions.SOURCES)]
    assert [one["name"] for one in card["networks"]] == expected
    assert len({one["corpus_fingerprint"] for one in card["networks"]}) == len(expected)
    assert card["recipe"] == json.loads(json.dumps(Recipe().to_json())), (
        "the weights were made by another recipe: make pretrain INSTALL=1"
    )
    assert all(source["data_licence"] for source in card["sources"])
    for name in (None, *competitions.SOURCES):
        network = experience.experience(name).network
        assert sum(one.numel() for one in network.parameters()) == card["weights_of_a_network"]


@pytest.mark.parametrize("variant", ["zero_shot", "fine_tuned"])
def test_a_pretrained_network_forecasts_a_company_that_it_has_never_seen(variant: str, tmp_path: Path):
    train = company(72, seed=6, regions=3, categories=3)
    past, future = train[train["ds"] <= "2022-12-01"], train[train["ds"] > "2022-12-01"]
    errors = {}
    for model in (CNNLSTMForecastModel(variant=variant), models.get("seasonal_naive")()):
        result = models.forecast(model.fit(past), past, 12, True).merge(future, on=["unique_id", "ds"])
        errors[model.name] = (result["q500"] - result["y"]).abs().mean()
        if model.name == "cnn_lstm":
            assert (
                not result["is_fallback"].any()
                and 0.6 < result["y"].between(result["q100"], result["q900"]).mean() < 0.97
            )
            model.save(tmp_path)
            pd.testing.assert_frame_equal(
                models.load(tmp_path).predict(past, 6), model.predict(past, 6), check_exact=True
            )
    assert errors["cnn_lstm"] < 0.9 * errors["seasonal_naive"]


def test_fitting_leaves_the_shared_network_as_it_is():
    before = {name: value.clone() for name, value in experience.experience().network.state_dict().items()}
    train = company(40)
    tuned = CNNLSTMForecastModel(variant="fine_tuned", tuning_steps=5).fit(train)
    zero = CNNLSTMForecastModel(variant="zero_shot").fit(train)
    assert not np.array_equal(tuned.predict(train, 6)[QUANTILE_COLUMNS], zero.predict(train, 6)[QUANTILE_COLUMNS])
    for name, value in experience.experience().network.state_dict().items():
        assert torch.equal(value, before[name]), name
    again = CNNLSTMForecastModel(variant="fine_tuned", tuning_steps=5).fit(train)
    pd.testing.assert_frame_equal(again.predict(train, 6), tuned.predict(train, 6), check_exact=True)


def test_the_fewer_months_there_are_to_learn_from_the_shorter_the_tuning():
    """Of forty months 27 are left after the thirteen that a window needs; of a product's first three none."""
    young = series([5.0, 7.0, 6.0], "New/x", "2023-02-01")
    for train in (company(40), company(20), pd.concat([company(40), young])):
        found = CNNLSTMForecastModel(variant="fine_tuned").fit(train).curve["step"].max()
        months = [max(len(part) - 13, 0) for _, part in train.groupby("unique_id")]
        assert found == round(sum(months) / len(months))
    assert CNNLSTMForecastModel(variant="fine_tuned", tuning_steps=5).fit(company(40)).curve["step"].max() == 5


def test_a_variant_that_there_is_not_is_named():
    with pytest.raises(UserError, match="no variant quick. There are: zero_shot, fine_tuned, from_scratch"):
        CNNLSTMForecastModel(variant="quick")
