"""The made-up company: facts of sales, stock and expenses, made on the spot from a seed.

In: a folder. Out: the csv files of the facts contract, the same on every machine.
"""

from forecasting.sample.writing import write_company

__all__ = ["write_company"]
