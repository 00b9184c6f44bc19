"""The sets of public forecasting competitions: M3, tourism and M1, monthly.

In: a set's name. Out: a `Dataset`, its training and test parts in long tables; nothing is downloaded, and nothing here knows a model.
"""

from forecasting.competitions.datasets import DEFAULT, SOURCES, Dataset, load

__all__ = ["DEFAULT", "SOURCES", "Dataset", "load"]
