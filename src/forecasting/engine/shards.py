"""Many series, cut into shards that know nothing of each other: each is done once, wherever there is room, and again where that failed.

One that fails again is cut up, until the series are found that cannot be done: those alone are left out.

What a shard says is kept in a file named by its stamp, the hash of its input, the settings, the files it shares with others and the
code: a run that was stopped does only what is missing. A file is written under another name first, so that one that is there is whole.
"""

import hashlib
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
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
PARTS = (
    16  # so many at least for several processes, so that they end at about the same time; and of a shard that is cut up
)
TRIES = 2  # of a shard, before it is cut up


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


@dataclass(eq=False)
class Shard:
    """Series and sums that are done together: their `table`, with unique_id, and the `file` of what came of it.

    `pieces`: those that took its place where it failed too often. `reason`: why there is no file, of one that cannot be cut any more.
    """

    table: "pa.Table"
    data: bytes
    file: Path
    failures: int = 0
    pieces: list["Shard"] = field(default_factory=list)
    reason: str = ""

    @cached_property
    def ids(self) -> list[str]:
        """Its series and sums."""
        return sorted(set(self.table["unique_id"].to_pylist()))

    def read(self, row_group: int) -> "pa.Table | None":
        """Read a part of what came of it; None where nothing did."""
        import pyarrow.parquet as pq

        return None if self.reason else pq.ParquetFile(self.file).read_row_group(row_group)

    def last(self) -> Iterator["Shard"]:
        """Yield it, or what it was cut into, in the order of the series."""
        if not self.pieces:
            yield self
        for piece in self.pieces:
            yield from piece.last()


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


def shard_size(n_series: int, engine: Engine) -> int:
    """Return how many of so many series and sums a shard has."""
    return LARGEST if engine.kind == "here" else min(max(n_series // PARTS, SMALLEST), LARGEST)


@contextmanager
def run_shards(engine: Engine, name: str, work: Work, tables: Sequence["pa.Table"]) -> Iterator[list[Shard]]:
    """Do the work of each shard (a table sorted by unique_id) and give what came of them, for as long as the block lasts.

    `name` is that of their folder. A shard that fails is done once more; one that fails again is cut up, down to the series that fail,
    which are left out: there are more shards then than tables, in the same order of series.

    Raises
    ------
    UserError
        If the work raises one, if no shard can be done, or if the cluster cannot be reached.
    """
    with tempfile.TemporaryDirectory() as scratch:
        task = _Task(work, (engine.folder or Path(scratch)) / name)
        shards = [task.shard(table) for table in tables]
        missing = [shard for shard in shards if not shard.file.exists()]
        task.has_done_any = len(missing) < len(shards)
        sizes = [sum(len(shard.ids) for shard in some) for some in (shards, missing)]
        with progress.Bar(name, *sizes, engine.shows) as bar:
            if missing:
                _do(engine, task, missing, bar)
            found = [piece for shard in shards for piece in shard.last()]
            for reason, ids in left_out(found).items():
                bar.write(f"{len(ids):,} series and sums could not be forecast: {reason}")
        if found and all(shard.reason for shard in found):
            raise task.none_done(found[0].reason)
        yield found


def left_out(shards: Sequence[Shard]) -> dict[str, list[str]]:
    """Return the series and sums that could not be done, by the reason."""
    found: dict[str, list[str]] = {}
    for shard in shards:
        if shard.reason:
            found.setdefault(shard.reason, []).extend(shard.ids)
    return found


@dataclass
class _Task:
    """Work on many series: makes its shards and `pieces` of them, and knows whether any could be done."""

    work: Work
    folder: Path
    has_done_any: bool = False
    pieces: list[Shard] = field(default_factory=list)

    @cached_property
    def stamp(self) -> str:
        """What the output of every shard hangs on beside its input, as one hash."""
        shared = folder_hash(self.work.shared, ("*",)) if self.work.shared else ""
        return digest(self.work.function, self.work.settings, self.work.code, shared)

    def shard(self, table: "pa.Table") -> Shard:
        """Return the shard of a table."""
        data = to_bytes(table)
        stamp = digest(self.stamp, hashlib.sha256(data).hexdigest())[:32]
        return Shard(table, data, self.folder / f"{stamp}.parquet")

    def cut(self, shard: Shard) -> list[Shard]:
        """Return the pieces of a shard, in the order of its series; none of one that has a single one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if len(shard.ids) == 1:
            return []
        size = -(-len(shard.ids) // PARTS)
        some = [shard.ids[first : first + size] for first in range(0, len(shard.ids), size)]
        ids = shard.table["unique_id"]
        pieces = [self.shard(shard.table.filter(pc.is_in(ids, pa.array(own)))) for own in some]
        self.pieces += pieces
        return pieces

    def none_done(self, reason: str) -> UserError:
        """Return what is said where the work fails whatever the series."""
        return UserError(f"{self.folder.name}: no part of the series could be done. The first one: {reason}")


def runner(engine: Engine, work: Work, n_shards: int) -> Runner:
    """Return who does so many shards on this engine."""
    if engine.kind == "ray":
        from forecasting.engine.cluster import Cluster

        return Cluster(work, engine.address)
    processes = min(engine.processes or cores(), n_shards) if engine.kind == "local" else 1
    return Processes(work, processes) if processes > 1 else Here(work)


def _do(engine: Engine, task: _Task, missing: list[Shard], bar: progress.Bar) -> None:
    """Do the shards that are missing."""
    who, at_once = runner(engine, task.work, len(missing)), True
    try:
        _all(who, task, missing, bar)
        at_once = False
    finally:
        who.close(at_once)


def _all(who: Runner, task: _Task, missing: list[Shard], bar: progress.Bar) -> None:
    """Hand out shards as there is room; one that failed comes last, and one that others may have pulled down by itself."""
    waiting, begun, by_itself = deque(missing), {}, set()
    while waiting or begun:
        while waiting and len(begun) < who.slots and not (begun and by_itself & {waiting[0], *begun.values()}):
            shard = waiting.popleft()
            begun[who.submit(shard.data)] = shard
        for one in who.first(list(begun)):
            shard = begun.pop(one)
            try:
                write_if_changed(shard.file, who.result(one))
                task.has_done_any = True
                bar.add(len(shard.ids))
            except UserError:
                raise
            except Exception as error:
                if isinstance(error, who.pulled_down) and shard not in by_itself:
                    by_itself.add(shard)
                    waiting.append(shard)
                else:
                    waiting.extend(_after_failure(task, shard, described(error)))


def _after_failure(task: _Task, shard: Shard, reason: str) -> list[Shard]:
    """Return what is to be done instead of a shard that failed: itself again, or its pieces, if it has any.

    Where every piece has failed and nothing else has succeeded, it is not for some series that the work fails.
    """
    shard.failures += 1
    if shard.failures < TRIES:
        return [shard]
    if not task.has_done_any and task.pieces and all(piece.failures for piece in task.pieces):
        raise task.none_done(reason)
    shard.pieces = task.cut(shard)
    shard.reason = "" if shard.pieces else reason
    return [piece for piece in shard.pieces if not piece.file.exists()]


def described(error: Exception) -> str:
    """Say in a line what went wrong."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else 'no reason given'}"
