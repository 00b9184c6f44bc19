"""The unit of work: a shard's input as the bytes of a Parquet file, with settings → its output likewise, wherever it runs."""

import importlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.errors import UserError
from forecasting.files import digest
from forecasting.run import stamps

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = Path(__file__).resolve().parents[1]
# whose releases may change a digit
LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "statsforecast", "mlforecast", "lightgbm", "torch")


@dataclass(frozen=True)
class Work:
    """What the shards of a task share.

    `function`, «module:name», is called with a shard's table, `settings` (all JSON) and the folder `shared`, and returns tables, which
    can be read one by one. `uses`: further modules of this package that it finds by their names in the settings. `shared`: files that it
    reads, if any. `code`: the stamp of the code that is to do it, by default that of this process.
    """

    function: str
    settings: dict[str, Any]
    uses: tuple[str, ...] = ()
    shared: Path | None = None
    code: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", self.code or code_stamp(self.modules))

    @property
    def modules(self) -> frozenset[str]:
        """The modules of this package that the work begins with."""
        return frozenset({self.function.split(":")[0], *self.uses})


@cache
def code_stamp(modules: frozenset[str]) -> str:
    """Return the hash of these modules' text and of all that they import, of Python's version and the libraries'."""
    ours = {name for name in modules if stamps.module_file(name, PACKAGE)}
    return digest(stamps.modules_hash(ours, PACKAGE), sys.version_info[:3], [release(name) for name in LIBRARIES])


def release(library: str) -> str:
    """Return the version of a library without the name of its build; nothing where it is not installed."""
    try:
        return metadata.version(library).split("+")[0]
    except metadata.PackageNotFoundError:
        return ""


def run_shard(data: bytes, work: Work) -> bytes:
    """Do the work of one shard.

    Raises
    ------
    UserError
        If another version of the project, or of a library that computes, is installed here than where the work was given out.
    """
    if code_stamp(work.modules) != work.code:
        raise another_version()
    return to_bytes(*named(work.function)(from_bytes(data), work.settings, work.shared))


def another_version() -> UserError:
    """Return what is said where the work cannot be done as it was given out."""
    return UserError(
        "A process or node of the cluster has another version of the project, of Python or of a library than this machine: its numbers "
        "would differ. Start the cluster from the same environment (docs/cluster.md)."
    )


def named(function: str) -> Callable[..., Any]:
    """Return what «module:name» stands for."""
    module, name = function.split(":")
    return getattr(importlib.import_module(module), name)


def to_bytes(*tables: "pa.Table") -> bytes:
    """Return tables with the same columns as a Parquet file, each as a row group."""
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    with pq.ParquetWriter(stream, tables[0].schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table, row_group_size=max(len(table), 1))
    return stream.getvalue()


def from_bytes(data: bytes) -> "pa.Table":
    """Read a Parquet file."""
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(data))
