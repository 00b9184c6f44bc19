"""What callers send of series that they bring, and what they get.

A month is `ds` and a product category `product_category`, as in the database. What callers send may also call them `months` and
`category`, as the addresses under /api do (unversioned.py); faults are named as the caller wrote them.
"""

import datetime as dt
from typing import Annotated, NamedTuple

from pydantic import AliasChoices, BaseModel, Field

from forecasting.api.schemas import Domain, Horizon, Level, Month, Name, Strict, Value
from forecasting.contracts import MAX_HORIZON

MOST_MONTHS = 1200
MOST_SERIES = 100  # in one request: they have to fit into the queue with others

Months = Annotated[
    list[Month],
    Field(
        description="The months of the history, consecutive, as 2025-06 or 2025-06-01.",
        min_length=1,
        max_length=MOST_MONTHS,
    ),
]
Category = Annotated[Name | None, Field(description="The series' product category; it comes back with the answer.")]
MonthsAhead = Annotated[list[dt.date], Field(description="The first day of each month ahead.")]
SEVERAL = Field(
    description="Each is forecast for itself, with the very digits that it has alone.",
    min_length=1,
    max_length=MOST_SERIES,
    fail_fast=True,  # a hundred series of faults take seconds to list
)


class Names(NamedTuple):
    """What the answers of an address call a month and a product category."""

    month: str
    category: str

    def place(self, where: str) -> str:
        """Return the place of a fault in the months of a history as the address calls it."""
        return where.replace("months", self.month, 1)


NOW = Names("ds", "product_category")


class Wanted(Strict):
    """What is wanted of histories."""

    domain: Domain = Field(description="Whose champion forecasts.")
    horizon: Horizon = Field(MAX_HORIZON, description="Months ahead.")
    intervals: tuple[Level, ...] = Field(
        (80, 95), description="Which intervals are wanted, in %.", max_length=2, json_schema_extra={"uniqueItems": True}
    )


class BroughtSeries(Strict):
    """A history that somebody brings; `ds` may also be called `months`, and `product_category` `category`."""

    ds: Months = Field(validation_alias=AliasChoices("ds", "months"))
    history: list[Value] = Field(
        description="A value for each month, in any unit: the forecast is in the same. Its length must equal the model's "
        "`window_size` (see /v1/models) or, for a model that has none, reach its `min_history`.",
        min_length=1,
        max_length=MOST_MONTHS,
    )
    is_whole_series: bool = Field(
        False,
        strict=True,
        description="True where the series began with the first of these months: then it may be shorter than `window_size`, from "
        "`min_history` on.",
    )
    region: Name | None = Field(None, description="The series' region; it comes back with the answer.")
    product_category: Category = Field(None, validation_alias=AliasChoices("product_category", "category"))


class PredictRequest(BroughtSeries, Wanted):
    """One series whose next months are wanted."""


class BatchRequest(Wanted):
    """Several series whose next months are wanted, all of one domain."""

    series: list[BroughtSeries] = SEVERAL


class Interval(BaseModel):
    """The range in which so many % of the months are expected, a lower and an upper bound for each month."""

    level: Level
    lower: list[float]
    upper: list[float]


class Predicted(BaseModel):
    """What answers call the same at all addresses."""

    domain: Domain
    region: str | None
    values: list[float] = Field(description="The forecast: the median, in the unit of the history.")
    intervals: list[Interval]
    interval_n: list[int] = Field(description="For each month, on how many past errors its intervals rest.")
    was_cut: list[bool] = Field(
        description="For each month, whether the model's forecast was below zero and is zero because the domain may not be below it "
        "(`allow_negative` of /v1/models)."
    )
    warnings: list[str] = Field(
        description="What to know before the numbers are used, in sentences: that forecasts or bounds below zero were cut."
    )
    is_fallback: bool = Field(
        description="True where the model could not speak: the same month of last year (or the mean), or zero for a series "
        "of sales or profit that has had twelve empty months."
    )
    model_name: str
    model_version: str = Field(description="Version of the registered model <domain>_monthly.")
    run_id: str = Field(description="The run that the model comes from.")


class PredictResponse(Predicted):
    """The forecast of one series, and what made it."""

    product_category: str | None
    ds: MonthsAhead


class BatchResponse(BaseModel):
    """The forecasts of several series, in the order in which these were sent."""

    forecasts: list[PredictResponse]
