"""The pages' parts: a module per page, and one per question that pages share.

In: `ledger.Domain`, what was published of one domain. Out: HTML and plotly figures. The notebooks in `reports/` call one function per
section; none computes anything that is not in the published database.
"""

from forecasting.report import (
    accuracy,
    as_published,
    backfilled,
    benchmark,
    domain_page,
    files,
    glossary,
    levels,
    model_card,
    monitoring,
    next_months,
    outlook,
    overridden,
    overview,
    provenance,
    quality,
    restatements,
    sums,
    variance,
    waterfall,
    year_on_year,
)
from forecasting.report.bridges import bridge
from forecasting.report.champion import champion_text
from forecasting.report.charts import BANDS, ROOM, trend_traces, visible_range
from forecasting.report.files import CSV, EXCEL_ROWS, FILES, MOST_ROWS, PARQUET, SERIES, WORKBOOK, has_csv
from forecasting.report.html import bullets, fold, note, tag
from forecasting.report.intervals_table import pool_words
from forecasting.report.kpi import tiles
from forecasting.report.periods import together
from forecasting.report.track_record import Measures, by_lag, load_record

__all__ = [
    "BANDS", "CSV", "EXCEL_ROWS", "FILES", "MOST_ROWS", "PARQUET", "ROOM", "SERIES", "WORKBOOK", "Measures", "accuracy", "as_published",
    "backfilled", "benchmark", "bridge", "bullets", "by_lag", "champion_text", "domain_page", "files", "fold", "glossary", "has_csv",
    "levels", "load_record", "model_card", "monitoring", "next_months", "note", "outlook", "overridden", "overview", "pool_words",
    "provenance", "quality", "restatements", "sums", "tag", "tiles", "together", "trend_traces", "variance", "visible_range", "waterfall",
    "year_on_year",
]  # fmt: skip
