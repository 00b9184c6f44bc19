"""Facts larger than memory: what DuckDB may take, where the rest goes, and what a person is told where neither suffices."""

from pathlib import Path

import duckdb
import pytest

from forecasting.errors import storage_message
from forecasting.facts import Memory, connect
from forecasting.training_set.spilling import spilling

SORT = "select count(*) from (select i, lag(i) over (order by hash(i)) as before from range(4000000) as rows(i)) where i < before"


def test_what_does_not_fit_into_memory_goes_to_a_folder_that_is_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "spill").mkdir()
    (tmp_path / "spill" / "left by a run that was killed").write_text("…")
    with spilling(tmp_path) as spill, connect(memory=Memory("60MB", spill)) as connection:
        assert not spill.exists()
        connection.execute(SORT).fetchall()
        assert spill.is_dir()
    assert not list(tmp_path.iterdir())


def test_the_room_is_given_up_when_a_reading_fails(tmp_path: Path) -> None:
    with (
        pytest.raises(duckdb.BinderException),
        spilling(tmp_path) as spill,
        connect(memory=Memory("60MB", spill)) as connection,
    ):
        connection.execute(SORT)
        connection.execute("select nothing")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        (["set temp_directory = ''"], "Set memory_limit in params/ higher"),
        (["set max_temp_directory_size = '1MB'"], "there is no more room on that disk"),
    ],
)
def test_too_little_memory_or_disk_is_said_in_a_sentence(tmp_path: Path, settings: list[str], remedy: str) -> None:
    with connect(memory=Memory("60MB", tmp_path / "spill")) as connection:
        for statement in settings:
            connection.execute(statement)
        with pytest.raises(duckdb.OutOfMemoryException) as raised:
            connection.execute(SORT).fetchall()
    said = storage_message(str(raised.value)) or ""
    assert (
        said.startswith("There is not enough memory for these facts: ")
        and remedy in said
        and "run the same command again" in said
    )
