"""A Ray cluster of two nodes with one core each on this machine, for tests and measurements: `python tests/local_cluster.py start | stop`.

Each node is a process that Ray keeps in the foreground and whose end takes the node with it. So nothing here stops what others began.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

PORT = 6399
ADDRESS = f"127.0.0.1:{PORT}"
FOLDER = (
    Path(tempfile.gettempdir()) / f"forecasting-ray-{os.getuid()}"
)  # short: sockets' paths may have about 100 characters
MEMORY = 150_000_000  # bytes of each node's object store
PATIENCE = 180  # seconds that a node may take to start, on a machine that is busy
# as the pool's processes (Ray's own are the last in turn, nice 15, on a machine that has other work); no report to Ray's makers
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0"}


def start_node(head: bool) -> subprocess.Popen:
    """Start a node with one core; the first one is the head."""
    command = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--block",
        "--num-cpus",
        "1",
        "--disable-usage-stats",
    ]
    command += ["--node-ip-address", "127.0.0.1", "--object-store-memory", str(MEMORY)]
    own = ["--head", "--port", str(PORT), "--include-dashboard=false", "--temp-dir", FOLDER / "session"]
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with (FOLDER / "log").open("ab") as log:
        return subprocess.Popen(
            [*command, *(own if head else ["--address", ADDRESS])],
            stdout=log,
            stderr=log,
            env=os.environ | ENVIRONMENT,
            start_new_session=True,
        )


def start() -> list[subprocess.Popen]:
    """Start both nodes and wait until they are there."""
    nodes = [start_node(head=True)]
    try:
        wait_until(lambda: answers() or nodes[0].poll() is not None)
        nodes.append(start_node(head=False))
        wait_until(lambda: cores() == 2 or any(node.poll() is not None for node in nodes))
        if all(node.poll() is None for node in nodes):
            return nodes
        raise SystemExit(f"The cluster could not be started; {FOLDER / 'log'} says why.")
    except BaseException:
        stop(nodes)
        raise


def stop(nodes: list[subprocess.Popen]) -> None:
    """End the nodes."""
    for node in reversed(nodes):
        end(node.pid)
        node.wait()


def end(process: int) -> None:
    """Have a node end, and make it end where it does not."""
    own = children(process)
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    with suppress(TimeoutError):
        wait_until(lambda: not any(alive(one) for one in (process, *own)), 15)
    kill([process, *own])


def kill_node(node: subprocess.Popen) -> None:
    """End a node as a power cut would."""
    kill([*children(node.pid), node.pid])
    node.wait()


def kill(processes: list[int]) -> None:
    """Kill processes that are still there."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def children(process: int) -> list[int]:
    """Return the processes below one, the nearest first."""
    try:
        own = [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return own + [one for child in own for one in children(child)]


def alive(process: int) -> bool:
    """Say whether a process is at work."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def answers() -> bool:
    """Say whether the head answers."""
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", PORT), 1).close()
        return True
    return False


def cores() -> int:
    """Return how many cores the cluster has, asked in a process of its own: Ray keeps what it once joined."""
    code = (
        f"import ray; ray.init('{ADDRESS}', logging_level='ERROR'); print(int(ray.cluster_resources().get('CPU', 0)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | ENVIRONMENT)
    return int(done.stdout.strip() or 0) if done.returncode == 0 else 0


def wait_until(is_so, seconds: float = PATIENCE) -> None:
    """Wait until something is so; a TimeoutError where it takes too long."""
    last = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > last:
            raise TimeoutError
        time.sleep(0.2)


if __name__ == "__main__":
    if find_spec("ray") is None:
        raise SystemExit("Ray is not installed: .venv/bin/python -m pip install '.[ray]' (docs/cluster.md).")
    pids = FOLDER / "nodes"
    if sys.argv[1:] == ["stop"]:
        for text in reversed(pids.read_text().split() if pids.exists() else []):
            end(int(text))
        pids.unlink(missing_ok=True)
    elif answers():
        print(f"A cluster answers at {ADDRESS} already.")
    else:
        pids.parent.mkdir(mode=0o700, exist_ok=True)
        pids.write_text(" ".join(str(node.pid) for node in start()))
        print(
            f"Two nodes with one core each: params engine: ray, engine_address: {ADDRESS}; make cluster-stop ends them."
        )
