"""The order of the steps, what need not run again, and how a notebook is executed.

In: a workspace. Out: training sets and stamps (`prepare`), executed notebooks and pages. Make asks; only what changed runs.
"""

from forecasting.pipeline.notebooks import run_page, run_step, run_step_in
from forecasting.pipeline.planning import by_hand, plan, prepare, stamp_today
from forecasting.pipeline.steps import notebooks_of, page_source
from forecasting.pipeline.warming import warm_up, without_unused_grammar

__all__ = [
    "by_hand",
    "notebooks_of",
    "page_source",
    "plan",
    "prepare",
    "run_page",
    "run_step",
    "run_step_in",
    "stamp_today",
    "warm_up",
    "without_unused_grammar",
]
