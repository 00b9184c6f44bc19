"""LightGBM as this project uses it: one thread, the same trees from the same numbers, its own text as its file."""

from typing import Any

import numpy as np
import pandas as pd

FEWEST_ROWS = 50  # below this nothing can be learned: every series gets the fallback
TRAINING = {
    "objective": "l1",
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 1,
    "num_threads": 1,  # more threads add the same numbers in another order
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


class Trees:
    """LightGBM's booster with one thread, as mlforecast calls it too."""

    def __init__(self, text: str) -> None:
        """Read a booster from its own text."""
        from lightgbm import Booster

        self.text = text
        self.booster = Booster(model_str=text)

    @classmethod
    def grown(
        cls, features: pd.DataFrame, target: np.ndarray, trees: int, weight: np.ndarray | None = None, **options: Any
    ) -> "Trees":
        """Grow so many trees on features [rows], with these options of LightGBM beside TRAINING."""
        import lightgbm

        data = lightgbm.Dataset(features, target, weight=weight)
        return cls(lightgbm.train(TRAINING | options, data, trees).model_to_string())

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Return what the trees add up to [rows]."""
        return self.booster.predict(features, num_threads=1)

    def importances(self) -> pd.DataFrame:
        """Return one row per feature: feature, importance (its share of the loss that all splits removed), largest first."""
        gain = self.booster.feature_importance("gain")
        result = pd.DataFrame({"feature": self.booster.feature_name(), "importance": gain / max(gain.sum(), 1e-300)})
        return result.sort_values("importance", ascending=False, kind="stable", ignore_index=True)
