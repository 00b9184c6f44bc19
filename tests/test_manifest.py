"""The records of a run: written as they were read, and read as well where an older run lacks a part or a newer one has one more."""

import json
from dataclasses import asdict, fields

import pandas as pd
import pytest

from forecasting.run import Champion, Manifest, Trained
from report_fixtures import VARIANTS
from report_fixtures import manifest as made


@pytest.fixture
def written() -> dict:
    """What a run wrote down, as a record gives it back."""
    found = made(VARIANTS["usual"], "sales", "sales-2023-12-0123456789", pd.Timestamp("2023-12-01"))
    found["steps"] = found["steps"] | {"20_train_linear": "beef" * 16}
    return asdict(Manifest.from_json(found))


def test_what_was_read_is_written_again(written):
    again = Manifest.read(json.dumps(written))
    assert asdict(again) == written and again == Manifest.from_json(written)
    assert again.champion.rules[0].measured == 12.34 and again.check.warnings[1].severity == "high"


@pytest.mark.parametrize("part", [each.name for each in fields(Manifest)])
@pytest.mark.parametrize("change", ["missing", "null"])
def test_a_part_that_an_older_run_lacks_gets_its_default(written, part, change):
    before = {key: value for key, value in written.items() if key != part}
    read = Manifest.from_json(before if change == "missing" else before | {part: None})
    # before models were kept, every run trained its own
    own = Trained(written["run_id"], written["cutoff"], {"20_train_linear": "beef" * 16})
    default = Manifest(unit="EUR", trained=own) if part in ("unit", "trained") else Manifest.from_json({})
    assert getattr(read, part) == getattr(default, part)
    assert {**asdict(read), part: None} == {**written, part: None}


def test_a_part_that_a_newer_run_has_more_is_passed_over(written):
    newer = written | {"weather": "fine", "champion": written["champion"] | {"mood": 1}}
    assert asdict(Manifest.from_json(newer)) == written


def test_before_there_was_a_gate_the_champion_was_its_choice():
    assert Champion.from_json({"name": "linear"}).gate_choice == "linear"
    assert Champion.from_json({"name": "linear", "gate_choice": "naive"}).gate_choice == "naive"


def test_where_the_unit_was_not_noted_it_is_the_currency():
    assert Manifest.from_json({"currency": "EUR"}).unit == "EUR"
    assert Manifest.from_json({"currency": "EUR", "unit": "units"}).unit == "units"
