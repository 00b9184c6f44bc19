"""Where independent work runs: in this process or, where a pool is open, in processes side by side. The same bits either way.

In: a function and what it is called with, again and again. Out: what it returned, in that order. Whoever may use more than one process
opens a pool, one for a whole run: a process takes seconds to begin, because it imports anew what the work needs.
"""

from forecasting.engine.processes import THREADS, mapped, pool

__all__ = ["THREADS", "mapped", "pool"]
