"""What lies beside the pages: the rendered report, its workbook, CSV, Parquet, PDF and zip, and the editions that are kept.

In: executed pages and the published database. Out: `runs/<name>/report/` and `data/<name>/editions/<as_of>/`, each replaced in one step.
"""

from forecasting.site.rendering import render

__all__ = ["render"]
