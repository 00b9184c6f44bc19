"""What the network has seen before it meets a company: made monthly series, and mixtures of real ones.

In: a seed and a block's number, or a panel of real series. Out: arrays of series, the same numbers each time they are asked for.
"""

from forecasting.pretraining.making import KINDS, Made, make, mix

__all__ = ["KINDS", "Made", "make", "mix"]
