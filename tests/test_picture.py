"""`make picture`: the README's pictures are of the size in which it shows them, and their absence is said."""

import struct
from pathlib import Path

import pytest

import picture
from browser import HOW_TO_GET_ONE, executable
from forecasting.errors import UserError

PAGE = "<!doctype html><meta name=viewport content='width=device-width'><h1>Monthly forecast</h1>"


def size(path: Path) -> tuple[int, int]:
    """Return the width and height of a PNG in pixels."""
    return struct.unpack(">II", path.read_bytes()[16:24])


@pytest.mark.skipif(executable() is None, reason=HOW_TO_GET_ONE)
def test_a_screen_and_a_phone_are_equally_high(tmp_path, monkeypatch):
    """The folders are named as make names them, from the project's own."""
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text(PAGE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    picture.pictures_of_report(Path("report"), Path())
    assert {name: size(tmp_path / f"{name}.png") for name in ("report", "phone")} == {
        "report": (1280, 1230), "phone": (400, 1230),
    }  # fmt: skip


def test_without_a_report_it_is_said_what_makes_one(tmp_path):
    with pytest.raises(UserError, match=r"index\.html: `make report` makes it"):
        picture.pictures_of_report(tmp_path, tmp_path)
