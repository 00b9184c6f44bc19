"""Which back-tests go into the ledger: of few series all of every model, of many what is asked for later, one model at a time.

Champion and seasonal naive are read series by series, by the monitor, the pages and whoever explains a forecast. The other models are
only compared with them: for that their sums and a sample of the series do, the same series for all of them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import pandas as pd

from forecasting.contracts import AGGREGATIONS
from forecasting.evaluation.ranking import BASELINE

MANY = 1_000  # series from beyond which the other models' rows are of sums and a sample
SAMPLED = 500  # series in that sample
SERIES = AGGREGATIONS[0]


def rows_kept(read: Callable[[str], pd.DataFrame], names: Sequence[str], champion: str) -> Iterator[pd.DataFrame]:
    """Yield the rows of each model's back-test that go into the ledger, in the order of `names`; only one model's are held at a time.

    Parameters
    ----------
    read: gives the calibrated rows of a model (BACKTEST_COLUMNS).
    names: the models.
    champion: the model that forecasts; all of its rows are kept, as those of the seasonal naive.
    """
    sample = None
    for name in names:
        rows = read(name)
        if sample is None:
            sample = sampled(rows.loc[rows["aggregation"] == SERIES, "unique_id"].unique())
        whole = name in (champion, BASELINE) or len(sample) == 0
        yield rows if whole else rows[(rows["aggregation"] != SERIES) | rows["unique_id"].isin(sample)]
        del rows  # before the next model's are read


def sampled(series: Iterable[str]) -> set[str]:
    """Return the series that are kept of every model, of these; none where they are few enough for all to be.

    Those with the smallest hashes of their names: the lot is the same for every model and on any machine, and from month to month a
    series leaves it only for a new one.
    """
    names = list(series)
    if len(names) <= MANY:
        return set()
    return set(sorted(names, key=lambda name: (hashlib.sha256(name.encode()).hexdigest(), name))[:SAMPLED])
