"""Where independent work runs: in this process, in processes side by side or on a cluster. The same bits wherever it does.

In: a function and what it is called with, again and again, or many series in shards. Out: what it returned, in that order. Whoever may
use more than one process for the former opens a pool, one for a whole run: a process takes seconds to begin, because it imports anew
what the work needs. Shards (`run_shards`) are given an `Engine`, which says where.
"""

from forecasting.engine.processes import THREADS, mapped, pool
from forecasting.engine.shards import Engine, Shard, left_out, run_shards, shard_size
from forecasting.engine.unit import Work

__all__ = ["THREADS", "Engine", "Shard", "Work", "left_out", "mapped", "pool", "run_shards", "shard_size"]
