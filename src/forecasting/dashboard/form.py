"""The ways to bring a series: pasted, typed into a table, or as a file."""

import datetime as dt
from collections.abc import Callable
from functools import partial

import streamlit as st

from forecasting.dashboard import pasted
from forecasting.dashboard.answer import Answer, answer
from forecasting.dashboard.example import Example
from forecasting.dashboard.month_text import ADVICE
from forecasting.dashboard.pasted import Brought
from forecasting.serving import SalesForecaster

Reader = Callable[[], Brought]
LONGEST = 100_000  # characters of a paste: a hundred years of months
AUTO = "auto"
DECIMALS = {AUTO: "the one that fits", ".": "point, as in 1,234.5", ",": "comma, as in 1.234,5"}
LINES = "2023-07\t1250\n2023-08\t1310\n2023-09\t1190"
ASKED_FOR = {
    "Paste": "Paste a month and its value in each line, as here; the more months, the better:",
    "Type": "Type a value beside each month of your series.",
    "Upload": "Choose a file with a month and its value in each row, as here:",
}


def by_paste() -> Reader | None:
    """Let a series be pasted from a spreadsheet, and return what reads it; None where nothing was pasted yet."""
    text = st.text_area(
        "A month and a value in each line, or values alone",
        key="text",
        height=220,
        max_chars=LONGEST,
        placeholder=f"{LINES}\n…",
        help=ADVICE,
    )
    left, right = st.columns(2)
    with left:
        first = first_month("Values alone begin with")
    with right:
        decimal = decimal_sign()
    return partial(pasted.from_text, text, first, decimal) if text else None


def by_typing() -> Reader | None:
    """Let a series be typed into a table whose months are filled in; see `by_paste`."""
    first = first_month("The first month")
    value = st.column_config.NumberColumn(format="localized")
    table = st.data_editor(
        pasted.typed_months(first), key=f"typed from {first}", hide_index=True, disabled=["Month"], height=320, width=420, placeholder="",
        column_config={"Value": value},
    )  # fmt: skip
    return partial(pasted.from_typed, table) if table["Value"].notna().any() else None


def by_upload() -> Reader | None:
    """Let a file be uploaded; where it has more than two columns, two of them are chosen. See `by_paste`."""
    file = st.file_uploader(
        "A CSV or Excel file with a month and a value in each row", ["csv", "txt", "xlsx"], key="file"
    )
    decimal = decimal_sign()
    if file is None:
        return None
    table = pasted.table_of_file(file.name, file.getvalue())
    names = {place: f"{place + 1}: {pasted.shown(table.iloc[0, place])}" for place in range(table.shape[1])}
    columns = None
    if len(names) > 2:  # which is meant cannot be told, so none is chosen yet
        left, right = st.columns(2)
        month = left.selectbox("Column of the months", list(names), None, format_func=names.get, key="month column")
        value = right.selectbox("Column of the values", list(names), None, format_func=names.get, key="value column")
        columns = None if month is None or value is None else (month, value)
    return partial(pasted.from_file, file.name, file.getvalue(), columns, decimal)


def first_month(label: str) -> str:
    """Let a month be chosen, by any of its days; three years back at first."""
    day = st.date_input(label, dt.date(dt.date.today().year - 3, 1, 1), min_value=dt.date(1950, 1, 1), key="first")
    return f"{day:%Y-%m}"


def decimal_sign() -> str | None:
    """Let the decimal sign be stated where the numbers do not tell."""
    sign = st.selectbox("Decimal sign", list(DECIMALS), format_func=DECIMALS.get, key="decimal")
    return None if sign == AUTO else sign


WAYS: dict[str, Callable[[], Reader | None]] = {"Paste": by_paste, "Type": by_typing, "Upload": by_upload}


def ask_for(way: str, why: str = "There is nothing to forecast yet.") -> None:
    """Say that nothing was brought, and show what to bring."""
    st.warning(f"{why} {ASKED_FOR[way]}", icon=":material/edit_note:")
    if way != "Type":
        st.code(LINES, language=None)


def fill_in(example: Example) -> None:
    """Put an example into the box, as if it had been pasted there."""
    st.session_state.update(way="Paste", text=example.text, decimal=AUTO)


def answered(forecaster: SalesForecaster, brought: Brought, horizon: int) -> Answer:
    """Return the forecast of what was brought; asked for once, and again when anything of it or the champion changes."""
    question = (forecaster.served, brought, horizon)
    known = st.session_state.get("answered")
    if known is None or known[0] != question:
        known = st.session_state["answered"] = (question, answer(*question))
    return known[1]
