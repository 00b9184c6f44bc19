"""Many series in shards: the same bits however they are split and whoever does them; what fails or is stopped costs no more than itself."""

import json
import logging
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting import evaluation, models
from forecasting.contracts import QUANTILE_COLUMNS
from forecasting.engine import Engine, Work, left_out, run_shards, shard_size, shards, unit
from forecasting.engine.local import Here
from forecasting.errors import UserError
from forecasting.evaluation import Sample, backtest, drawn, known_at, many
from forecasting.models.boosting import BoostingModel, DirectBoostingModel
from forecasting.models.cnn_lstm import BLOCK, CNNLSTMForecastModel
from forecasting.models.combination import MedianCombination
from forecasting.models.forecasts import forecast_apart
from forecasting.models.intermittent import TSB
from forecasting.models.linear import LinearModel
from forecasting.models.naive import Naive, SeasonalNaive
from forecasting.models.statistical import DynamicOptimizedTheta
from forecasting.run import RunFolder, progress
from forecasting.series import Nodes, Wide, as_nodes, month_number, panel
from many_series import many_series

CUTOFFS = [pd.Timestamp(month) for month in ("2023-04-01", "2023-08-01")]
COUNT = 40
EVERY_MODEL = (
    SeasonalNaive(),
    TSB(),
    LinearModel(penalties=[100.0]),
    BoostingModel(trees=10),
    DirectBoostingModel(trees=10, horizon=6),
    DynamicOptimizedTheta(),
)


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    """A company of some shops and products."""
    return many_series(COUNT)


def at_once(model, train, **asked) -> pd.DataFrame:
    """Return the walk-forward of a small company, that of all series in one piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest, "MANY", 10**9)
        return evaluation.walk_forward(model, train, "sales", CUTOFFS, **asked)


def in_shards(model, train, size: int, engine: Engine | None = None, **asked) -> pd.DataFrame:
    """Return the walk-forward by shards of so many series and sums."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest, "MANY", 1)
        patch.setattr(many, "shard_size", lambda *_: size)
        return evaluation.walk_forward(model, train, "sales", CUTOFFS, engine=engine, **asked)


class TestNodes:
    @given(st.integers(0, 10_000), st.integers(1, 12))
    @settings(max_examples=8)
    def test_what_was_known_of_each_is_what_the_long_tables_say(self, seed, size):
        train = many_series(12, months=30, seed=seed, regions=3)
        months = [
            month for month in pd.date_range("2021-12-01", "2023-12-01", freq="5MS") if (train["ds"] == month).any()
        ]
        nodes = Wide.of(train).nodes(month_number(pd.DatetimeIndex(months)))
        parts = list(nodes.parts(size))
        assert sum(len(set(part.ids)) for part in parts) == len(set(nodes.ids))
        assert max(len(set(part.ids)) for part in parts) <= size
        for month, moment in zip(months, month_number(pd.DatetimeIndex(months)), strict=True):
            expected = panel(as_nodes(known_at(train, month)))
            for found in (nodes.at(moment), *(Nodes.from_table(part.table()).at(moment) for part in parts)):
                rows = np.isin(expected.ids, found.ids)
                assert found.ids.tolist() == expected.ids[rows].tolist()
                np.testing.assert_array_equal(found.values, expected.values[rows])
                assert (found.last == moment).all()
            together = np.concatenate([part.at(moment).ids for part in parts])
            assert together.tolist() == expected.ids.tolist()

    def test_a_history_stands_there_once_unless_the_sum_is_of_others(self, train):
        months = month_number(pd.DatetimeIndex(CUTOFFS))
        nodes = Wide.of(train).nodes(months)
        single = np.char.startswith(nodes.ids.astype(str), "series|")
        assert len(set(nodes.ids[single])) == single.sum()
        assert len(nodes.ids) < 2 * len(set(nodes.ids))


class TestSameBits:
    @pytest.mark.parametrize("model", EVERY_MODEL, ids=lambda model: model.name)
    def test_in_any_shards_as_in_one_piece(self, model, train):
        expected = at_once(model, train)
        for size in (1, 7, 50):
            pd.testing.assert_frame_equal(in_shards(model, train, size), expected, check_exact=True)

    @pytest.mark.parametrize("model", [SeasonalNaive(), TSB()], ids=lambda model: model.name)
    def test_also_where_a_shard_has_nothing_to_say_yet(self, model, monkeypatch, caplog):
        monkeypatch.setattr(sys.modules[__name__], "CUTOFFS", [pd.Timestamp("2021-12-01"), pd.Timestamp("2023-06-01")])
        train = many_series(14, months=34, seed=5, regions=3)
        assert (train["ds"] == CUTOFFS[0]).sum() < train["unique_id"].nunique()
        pd.testing.assert_frame_equal(in_shards(model, train, 1), at_once(model, train), check_exact=True)
        assert not caplog.records

    def test_of_the_network_in_any_shards_and_order(self, train):
        model = CNNLSTMForecastModel(variant="zero_shot")
        first = in_shards(model, train, 10**6)
        for size in (7, 30):
            pd.testing.assert_frame_equal(in_shards(model, train, size), first, check_exact=True)
        quantiles = list(QUANTILE_COLUMNS)
        np.testing.assert_allclose(first[quantiles], at_once(model, train)[quantiles], rtol=1e-4, atol=1e-3)
        known, model = panel(as_nodes(train)), model.fit(as_nodes(train))
        known = known.only(known.lengths >= model.min_history)
        order = np.random.default_rng(0).permutation(len(known.ids))
        repeated = known.only(np.tile(order, 4))  # more than a block
        assert len(repeated.ids) > BLOCK
        whole = model.predict_apart(repeated, 6)
        np.testing.assert_array_equal(whole, np.tile(model.predict_apart(known, 6)[order], (4, 1, 1)))

    def test_in_processes(self, train, can_start_processes):
        model = DirectBoostingModel(trees=10, horizon=6)  # learns here, forecasts there
        found = in_shards(model, train, 20, Engine("local", processes=2))
        pd.testing.assert_frame_equal(found, in_shards(model, train, 10**6), check_exact=True)

    def test_of_forecasts_after_the_last_month(self, train, tmp_path, monkeypatch):
        nodes, history = as_nodes(known_at(train, train["ds"].max())), known_at(train, train["ds"].max())
        linear, boosting = (
            LinearModel(penalties=[100.0]).fit(nodes),
            DirectBoostingModel(trees=10, horizon=6).fit(nodes),
        )
        both = MedianCombination([linear, boosting, DynamicOptimizedTheta(), TSB()])
        for model in (linear, DynamicOptimizedTheta(), both):
            expected = evaluation.forecast_nodes(model, history, 6, True)
            with monkeypatch.context() as patch:
                patch.setattr(backtest, "MANY", 1)
                patch.setattr(many, "shard_size", lambda *_: 11)
                patch.setattr(shards, "runner", lambda engine, work, n_shards: Here(work))
                for engine in (None, Engine("local")):
                    found = evaluation.forecast_nodes(model, history, 6, True, engine)
                    pd.testing.assert_frame_equal(found, expected, check_exact=True)

    def test_what_is_forecast_at_once_follows_from_the_series_known_at_the_cutoff(self, train, monkeypatch):
        known = train["ds"].value_counts()
        one, other = sorted(CUTOFFS, key=known.get)
        assert known[one] < known[other]
        asked = []
        monkeypatch.setattr(backtest, "MANY", int(known[other]))
        monkeypatch.setattr(
            backtest, "said_at_each", lambda *given: asked.extend(given[2]) or many.said_at_each(*given)
        )
        found = evaluation.walk_forward(Naive(), train, "sales", CUTOFFS)
        assert [each.cutoff for each in asked] == month_number([other]).tolist()
        pd.testing.assert_frame_equal(found, at_once(Naive(), train))


def tables(count: int, of: int = 2) -> list[pa.Table]:
    """Shards of so many series each, the first of them s00, s01 …; y is a series' number among all."""
    return [
        pa.table(
            {
                "unique_id": [f"s{number:02}", *(f"s{number:02}+{other:03}" for other in range(1, of))],
                "y": [number * of + other for other in range(of)],
            }
        )
        for number in range(count)
    ]


def work(folder: Path, **told) -> Work:
    """Return the work that leaves its notes in a folder."""
    folder.mkdir(exist_ok=True)
    return Work("shard_work:doubled", {"folder": str(folder), **told})


def outputs(
    engine: Engine, what: Work, count: int, of: int = 2
) -> tuple[dict[str, float | None], dict[str, list[str]]]:
    """Return what was said of each series of so many shards, None where it was left out, and which were, by the reason."""
    found = {}
    with run_shards(engine, "doubled", what, tables(count, of)) as done:
        for shard in done:
            table = shard.read(0)
            said = [None] * len(shard.ids) if table is None else table["y"].to_pylist()
            found |= dict(zip(shard.ids, said, strict=True))
        return found, left_out(done)


def all_of(count: int, *left_out: str) -> dict[str, float | None]:
    """Return what is right of so many shards, in the order of the series."""
    ids = [one for table in tables(count) for one in table["unique_id"].to_pylist()]
    return {one: None if one in left_out else 2.0 * number for number, one in enumerate(ids)}


def tries(folder: Path) -> dict[str, int]:
    """Return how often each shard was begun."""
    return {path.name: path.stat().st_size for path in folder.iterdir()}


class TestShards:
    def test_one_that_fails_is_done_again_and_then_by_series(self, tmp_path):
        told = work(tmp_path / "notes", fails={"s01": 1}, never=["s03+001"])
        found, reasons = outputs(Engine(), told, 5)
        assert found == all_of(5, "s03+001") and list(found) == sorted(found)
        assert reasons == {"ValueError: s03+001 is odd": ["s03+001"]}
        assert tries(tmp_path / "notes") == {"s00": 1, "s01": 2, "s02": 1, "s03": 3, "s03+001": 2, "s04": 1}

    @given(st.sets(st.integers(0, 99), max_size=6))
    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_series_that_cannot_be_done_are_found_in_a_large_one(self, tmp_path, numbers):
        ids = tables(1, 100)[0]["unique_id"].to_pylist()
        odd = [ids[number] for number in sorted(numbers)]
        found, reasons = outputs(Engine(), work(tmp_path / "notes", never=odd), 1, of=100)
        assert found == {one: None if one in odd else 2.0 * number for number, one in enumerate(ids)}
        assert list(reasons.values()) == [[one] for one in odd] and list(found) == ids

    def test_one_that_kills_its_process_takes_no_other_with_it(self, tmp_path, can_start_processes):
        told = work(tmp_path / "notes", fails={"s01": 1}, never=["s03"], how="dies")
        found, reasons = outputs(Engine("local", processes=2), told, 8)
        assert found == all_of(8, "s03") and list(reasons.values()) == [["s03"]]
        assert tries(tmp_path / "notes")["s01"] == 2

    @pytest.mark.parametrize("of", [1, 2, 40])
    def test_where_none_can_be_done_the_run_ends(self, tmp_path, of):
        never = [one for table in tables(2, of) for one in table["unique_id"].to_pylist()]
        with pytest.raises(UserError, match=r"doubled: no part of the series could be done.*s00\S* is odd"):
            outputs(Engine(), work(tmp_path / "notes", never=never), 2, of)
        assert max(tries(tmp_path / "notes").values()) <= 4  # not down to the last series

    def test_what_a_person_has_to_mend_ends_the_run(self, tmp_path):
        with pytest.raises(UserError, match="says why"):
            outputs(Engine(), work(tmp_path / "notes", fails={"s01": 9}, how="tells"), 3)

    def test_a_stopped_run_goes_on_where_it_was(self, tmp_path):
        engine, told = Engine(folder=tmp_path / "kept"), work(tmp_path / "notes", fails={"s02": 1}, how="tells")
        with pytest.raises(UserError):
            outputs(engine, told, 4)
        assert tries(tmp_path / "notes") == {"s00": 1, "s01": 1, "s02": 1}
        whole, _ = outputs(engine, told, 4)
        assert tries(tmp_path / "notes") == {"s00": 1, "s01": 1, "s02": 2, "s03": 1}
        assert whole == all_of(4)
        assert not list((tmp_path / "kept").rglob("*.running"))

    def test_pieces_that_were_done_before_a_stop_are_not_done_again(self, tmp_path):
        engine, told = Engine(folder=tmp_path / "kept"), work(tmp_path / "notes", never=["s01+001"])
        first = outputs(engine, told, 2)
        assert outputs(engine, told, 2) == first
        assert tries(tmp_path / "notes") == {"s00": 1, "s01": 5, "s01+001": 4}

    def test_other_inputs_settings_files_or_code_are_other_shards(self, tmp_path, monkeypatch):
        shared = tmp_path / "shared"
        shared.mkdir()
        (shared / "a").write_text("1")

        def stamps(told: Work, count: int = 1) -> list[Path]:
            with run_shards(Engine(folder=tmp_path / "kept"), "doubled", told, tables(count)) as done:
                return [shard.file for shard in done]

        def told(**more) -> Work:
            return Work("shard_work:doubled", {"folder": str(tmp_path), **more}, shared=shared)

        first = stamps(told())
        assert stamps(told(), 2)[:1] == first and stamps(told()) == first
        assert stamps(told(fails={})) != first
        (shared / "a").write_text("2")
        other = stamps(told())
        assert other != first
        monkeypatch.setattr(unit, "code_stamp", lambda _: "another")
        assert stamps(told()) != other

    def test_another_version_of_the_code_is_refused(self, tmp_path, monkeypatch):
        given_out = work(tmp_path / "notes")
        monkeypatch.setattr(unit, "code_stamp", lambda _: "another")
        with pytest.raises(UserError, match="another version of the project"):
            outputs(Engine(), given_out, 2)

    def test_shards_have_a_thousand_series_or_there_are_sixteen_for_several_processes(self):
        sizes = (1, 300, 1_600, 8_000, 100_000)
        assert [shard_size(n, Engine("local")) for n in sizes] == [100, 100, 100, 500, 1_000]
        assert {shard_size(n, Engine()) for n in sizes} == {1_000}


class Odd(Naive):
    """A naive forecast that fails where it sees one certain series."""

    quick = False

    def predict_panel(self, known, horizon):
        """See `Model.predict_panel`."""
        if "series|R1/C1" in known.ids:
            raise FloatingPointError("it cannot")
        return super().predict_panel(known, horizon)


def test_a_series_that_fails_gets_the_fallback_and_is_named(train, caplog):
    with caplog.at_level(logging.WARNING):
        found = in_shards(Odd(), train, 10)
    expected, fallback = in_shards(Naive(), train, 10), in_shards(SeasonalNaive(), train, 10)
    left_out = found["is_fallback"] & ~expected["is_fallback"]
    assert set(found[left_out]["unique_id"]) == {"R1/C1"} and left_out.sum() == 6 * len(CUTOFFS)
    assert caplog.messages == [
        f"{Odd.name}: 1 series and sums could not be forecast and get the fallback (FloatingPointError: it cannot): series|R1/C1"
    ]
    pd.testing.assert_frame_equal(found[~left_out], expected[~left_out])
    grown = left_out & ~fallback["is_fallback"]
    pd.testing.assert_frame_equal(found[grown][QUANTILE_COLUMNS], fallback[grown][QUANTILE_COLUMNS])


def test_every_family_says_whether_it_learns_of_each_series_alone(train):
    """Of a model that says so, what it says of a series is the same whether it was fitted with others or not."""
    nodes = as_nodes(train)
    known = panel(nodes)
    for family in models.families():
        for kind in models.family_models(family):
            if kind.is_local and kind.name not in ("auto_arima", "auto_ets", "auto_ces"):
                ids = known.ids[:9]
                part = nodes[nodes["unique_id"].isin(ids)]
                whole = forecast_apart(kind().fit(nodes), known, 6, True)
                alone = forecast_apart(kind().fit(part), known.only(np.isin(known.ids, ids)), 6, True)
                np.testing.assert_array_equal(whole.quantiles[:9], alone.quantiles)


class TestSample:
    @given(st.integers(1, 200), st.integers(0, 5))
    @settings(max_examples=10)
    def test_it_has_so_many_and_each_kind_its_share(self, most, seed):
        nodes = as_nodes(many_series(80, seed=seed))
        found = drawn(nodes, Sample(most, seed=1))
        n_all, n_found = nodes["unique_id"].nunique(), found["unique_id"].nunique()
        assert n_found == min(most, n_all)
        pd.testing.assert_frame_equal(found, nodes[nodes["unique_id"].isin(found["unique_id"])].reset_index(drop=True))
        if most < n_all:
            sizes = (
                nodes[nodes["unique_id"].str.startswith("series")]
                .groupby("unique_id")["y"]
                .apply(lambda y: y.abs().mean())
            )
            large = sizes.index[sizes > sizes.median()]
            single = found["unique_id"].drop_duplicates().loc[lambda ids: ids.str.startswith("series")]
            if n_found > 50:  # each stratum has its own, and its share of the rest
                assert 0.35 < single.isin(large).mean() < 0.65
                assert (found["unique_id"].str.startswith("total")).any()

    def test_what_was_learned_follows_from_the_months_before(self, train):
        model, sample = LinearModel(penalties=[100.0]), Sample(40, seed=2)
        expected = at_once(model, train, sample=sample)
        pd.testing.assert_frame_equal(in_shards(model, train, 20, sample=sample), expected, check_exact=True)
        assert not expected.equals(at_once(model, train))
        later = train.assign(y=np.where(train["ds"] > CUTOFFS[0], train["y"] * 3.0, train["y"]))
        first = expected["cutoff"] == CUTOFFS[0]
        pd.testing.assert_frame_equal(at_once(model, later, sample=sample)[first], expected[first])

    def test_models_of_single_series_have_nothing_to_draw(self, train):
        model = DynamicOptimizedTheta()
        pd.testing.assert_frame_equal(at_once(model, train, sample=Sample(10)), at_once(model, train))


def test_progress_is_said_where_the_run_writes_and_not_in_the_notebook(monkeypatch, capfd):
    end, stream = os.pipe()
    monkeypatch.setenv(progress.TERMINAL, str(stream))
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with progress.Bar("linear", total=10, to_do=8, shows=True) as bar:
        bar.add(4)
        bar.add(4)
    os.close(stream)
    with open(end) as pipe:
        said = pipe.read().splitlines()
    assert "6 of 10 series" in said[0] and " left" in said[0]
    assert "10 of 10 series" in said[-1] and " left" not in said[-1]
    assert capfd.readouterr() == ("", "")


def test_settings_of_the_engine_reach_the_run_folder(tmp_path):
    (tmp_path / "run.json").write_text(
        json.dumps(
            {
                "domain": "sales",
                "workspace": "w",
                "experiment": "sales",
                "steps": {},
                "engine": {"kind": "local", "processes": 3},
            }
        )
    )
    found = Engine.of(RunFolder.open(tmp_path))
    assert (found.kind, found.processes, found.folder, found.shows) == ("local", 3, tmp_path / "shards", False)
