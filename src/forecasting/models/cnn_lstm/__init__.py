"""One network for all series of a domain: Conv1d → LSTM → quantiles of the next 24 months (torch).

Each window is normalised by itself (`series.normalised`), several networks that differ in their seed
are trained and their quantiles averaged. Beyond its months the network forecasts again from its own medians.
"""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting import engine
from forecasting.contracts import QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.errors import UserError
from forecasting.models.base import DirectModel, ahead
from forecasting.series import Panel, last_windows, normalised

if TYPE_CHECKING:
    from forecasting.models.cnn_lstm.training import Trained

CHECKPOINT = "model.ckpt"
NORMALIZATION = "normalization.json"
CURVE_COLUMNS = ["seed", "stage", "step", "training_loss", "validation_loss"]


class CNNLSTMForecastModel(DirectModel):
    """Global CNN-LSTM. Settings: networks that are averaged, their size, how they are trained; see `TrainingPlan`.

    `horizon`: months ahead that are forecast directly; `sequence`: months the network reads. `progress` shows bars while
    training.
    """

    name = "cnn_lstm"
    family = "cnn_lstm"
    title = "CNN-LSTM"
    what = "a neural network that reads the earlier months in order"
    parameters = ("cnn_lstm_networks", "cnn_lstm_steps", "cnn_lstm_hidden", "cnn_lstm_seed")
    packages = ("torch", "tqdm")
    is_combined = True
    min_history = SEASON_LENGTH + 1
    window_size = 10 * SEASON_LENGTH
    refit_every = 6
    defaults: ClassVar[dict[str, Any]] = {
        "networks": 3, "horizon": 24, "sequence": 24, "channels": 32, "hidden": 48, "dropout": 0.1,
        "steps": 600, "batch": 256, "learning_rate": 0.002, "seed": 1,
    }  # fmt: skip
    progress = False

    def __init__(self, **settings: Any) -> None:
        """See `Model`."""
        super().__init__(**settings)
        self._forget()

    def _forget(self) -> None:
        """Return to what a model is before it has learned anything."""
        self.networks: list[Any] = []
        self.statistics: Any = None
        self.curve = pd.DataFrame(columns=CURVE_COLUMNS)

    def fit(self, train: pd.DataFrame) -> Self:
        """Train the networks on every window of `train`; nothing is learned where there is no window."""
        from forecasting.models.cnn_lstm.data_module import SalesDataModule

        self._forget()
        data = SalesDataModule(train, self.settings["horizon"], self.settings["sequence"], self.min_history)
        if len(data):
            found = self._train(data)
            self.networks, self.statistics = [each.network for each in found], data.statistics
            self.curve = pd.concat([each.curve for each in found], ignore_index=True)
        return self

    def explanation(self) -> dict[str, Any]:
        """Return how the networks were trained: {"networks", "curve": rows of CURVE_COLUMNS, rounded; None where not measured}."""
        return {"networks": self.settings["networks"], **self.state()}

    def state(self) -> dict[str, Any]:
        """Return the training curve, for readers; the weights have a file of their own."""
        shown = self.curve.round(4).astype(object)
        return {"curve": shown.where(shown.notna(), None).to_dict("records")}  # JSON knows no NaN

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.curve = pd.DataFrame(state.get("curve", []), columns=CURVE_COLUMNS)

    def save(self, directory: Path) -> None:
        """Write model.ckpt (weights) and normalization.json (the shared scaler and the sizes) beside model.json."""
        import torch

        super().save(directory)
        torch.save([network.state_dict() for network in self.networks], directory / CHECKPOINT)
        content = {"features_mean": [], "features_deviation": []}
        if self.statistics is not None:
            scaler = self.statistics
            content = {"features_mean": scaler.mean.tolist(), "features_deviation": scaler.deviation.tolist()}
        text = json.dumps({"window_size": self.window_size, **content}, indent=2, sort_keys=True)
        (directory / NORMALIZATION).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote; weights only, no code.

        Raises
        ------
        UserError
            If the weights or the scaler are missing or damaged.
        """
        model = super().load(directory)
        try:
            model._read_networks(directory)
        except Exception as error:  # a damaged file fails in many ways, and torch's own text advises to run its code
            raise UserError(
                f"{directory / CHECKPOINT} or {NORMALIZATION} beside it is missing or damaged. "
                "Run the notebook 20_train_cnn_lstm again."
            ) from error
        return model

    def _read_networks(self, directory: Path) -> None:
        """Build the networks from the two files."""
        import torch

        from forecasting.models.cnn_lstm.data_module import Statistics
        from forecasting.models.cnn_lstm.network import CNNLSTM

        content = json.loads((directory / NORMALIZATION).read_text(encoding="utf-8"))
        states = torch.load(directory / CHECKPOINT, weights_only=True, map_location="cpu")
        self.statistics = Statistics(np.array(content["features_mean"]), np.array(content["features_deviation"]))
        self.networks = [CNNLSTM(self._size(len(self.statistics.mean))) for _ in states]
        for network, state in zip(self.networks, states, strict=True):
            network.load_state_dict(state)

    def _size(self, features: int) -> Any:
        """Return the networks' size."""
        from forecasting.models.cnn_lstm.data_module import CHANNELS
        from forecasting.models.cnn_lstm.network import NetworkSize

        given = {key: self.settings[key] for key in ("horizon", "sequence", "channels", "hidden", "dropout")}
        return NetworkSize(channels_in=CHANNELS, features=features, **given)

    def _train(self, data: Any) -> list["Trained"]:
        """Train one network per seed."""
        from forecasting.models.cnn_lstm.training import TrainingPlan

        plan = TrainingPlan(**{key: self.settings[key] for key in ("steps", "batch", "learning_rate")})
        one = partial(_train_one, data, self._size(data.inputs.features.shape[1]), plan, progress=self.progress)
        seeds = [self.settings["seed"] + number for number in range(self.settings["networks"])]
        return list(engine.mapped(one, seeds))

    def block(self, known: Panel) -> np.ndarray:
        """See `DirectModel.block`."""
        from forecasting.models.cnn_lstm.training import CHUNK

        return self._block(known, CHUNK)

    def predict_each(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_each`: matrices are added up in an order that hangs on their sizes, so each window is one of its own."""
        return ahead(partial(self._block, chunk=1), known, horizon)

    def _block(self, known: Panel, chunk: int) -> np.ndarray:
        """Return `block`, the networks reading so many windows at a time."""
        from forecasting.models.cnn_lstm.data_module import inputs
        from forecasting.models.cnn_lstm.training import quantiles

        window, month = last_windows(known)
        if not self.networks:
            return np.full((len(known.ids), self.settings["horizon"], len(QUANTILE_COLUMNS)), np.nan)
        windows = normalised(window)
        seen = inputs(windows, month, self.settings["sequence"], self.statistics)
        found = np.mean(
            [quantiles(network, seen, chunk).numpy() for network in self.networks], axis=0, dtype=np.float64
        )
        return windows.forecasts(np.sort(found, axis=2))


def _train_one(data: Any, size: Any, plan: Any, seed: int, progress: bool) -> "Trained":
    """Train one network on one thread, here or in a process of its own."""
    import torch

    from forecasting.models.cnn_lstm.training import train

    torch.set_num_threads(1)
    return train(data, size, plan, seed, progress)


MODELS = (CNNLSTMForecastModel,)
