"""Made monthly series, thousands at a time, and mixtures of real ones.

A part (`trend`, `noise`, …) is `f(rng, n, months) -> [n, months]`; one that knows the calendar is given the month numbers at which
the series begin, `first_month` [n], in place of n. A recipe puts parts together; `kinds.KINDS` says how often each is used, and why.
"""

from forecasting.pretraining.making.blocks import make
from forecasting.pretraining.making.kinds import KINDS
from forecasting.pretraining.making.made import Made
from forecasting.pretraining.making.mixtures import mix

__all__ = ["KINDS", "Made", "make", "mix"]
