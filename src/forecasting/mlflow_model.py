"""How MLflow loads one of our saved model folders (models-from-code): the same interface the notebooks use."""

import mlflow
import pandas as pd

from forecasting import models


class SavedModel(mlflow.pyfunc.PythonModel):
    """A model folder behind MLflow's `predict`: history in (`unique_id, ds, y`), quantiles per month out."""

    def load_context(self, context) -> None:
        """Load the folder that was logged as the artifact «model»."""
        self.model = models.load(context.artifacts["model"])

    def predict(self, context, model_input: pd.DataFrame, params: dict | None = None) -> pd.DataFrame:
        """Return `unique_id, ds, horizon` and the eleven quantiles for the next `params['horizon']` months."""
        return self.model.predict(model_input, int((params or {}).get("horizon", 6)))


mlflow.models.set_model(SavedModel())
