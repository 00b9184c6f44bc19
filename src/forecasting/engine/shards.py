"""Many series, cut into shards that know nothing of each other: each is done once, wherever there is room, and again where that failed.

What a shard says is kept in a file named by its stamp, the hash of its input, the settings, the files it shares with others and the
code: a run that was stopped does only what is missing. A file is written under another name first, so that one that is there is whole.
"""

import hashlib
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from forecasting.engine.local import Here, Processes, cores
from forecasting.engine.unit import Work, to_bytes
from forecasting.errors import UserError
from forecasting.files import digest, folder_hash, write_if_changed
from forecasting.run import RunFolder, progress

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST = 1_000  # series and sums in a shard: it takes minutes at most, and a hundred of them a few hundred MB
SMALLEST = 100
PARTS = 16  # so many at least where there are enough series, so that processes end at about the same time


@dataclass(frozen=True)
class Engine:
    """Where shards are done: `kind` here, local (processes side by side) or ray (the cluster at `address`).

    `processes`: how many of them side by side, 0: as many as there are cores. `folder`: where shards are kept until their step is
    done, None: nowhere. `shows`: whether progress is shown where this process writes.
    """

    kind: str = "here"
    address: str | None = None
    processes: int = 0
    folder: Path | None = None
    shows: bool = False

    @classmethod
    def of(cls, run: RunFolder) -> "Engine":
        """Return the engine of a run: what params/ say of it, beside the run's other files."""
        return cls(**run.engine, folder=run.shards, shows=run.is_by_hand)

    @property
    def only_here(self) -> "Engine":
        """The same for work that takes less time than to hand it on."""
        return Engine(shows=self.shows)


@dataclass(frozen=True)
class Done:
    """The shards of a task: the file of each one's output, None where it failed twice, and why."""

    files: list[Path | None]
    reasons: dict[int, str]

    def table(self, number: int, row_group: int) -> "pa.Table | None":
        """Read a part of a shard's output; None where there is none."""
        import pyarrow.parquet as pq

        file = self.files[number]
        return None if file is None else pq.ParquetFile(file).read_row_group(row_group)


class Runner(Protocol):
    """Who does shards: `slots` at a time. `pulled_down`: errors of a shard that may be another's fault that was done at the same time."""

    slots: int
    pulled_down: tuple[type[Exception], ...]

    def submit(self, data: bytes) -> Any:
        """Begin a shard."""

    def first(self, begun: Sequence[Any]) -> list[Any]:
        """Return those of what was begun that are done, at least one; waits for it."""

    def result(self, begun: Any) -> bytes:
        """Return the output of a shard, or raise what its work raised."""

    def close(self, at_once: bool) -> None:
        """Give back what it holds."""


def shard_size(n_series: int) -> int:
    """Return how many of so many series and sums a shard has."""
    return min(max(n_series // PARTS, SMALLEST), LARGEST)


@contextmanager
def run_shards(engine: Engine, name: str, work: Work, tables: Sequence["pa.Table"]) -> Iterator[Done]:
    """Do the work of each shard (a table with unique_id) and give what came of it, for as long as the block lasts.

    `name` is that of their folder. A shard that fails is done once more; one that fails again is left out.

    Raises
    ------
    UserError
        If the work raises one, if no shard can be done, or if the cluster cannot be reached.
    """
    with tempfile.TemporaryDirectory() as scratch:
        place = (engine.folder or Path(scratch)) / name
        inputs = [to_bytes(table) for table in tables]
        files = [place / f"{stamp}.parquet" for stamp in shard_stamps(work, inputs)]
        waiting = [number for number, file in enumerate(files) if not file.exists()]
        sizes = [len(set(table["unique_id"].to_pylist())) for table in tables]
        with progress.Bar(name, sum(sizes), sum(sizes[number] for number in waiting), engine.shows) as bar:
            reasons = _do(
                engine, work, {number: inputs[number] for number in waiting}, files, lambda n: bar.add(sizes[n])
            )
            for number, reason in reasons.items():
                bar.write(f"{sizes[number]:,} series and sums could not be forecast: {reason}")
        if reasons and len(reasons) == len(files):
            raise UserError(
                f"{name}: none of {len(files)} parts of the series could be done. The first one: {reasons[min(reasons)]}"
            )
        yield Done([None if number in reasons else file for number, file in enumerate(files)], reasons)


def shard_stamps(work: Work, inputs: Sequence[bytes]) -> list[str]:
    """Return what each shard's output hangs on, as one hash."""
    shared = folder_hash(work.shared, ("*",)) if work.shared else ""
    common = digest(work.function, work.settings, work.code, shared)
    return [digest(common, hashlib.sha256(data).hexdigest())[:32] for data in inputs]


def runner(engine: Engine, work: Work, n_shards: int) -> Runner:
    """Return who does so many shards on this engine."""
    if engine.kind == "ray":
        from forecasting.engine.cluster import Cluster

        return Cluster(work, engine.address)
    processes = min(engine.processes or cores(), n_shards) if engine.kind == "local" else 1
    return Processes(work, processes) if processes > 1 else Here(work)


def _do(
    engine: Engine, work: Work, inputs: dict[int, bytes], files: Sequence[Path], said: Callable[[int], None]
) -> dict[int, str]:
    """Do the shards that are missing; return why those failed that did so twice."""
    if not inputs:
        return {}
    who, at_once = runner(engine, work, len(inputs)), True
    try:
        found = _all(who, inputs, files, said)
        at_once = False
        return found
    finally:
        who.close(at_once)


def _all(who: Runner, inputs: dict[int, bytes], files: Sequence[Path], said: Callable[[int], None]) -> dict[int, str]:
    """Hand out shards as there is room; one that failed comes last, and one that others may have pulled down by itself."""
    waiting, begun, by_itself, failed, reasons = deque(inputs), {}, set(), set(), {}
    while waiting or begun:
        while waiting and len(begun) < who.slots and not (begun and by_itself & {waiting[0], *begun.values()}):
            number = waiting.popleft()
            begun[who.submit(inputs[number])] = number
        for one in who.first(list(begun)):
            number = begun.pop(one)
            try:
                write_if_changed(files[number], who.result(one))
                said(number)
            except UserError:
                raise
            except Exception as error:
                if number in failed:
                    reasons[number] = described(error)
                    continue
                blameless = isinstance(error, who.pulled_down) and number not in by_itself
                (by_itself if blameless else failed).add(number)
                waiting.append(number)
    return reasons


def described(error: Exception) -> str:
    """Say in a line what went wrong."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else 'no reason given'}"
