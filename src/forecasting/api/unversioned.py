"""POST /api/predict and /api/predict/batch: as they were before the addresses had a version, with the names of then."""

from fastapi import APIRouter, Request, Response
from pydantic import AliasChoices, BaseModel, Field

from forecasting.api.brought import SEVERAL, BroughtSeries, Category, Months, MonthsAhead, Names, Predicted, Wanted
from forecasting.api.predict import ReadsItself, described, predicted, predicted_batch

BEFORE = Names("months", "category")
router = APIRouter(route_class=ReadsItself)


class UnversionedSeries(BroughtSeries):
    """A history that somebody brings; `months` may also be called `ds`, and `category` `product_category`."""

    ds: Months = Field(validation_alias=AliasChoices("months", "ds"))
    product_category: Category = Field(None, validation_alias=AliasChoices("category", "product_category"))


class UnversionedPredictRequest(UnversionedSeries, Wanted):
    """One series whose next months are wanted."""


class UnversionedBatchRequest(Wanted):
    """Several series whose next months are wanted, all of one domain."""

    series: list[UnversionedSeries] = SEVERAL


class UnversionedPredictResponse(Predicted):
    """The forecast of one series, and what made it."""

    category: str | None
    months: MonthsAhead


class UnversionedBatchResponse(BaseModel):
    """The forecasts of several series, in the order in which these were sent."""

    forecasts: list[UnversionedPredictResponse]


@router.post("/predict", **described(UnversionedPredictRequest, UnversionedPredictResponse, BEFORE))
async def predict(request: Request) -> Response:
    """Forecast the months after a history, as /v1/predict does."""
    return await predicted(request, UnversionedPredictRequest, BEFORE)


@router.post("/predict/batch", **described(UnversionedBatchRequest, UnversionedBatchResponse, BEFORE))
async def predict_batch(request: Request) -> Response:
    """Forecast the months after several histories, as /v1/predict/batch does."""
    return await predicted_batch(request, UnversionedBatchRequest, BEFORE)
