"""The models on public forecasting competitions, beside the published record.

In: the training parts of M3, tourism or M1. Out: `runs/benchmark/results.csv` and a line of the committed log; a trial sees no test part.
"""

from forecasting.benchmark.comparison import DECIMALS, PRINTED, beside, best_published
from forecasting.benchmark.pretrained_table import read_pretrained
from forecasting.benchmark.record import REFERENCES
from forecasting.benchmark.regret_table import read_regret
from forecasting.benchmark.results import read_log, read_results
from forecasting.benchmark.scoring import CHAMPION

__all__ = [
    "CHAMPION", "DECIMALS", "PRINTED", "REFERENCES", "beside", "best_published", "read_log", "read_pretrained", "read_regret",
    "read_results",
]  # fmt: skip
