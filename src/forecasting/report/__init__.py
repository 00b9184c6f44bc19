"""The report's pages: what the notebooks in `reports/` show. Reads published.duckdb only."""
