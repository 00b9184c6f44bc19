"""What goes with the report's pages: workbook, tables, PDF, zip, and the editions that are kept. None of it changes a number."""
