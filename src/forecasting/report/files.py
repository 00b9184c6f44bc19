"""The files that lie beside the report's pages: their names and what they hold, for those who write them and for those who link them."""

WORKBOOK = "forecasts.xlsx"
CSV = "forecasts.csv"
PARQUET = "forecasts.parquet"
PDF = "report.pdf"
ARCHIVE = "report.zip"

FILES = {
    WORKBOOK: "Excel workbook: a sheet for each view of the report, with real numbers and dates.",
    CSV: "The forecasts in force with their 80 % and 95 % ranges, one row per domain, level, series and month.",
    PARQUET: "The same rows as Parquet, with their types, for BI tools, Python and R.",
    PDF: "The report to print or to hand out.",
    ARCHIVE: "All pages and files together, to mail or to keep: unpack it and open index.html.",
}
