"""The published forecasts as CSV and as Parquet: the latest run of every domain, every aggregation, the database's own values."""

from pathlib import Path

from forecasting.ledger import connect

# Grain: one row per domain, aggregation, series and coming month. `unit` is what the values count, from the run's manifest.
FORECASTS = """
    select f.domain, f.aggregation, f.unique_id, f.region, f.product_category, f.ds, f.horizon, f.cutoff,
        f.predicted_value, f.lo_80, f.hi_80, f.lo_95, f.hi_95,
        coalesce(nullif(runs.manifest ->> '$.unit', ''), runs.manifest ->> '$.currency', '') as unit,
        f.is_fallback, f.model_name, f.model_version, f.run_id, f.prediction_time
    from forecasts as f
    inner join latest_runs on latest_runs.run_id = f.run_id
    inner join runs on runs.run_id = f.run_id
    where f.status = 'published'
    order by list_position(['sales', 'inventory', 'profit'], f.domain),
        list_position(['total', 'region', 'category', 'series'], f.aggregation), f.unique_id, f.ds
"""
# Excel takes a CSV for UTF-8 only where it begins with this mark; pandas, DuckDB and R's readr skip it.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_csv(published: Path, target: Path) -> None:
    """Write the forecasts as CSV: UTF-8 with a byte order mark, ISO dates, decimal points; names are written as they are."""
    copy(published, target, "(format csv, header)")
    target.write_bytes(BYTE_ORDER_MARK + target.read_bytes())


def write_parquet(published: Path, target: Path) -> None:
    """Write the same rows as Parquet, with the database's types."""
    copy(published, target, "(format parquet)")


def copy(published: Path, target: Path, form: str) -> None:
    """Have DuckDB write the forecasts into a file."""
    path = str(target).replace("'", "''")
    with connect(published) as connection:
        connection.execute(f"copy ({FORECASTS}) to '{path}' {form}")
