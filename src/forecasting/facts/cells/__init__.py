"""One reader of numbers and dates for all doors: how a column is written is decided over all its cells, with the evidence, or asked.

In: a relation of DuckDB with the line of each row as `line`, and a column of text, trimmed or not; empty cells (null or blank) do not
count. Out of `number_styles` and `date_styles`: a `Decision`; its `chosen` style gives SQL for any such column (`sql`: the value or
null, `why`: the reason in words or null) and goes to and from a mapping (`to_yaml`, `from_yaml`: decimal_mark, currency, percent,
date_format). Where `chosen` is None, `question` names the choices and what to state. `table_number_styles` decides all columns of a
file, of which one may tell the decimal mark of another. Amounts are text that casts to DECIMAL(18, 4), so that what rounding loses
can still be told.
"""

from forecasting.facts.cells.date_choice import date_styles
from forecasting.facts.cells.dates import DateStyle
from forecasting.facts.cells.decision import Decision, Fault
from forecasting.facts.cells.few import date_ends, read_as_any_date, read_dates, read_numbers
from forecasting.facts.cells.number_choice import number_styles, table_number_styles
from forecasting.facts.cells.numbers import NumberStyle

__all__ = [
    "DateStyle",
    "Decision",
    "Fault",
    "NumberStyle",
    "date_ends",
    "date_styles",
    "number_styles",
    "read_as_any_date",
    "read_dates",
    "read_numbers",
    "table_number_styles",
]
