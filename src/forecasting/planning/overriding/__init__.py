"""What planners want instead of a forecast: read from a CSV, the report's workbook or the dashboard, checked, handed to the ledger."""
