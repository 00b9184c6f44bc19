"""Monthly forecasts of sales, inventory and profit: the shared logic behind the notebooks and the reports."""
