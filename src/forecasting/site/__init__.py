"""What lies beside the pages: the rendered report, its workbook, CSV, Parquet, PDF and zip, and the editions that are kept.

In: executed pages and the published database. Out: `runs/<name>/report/`, `data/<name>/editions/<as_of>/` and, for BI tools,
`runs/<name>/bi/`, each replaced in one step.
"""

from forecasting.site.bi_files import export
from forecasting.site.rendering import render

__all__ = ["export", "render"]
