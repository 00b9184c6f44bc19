"""Shards on a Ray cluster: its core tasks alone. Bytes go there and come back, so its nodes share no disk with this machine.

A node needs this project in the same version and nothing else. What all shards share (saved models) goes once to each node. Ray itself
tells which task a node took with it when it died; those are handed out again.

What a process of a node is sent is plain values and a function that travels whole, so that it can set the threads before anything is
imported that counts them. A process made for such an environment (Ray's `runtime_env`) would take four seconds longer to begin.
"""

import io
import logging
import os
import socket
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

from forecasting.engine.processes import THREADS
from forecasting.engine.unit import Work, another_version, run_shard
from forecasting.errors import UserError
from forecasting.files import folder_hash

PATIENCE = 5.0  # seconds until a machine that does not answer is given up
JOINING = 60.0  # seconds that a cluster which answers may take to let this process in
SLOTS = 4_000  # shards handed out at a time: more than there are cores, so that an autoscaler sees what waits
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_DEDUP_LOGS": "0"}


class Cluster:
    """Does shards on the cluster at an address: «host:port» where this machine is one of its nodes, «ray://host:port» from outside."""

    slots = SLOTS
    pulled_down: tuple[type[Exception], ...] = ()

    def __init__(self, work: Work, address: str | None) -> None:
        """Join the cluster.

        Raises
        ------
        UserError
            If Ray is not installed here, or if nothing answers at the address.
        """
        join(address or "")
        import ray

        self.ray, self.told = ray, asdict(replace(work, shared=None))
        self.key = folder_hash(work.shared, ("*",)) if work.shared else ""
        self.files = ray.put(packed(work.shared)) if work.shared else None
        self.task = ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(in_one_thread(THREADS))

    def submit(self, data: bytes) -> Any:
        """Hand out a shard."""
        return self.task.remote(data, self.told, self.key, self.files)

    def first(self, begun: Sequence[Any]) -> list[Any]:
        """Return those of what was begun that are done, at least one; waits for it."""
        self.ray.wait(list(begun), num_returns=1)
        return self.ray.wait(list(begun), num_returns=len(begun), timeout=0)[0]

    def result(self, begun: Any) -> bytes:
        """Return the output of a shard, or raise what its work raised."""
        try:
            return self.ray.get(begun)
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, ModuleNotFoundError):
                raise UserError(
                    f"The cluster's nodes lack what the work needs ({error.cause}); see docs/cluster.md."
                ) from None
            raise (error.cause if isinstance(error.cause, Exception) else error) from None

    def close(self, at_once: bool) -> None:
        """Leave the cluster; what it is still doing for this process ends."""
        self.ray.shutdown()


def join(address: str) -> None:
    """Join a cluster, or say at once why that is not possible."""
    if find_spec("ray") is None:
        raise UserError(
            "engine: ray needs a package that is not part of the project: .venv/bin/python -m pip install '.[ray]'."
        )
    unreachable = (
        f"engine_address: no Ray cluster answers at {address}. Start it, or set engine: local (docs/cluster.md)."
    )
    try:
        host, port = address.removeprefix("ray://").rsplit(":", 1)
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError) as error:
        raise UserError(f"{unreachable} ({error})") from None
    os.environ.update(QUIET)
    outcome: list[Exception | None] = []
    # Ray tries again for minutes where something else answers
    joining = Thread(target=_init, args=(address, outcome), daemon=True)
    joining.start()
    joining.join(JOINING)
    if not outcome or outcome[0] is not None:
        why = (
            str(outcome[0]).strip().splitlines()[0]
            if outcome
            else f"it did not let this process in within {JOINING:.0f} s"
        )
        raise UserError(f"{unreachable} ({why})")


def _init(address: str, outcome: list[Exception | None]) -> None:
    """Join a cluster and note what came of it."""
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)  # what it has to say goes into its own files
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False, ignore_reinit_error=True)
        outcome.append(None)
    except Exception as error:
        outcome.append(error)


def in_one_thread(threads: dict[str, str]) -> Callable[[bytes, dict[str, Any], str, bytes | None], bytes]:
    """Return `on_node` for a process that has imported nothing yet. Ray sends a function within a function whole, not by its name."""

    def first_the_threads(data: bytes, told: dict[str, Any], key: str, files: bytes | None) -> bytes:
        import os

        os.environ.update(threads)
        from forecasting.engine.cluster import on_node

        return on_node(data, told, key, files)

    return first_the_threads


def on_node(data: bytes, told: dict[str, Any], key: str, files: bytes | None) -> bytes:
    """Do a shard on a node; `told` are the fields of its work.

    Raises
    ------
    UserError
        If a library counted its threads before this process was told to use one, or if this version of the project knows no such work.
    """
    from threadpoolctl import threadpool_info

    if any(library["num_threads"] > 1 for library in threadpool_info()):
        raise UserError(
            "A node of the cluster computes with more than one thread in each process: its numbers could differ from this machine's. Start "
            "it with OMP_NUM_THREADS=1 in its environment (docs/cluster.md)."
        )
    try:
        work = Work(**told | {"shared": unpacked(key, files) if files is not None else None})
    except TypeError:
        raise another_version() from None
    return run_shard(data, work)


def packed(folder: Path) -> bytes:
    """Return the files of a folder in one piece."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        archive.add(folder, arcname=".")
    return stream.getvalue()


_UNPACKED: dict[str, tempfile.TemporaryDirectory] = {}


def unpacked(key: str, files: bytes) -> Path:
    """Return a folder with the files of `packed`, the same as long as this process works on the same task."""
    if key not in _UNPACKED:
        _UNPACKED.clear()
        folder = tempfile.TemporaryDirectory(prefix="shared-")
        with tarfile.open(fileobj=io.BytesIO(files)) as archive:
            archive.extractall(folder.name, filter="data")
        _UNPACKED[key] = folder
    return Path(_UNPACKED[key].name)
