"""Monthly forecasts of sales, inventory and profit: the shared logic behind the notebooks and the reports."""

import warnings

# Advice of libraries that would stand between the tables of a notebook: to install widgets for progress bars, which are text here, and to
# give MLflow an example of each model's input, whose signature it is told.
warnings.filterwarnings("ignore", message="IProgress not found")
warnings.filterwarnings("ignore", message=".*An input example was not provided")
