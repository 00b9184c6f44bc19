"""The order of the steps, what need not run again, and how a notebook is executed.

In: a workspace. Out: training sets and stamps (`prepare`), executed notebooks and pages. Make asks; only what changed runs.
"""

from forecasting.pipeline.notebooks import by_hand, plan, prepare, run_page, run_step, show, without_unused_grammar

__all__ = ["by_hand", "plan", "prepare", "run_page", "run_step", "show", "without_unused_grammar"]
