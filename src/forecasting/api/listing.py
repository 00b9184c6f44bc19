"""Lists as they are wanted: some fields, some rows at a time, as JSON or as CSV."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from fastapi import Request, Response
from pydantic import BaseModel
from pydantic_core import to_json

from forecasting.api.errors import ApiError
from forecasting.api.schemas import Listed
from forecasting.api.shelf import Answer
from forecasting.wording import without_formulas

JSON, CSV = "application/json", "text/csv"
NEXT, TOTAL = "Link", "X-Total-Count"
HEADERS = {
    NEXT: "Where rows are left over: the address of the next ones, with rel=next.",
    TOTAL: "How many rows there are without limit and offset.",
}


def documented(example: dict[str, Any], row: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return what the document says of a list that is answered: its two forms, with an example, and its headers."""
    head, rows = parts(example)
    return {
        200: {
            "content": {
                JSON: {"example": example},
                CSV: {"schema": {"type": "string"}, "example": csv(rows, head, known(head, row))},
            },
            "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()},
        }
    }


def respond(request: Request, query: Listed, answer: Answer, row: type[BaseModel]) -> Response:
    """Answer with the rows and fields of a list that are asked for, in the form that is asked for; `row` is what a row is."""
    end = len(answer.rows) if query.limit is None else query.offset + query.limit
    page, total = answer.rows[query.offset : end], len(answer.rows)
    headers = {TOTAL: str(total), "Vary": "Accept"}
    if end < total:
        after = request.url.include_query_params(offset=end)
        headers[NEXT] = f'<{after.path}?{after.query}>; rel="next"'
    as_csv = wants_csv(request, query.format)
    if query.fields is None and not as_csv:
        return Response(answer.with_rows(page), headers=headers, media_type=JSON)
    head, _ = parts(json.loads(answer.head))
    names, rows = known(head, row), [json.loads(text) for text in page]
    wanted = names if query.fields is None else chosen(query.fields, names)
    if not as_csv:
        texts = (to_json(each).decode() for each in picked(rows, head, wanted))
        return Response(answer.with_rows(texts), headers=headers, media_type=JSON)
    return as_file(csv(rows, head, wanted), request.url.path.rpartition("/")[2], headers)


def as_file(text: str, name: str, headers: dict[str, str]) -> Response:
    """Answer with a text in CSV, which browsers keep as a file of a name."""
    return Response(
        text, headers=headers | {"Content-Disposition": f'attachment; filename="{name}.csv"'}, media_type=CSV
    )


def parts(answer: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what an answer says beside its lists once for all rows, and the rows: its last list."""
    return {name: value for name, value in answer.items() if not isinstance(value, list)}, list(answer.values())[-1]


def known(head: dict[str, Any], row: type[BaseModel]) -> list[str]:
    """Return the fields that may be asked for."""
    return [*head, *row.model_fields]


def chosen(fields: str, names: Sequence[str]) -> list[str]:
    """Return the fields that are named, or raise an ApiError that says what is wrong with them and lists those that there are."""
    found = [name.strip() for name in fields.split(",")]
    for name in found:
        if name not in names:
            text = f"There is no field {name[:100]!r}; there are {', '.join(names)}."
            raise ApiError(422, text, [("fields", "There is no such field.")])
    if len(set(found)) < len(found):
        raise ApiError(422, "A field is asked for twice.", [("fields", "It stands there twice.")])
    return found


def picked(rows: Iterable[dict[str, Any]], head: dict[str, Any], names: Sequence[str]) -> Iterable[dict[str, Any]]:
    """Yield the rows with these fields alone, in this order."""
    for row in rows:
        whole = head | row
        yield {name: whole[name] for name in names}


def csv(rows: Iterable[dict[str, Any]], head: dict[str, Any], names: Sequence[str]) -> str:
    """Return rows as CSV: every digit, dates as 2025-06-01, true and false, nothing for what is unknown, no text that is a formula."""
    table = pd.DataFrame(picked(rows, head, names), columns=list(names), dtype=object)
    table = table.map(lambda value: str(value).lower() if isinstance(value, bool) else value)
    return without_formulas(table).to_csv(index=False, lineterminator="\n")


def wants_csv(request: Request, form: str | None) -> bool:
    """Say whether CSV is wanted: by the form that the address asks for or, where it asks for none, by the header Accept."""
    return form == "csv" if form else prefers_csv(request.headers.get("accept", ""))


def prefers_csv(accept: str) -> bool:
    """Say whether a header Accept names CSV, and not JSON before it."""
    weights = dict(map(weighted, accept.lower().split(",")))
    return weights.get(CSV, 0.0) > weights.get(JSON, 0.0)


def weighted(entry: str) -> tuple[str, float]:
    """Return the media type of an entry of a header Accept, and its weight; one that cannot be read weighs nothing."""
    kind, *parameters = (part.strip() for part in entry.split(";"))
    said = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return kind, float(said)
    except ValueError:
        return kind, 0.0
