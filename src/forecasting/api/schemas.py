"""What the service takes and gives of what was published and of itself.

Numbers are JSON numbers written so that reading them gives the same double back.
"""

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from forecasting.contracts import DOMAINS, MAX_HORIZON
from forecasting.serving import LARGEST, MONTH

LONGEST_NAME = 200

Domain = Literal[DOMAINS]
Kind = Literal["published", "walk_forward", "backfill", "override"]
Month = Annotated[str, Field(pattern=MONTH)]
Value = Annotated[float, Field(strict=True, ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Level = Literal[80, 95]
Name = Aggregation = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00-\x1f]+$")]


def _digits(value: Any) -> Any:
    """Take whole numbers of a query as they are usually written; pydantic would take ' 3', '3.0' and '1_0' as well."""
    written = isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value)
    return int(value) if written else value if isinstance(value, int) else "?"


def _whole(value: Any) -> Any:
    """Take 3.0 for 3, which JSON does not tell apart, and no text."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _day(value: Any) -> Any:
    """Take a day as 2025-06-30; pydantic would take seconds since 1970 as well."""
    return value if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else "?"


Horizon = Annotated[int, Field(ge=1, le=MAX_HORIZON, strict=True), BeforeValidator(_whole)]
QueryHorizon = Annotated[int, Field(ge=1, le=MAX_HORIZON), BeforeValidator(_digits)]
QueryCount = Annotated[int, BeforeValidator(_digits)]
Day = Annotated[dt.date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class Strict(BaseModel):
    """What callers send: a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Strict):
    """No parameters."""


class Listed(Strict):
    """How a list is wanted."""

    fields: str | None = Field(
        None,
        description="Only these fields of each row, in this order, with commas between them; those that stand beside the list (such as "
        "`run_id`) may be among them.",
        examples=["ds,predicted_value"],
        min_length=1,
        max_length=2000,
    )
    limit: QueryCount | None = Field(
        None,
        ge=1,
        description="At most so many rows. The header Link leads to the next ones, X-Total-Count counts all.",
    )
    offset: QueryCount = Field(0, ge=0, description="Leave out the first so many rows.")
    format: Literal["json", "csv"] | None = Field(
        None, description="What the answer is written in; by default what the header Accept asks for, else JSON."
    )


class Row(BaseModel):
    """A row of a list, with all of these fields unless `fields` names some."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required", None))


class WhichForecasts(Strict):
    """Which published forecasts are wanted."""

    domain: Domain
    region: Name | None = Field(None, description="Only rows of this region; 'All' are the sums over regions.")
    product_category: Name | None = Field(
        None, description="Only rows of this product category; 'All' are the sums over categories."
    )
    category: Name | None = Field(
        None, deprecated=True, description="What `product_category` was called before; give one of them."
    )
    aggregation: Aggregation | None = Field(None, description="Only series, or the sums of one kind.")
    horizon: QueryHorizon = Field(MAX_HORIZON, description="The first so many months ahead.")
    as_of: Day | None = Field(None, description="What was in force at the end of this day (UTC); by default now.")

    @property
    def category_before(self) -> str | None:
        """The product category by its former name."""
        return vars(self)["category"]  # without pydantic's warning for whoever reads what is deprecated


class ForecastQuery(Listed, WhichForecasts):
    """Which published forecasts are wanted, and how."""


class ForecastRow(Row):
    """One forecast of one month; names as in the database."""

    aggregation: Aggregation
    region: str
    product_category: str
    cutoff: dt.date
    horizon: int
    ds: dt.date = Field(description="The first day of the month.")
    predicted_value: float
    lo_80: float | None
    hi_80: float | None
    lo_95: float | None
    hi_95: float | None
    interval_pool: str | None
    interval_n: int | None
    is_fallback: bool
    was_cut: bool | None = Field(
        description="Whether the model's forecast was below zero and is zero because the domain may not be below it; of a sum, whether "
        "that is so of a series in it. Null: an older run, which did not note it."
    )
    override_value: float | None = Field(
        description="What people made of the forecast; null where nobody overrides it."
    )
    override_lo_80: float | None = Field(description="Its bounds: those of the forecast, moved as far as the point.")
    override_hi_80: float | None
    override_lo_95: float | None
    override_hi_95: float | None
    final_value: float = Field(description="The override_value where there is one, else the predicted_value.")
    overridden_by: str | None = Field(description="Who overrides it, or a sum that it is part of.")
    override_reason: str | None = Field(description="Why, as they said.")


class Forecasts(BaseModel):
    """The published forecasts of one run."""

    domain: Domain
    run_id: str
    unit: str | None = Field(description="What the values count.")
    model_name: str
    model_version: str | None
    published_at: dt.datetime = Field(description="When the run was last published, UTC.")
    warnings: list[str] = Field(
        description="What to know before the run's numbers are used, in sentences: that forecasts or bounds below zero were cut."
    )
    forecasts: list[ForecastRow]


class WhichAccuracy(Strict):
    """Which accuracy is wanted."""

    domain: Domain
    aggregation: Aggregation | None = Field(None, description="Only series, or the sums of one kind.")
    model_name: Name | None = Field(None, description="Only this model.")
    forecast_kind: Kind | None = Field(
        None, description="Only forecasts that were published, made by walk-forward, or changed by people."
    )


class AccuracyQuery(Listed, WhichAccuracy):
    """Which accuracy is wanted, and how."""


class AccuracyRow(Row):
    """A row of `forecast_accuracy`: how good a model was. mae, rmse, bias and fva are in the domain's unit, the others have none."""

    aggregation: Aggregation
    model_name: str
    is_champion: bool
    forecast_kind: Kind
    evaluation_set: str
    horizon_group: str
    n: int
    n_series: int | None = Field(None, description="The series, or sums, that these forecasts are of.")
    of_series: int | None = Field(
        None, description="Those that there are: more than n_series where the back-test compares models on a sample."
    )
    n_cutoffs: int
    first_cutoff: dt.date
    last_cutoff: dt.date
    mae: float | None
    rmse: float | None
    wape: float | None
    bias: float | None
    mase: float | None
    coverage_80: float | None
    coverage_95: float | None
    fva: float | None
    masc: float | None = Field(
        None,
        description="How far the forecast of a month moved since the month before, in errors of repeating last year.",
    )


class Accuracy(BaseModel):
    """How good the forecasts of a domain were."""

    domain: Domain
    run_id: str = Field(description="The run in force, whose walk-forward this is.")
    unit: str | None
    accuracy: list[AccuracyRow]


class ServedInfo(Row):
    """The model that answers for a domain, and what a history must be for it."""

    domain: Domain
    model_name: str
    model_version: str
    run_id: str
    window_size: int | None = Field(description="The length a history must have; null: any from `min_history` on.")
    min_history: int = Field(description="The months a series needs for more than the fallback.")
    max_horizon: int
    allow_negative: bool = Field(description="Whether forecasts and bounds may be below zero.")
    reconciliation: str = Field(description="How published series and sums were made to agree.")
    cutoff: dt.date = Field(description="The last month that the model learned from.")
    published_at: dt.datetime = Field(description="When its run was last published, UTC.")
    unit: str | None = Field(description="What the published values count.")
    problem: str | None = Field(description="Why a newer champion could not be loaded; null where all is well.")


class Models(BaseModel):
    """The models in force, one for each domain that can be served."""

    models: list[ServedInfo]


class Health(BaseModel):
    """The process is alive."""

    status: Literal["alive"]


class Ready(BaseModel):
    """Every domain that was published is served by the champion in force."""

    status: Literal["ready"]
    domains: list[Domain]


class Fault(BaseModel):
    """One thing that was wrong."""

    where: str = Field(description="The part of the request, such as history.3 (counted from 0), or the domain.")
    problem: str


class Problem(BaseModel):
    """What was wrong, after RFC 9457 (application/problem+json)."""

    type: Literal["about:blank"]
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What was wrong and what to do.")
    errors: list[Fault] = Field(description="The faults one by one; empty where `detail` says it all.")
