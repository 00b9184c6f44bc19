"""How MLflow loads one of our saved model folders (models-from-code): the same interface the notebooks use."""

from typing import Any

import mlflow
import pandas as pd

from forecasting import models


class SavedModel(mlflow.pyfunc.PythonModel):
    """A model folder behind MLflow's `predict`: history in (`unique_id, ds, y`), quantiles per month out."""

    def load_context(self, context) -> None:
        """Load the folder that was logged as the artifact «model»."""
        self.model = models.load(context.artifacts["model"])

    def predict(self, context, model_input: pd.DataFrame, params: dict[str, Any]) -> pd.DataFrame:
        """Forecast each series for the `params['horizon']` months after its own last month.

        Returns unique_id, ds, horizon, the eleven quantiles and is_fallback, by the rules of `models.forecast`: a series that is too
        short for the model gets the seasonal naive or its mean, and with `params['flow']` one of twelve empty months gets zero. These
        are the model's raw forecasts, before `intervals` makes the aggregations agree and gives them intervals.
        """
        return models.forecast(self.model, model_input, params["horizon"], params["flow"])


mlflow.models.set_model(SavedModel())
