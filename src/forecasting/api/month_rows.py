"""Forecasts of brought series as CSV: a row for each month of each series, in the columns of published forecasts."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request

from forecasting.api import listing
from forecasting.api.brought import Names
from forecasting.api.errors import ApiError
from forecasting.api.schemas import Listed

FORMS = ("json", "csv")
FORMAT = {
    "name": "format", "in": "query", "required": False, "schema": {"type": "string", "enum": list(FORMS)},
    "description": Listed.model_fields["format"].description,
}  # fmt: skip
SERIES = "series"  # which of a batch, counted from 0


def wanted(request: Request) -> bool:
    """Say whether an answer is wanted as CSV, or raise an ApiError where it is wanted in a form that there is not."""
    form = request.query_params.get("format")
    if form is not None and form not in FORMS:
        raise ApiError(
            422,
            f"There is no format {form[:100]!r}; there are {' and '.join(FORMS)}.",
            [("format", "There is no such format.")],
        )
    return listing.wants_csv(request, form)


def csv(answers: Sequence[dict[str, Any]], names: Names, batch: bool) -> str:
    """Return the contents of PredictResponses as CSV; those of a batch with the number of their series."""
    rows = []
    for number, answer in enumerate(answers):
        about = ({SERIES: number} if batch else {}) | {
            name: value for name, value in answer.items() if not isinstance(value, list)
        }
        rows += [about | month for month in months(answer, names)]
    return listing.csv(rows, {}, list(rows[0]))


def months(answer: dict[str, Any], names: Names) -> list[dict[str, Any]]:
    """Return the months of an answer, each with its forecast and the bounds that were asked for."""
    bounds = {
        f"{side}_{interval['level']}": interval[place]
        for interval in answer["intervals"]
        for side, place in (("lo", "lower"), ("hi", "upper"))
    }
    columns = {"predicted_value": answer["values"]} | bounds
    columns |= {name: answer[name] for name in ("interval_n", "was_cut")}
    return [
        {"horizon": i + 1, names.month: month} | {name: values[i] for name, values in columns.items()}
        for i, month in enumerate(answer[names.month])
    ]
