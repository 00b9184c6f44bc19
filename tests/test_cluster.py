"""Shards on a Ray cluster: a sentence at once where there is none; the same bits; a node that dies costs its shards once."""

import os
import socket
import subprocess
import sys
import threading
import time
from importlib.util import find_spec

import pytest
import threadpoolctl

import local_cluster
from forecasting.engine import THREADS, Engine, cluster
from forecasting.errors import UserError
from local_cluster import ADDRESS
from test_shards import all_of, outputs, tries, work

SENT = """
import os
import pickle
import sys

sent = pickle.load(sys.stdin.buffer)
assert not {"forecasting", "numpy"} & set(sys.modules)
try:
    sent(b"", {}, "", None)
except Exception as error:  # there is no work in it
    assert "another version" in str(error), error
assert os.environ["OMP_NUM_THREADS"] == "1" and "forecasting.engine" in sys.modules
import numpy
import threadpoolctl

assert {library["num_threads"] for library in threadpoolctl.threadpool_info()} <= {1}
"""
ON_A_CLUSTER = """
import sys
import pandas as pd
from forecasting.engine import Engine
from forecasting.models.boosting import DirectBoostingModel
from many_series import many_series
from test_shards import in_shards

train, model = many_series(40), DirectBoostingModel(trees=10, horizon=6)
found = in_shards(model, train, 20, Engine("ray", sys.argv[1]))
pd.testing.assert_frame_equal(found, in_shards(model, train, 10**6), check_exact=True)
"""
with_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


def reason(engine: Engine, tmp_path) -> str:
    """Return what is said where the cluster cannot be used."""
    with pytest.raises(UserError) as error:
        outputs(engine, work(tmp_path / "notes"), 2)
    return str(error.value)


def test_without_ray_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    assert ".[ray]" in reason(Engine("ray", "127.0.0.1:6379"), tmp_path)


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:none"])
def test_where_nothing_answers_it_says_so_at_once(tmp_path, monkeypatch, address):
    monkeypatch.setattr(cluster, "find_spec", lambda _: True)
    started = time.monotonic()
    assert f"no Ray cluster answers at {address}" in reason(Engine("ray", address), tmp_path)
    assert time.monotonic() - started < cluster.PATIENCE + 5


def test_where_something_else_answers_it_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda _: True)
    monkeypatch.setattr(cluster, "JOINING", 0.1)
    monkeypatch.setattr(cluster, "_init", lambda *_: time.sleep(1))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert "did not let this process in" in reason(Engine("ray", address), tmp_path)


def test_shared_files_arrive_as_they_are(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.txt").write_text("text")
    packed = cluster.packed(tmp_path / "a")
    first = cluster.unpacked("1", packed)
    assert (first / "b" / "c.txt").read_text() == "text" and cluster.unpacked("1", packed) == first


def test_what_is_sent_sets_the_threads_before_anything_counts_them():
    """Ray sends functions with its copy of cloudpickle."""
    sent = pytest.importorskip("cloudpickle").dumps(cluster.in_one_thread(THREADS))
    told_otherwise = os.environ | {"OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", SENT], input=sent, capture_output=True, env=told_otherwise)
    assert done.returncode == 0, done.stderr.decode()


def test_a_node_with_more_threads_is_refused(monkeypatch):
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [{"num_threads": 1}, {"num_threads": 2}])
    with pytest.raises(UserError, match="OMP_NUM_THREADS=1"):
        cluster.on_node(b"", {}, "", None)


def test_a_node_that_knows_no_such_work_is_refused(monkeypatch):
    monkeypatch.setattr(threadpoolctl, "threadpool_info", list)
    with pytest.raises(UserError, match="another version of the project"):
        cluster.on_node(b"", {"function": "a:b", "settings": {}, "of_tomorrow": 1}, "", None)


@pytest.fixture(scope="module")
def nodes():
    """Two nodes with one core each."""
    found = local_cluster.start()
    yield found
    local_cluster.stop(found)


@with_ray
class TestOnTwoNodes:
    def test_same_bits_with_models_that_learned_here(self, nodes):
        done = subprocess.run([sys.executable, "-c", ON_A_CLUSTER, ADDRESS], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def test_a_node_that_dies_costs_its_shards_once(self, nodes, tmp_path):
        told, engine = work(tmp_path / "notes", takes=1.0, fails={"s01": 1}), Engine("ray", ADDRESS)
        killer = threading.Timer(0.0, self.kill_when_at_work, (nodes, tmp_path / "notes"))
        killer.start()
        found, reasons = outputs(engine, told, 12)
        killer.join()
        assert found == all_of(12) and not reasons
        again = {name: count for name, count in tries(tmp_path / "notes").items() if count > 1}
        assert again.pop("s01") in (2, 3)  # it fails once by itself
        assert len(again) <= 1 and set(again.values()) <= {2}

    def kill_when_at_work(self, nodes, notes) -> None:
        local_cluster.wait_until(lambda: sum(1 for _ in notes.glob("s*")) >= 4)
        local_cluster.kill_node(nodes.pop())
