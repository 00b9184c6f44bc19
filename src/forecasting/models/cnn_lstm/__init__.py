"""One network for all series of a domain: Conv1d → LSTM → quantiles of the next 24 months (torch).

Each window is normalised by itself (`series.normalised`), so a network can forecast series that it has never seen. The package brings
one that has learned from public and made series (`experience`). There are three variants: it forecasts as it is, is tuned on the months
at hand, or networks are trained from scratch, several that differ in their seed, whose quantiles are averaged. Beyond its months a network
forecasts again from its own medians.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting import engine
from forecasting.contracts import QUANTILE_COLUMNS, SEASON_LENGTH
from forecasting.errors import UserError
from forecasting.models.base import DirectModel, ahead
from forecasting.series import Panel, Windows, last_windows, normalised, varying

if TYPE_CHECKING:
    from forecasting.models.cnn_lstm.training import Trained

CHECKPOINT = "model.ckpt"
NORMALIZATION = "normalization.json"
ZERO_SHOT, FINE_TUNED, FROM_SCRATCH = "zero_shot", "fine_tuned", "from_scratch"
VARIANTS = (ZERO_SHOT, FINE_TUNED, FROM_SCRATCH)
BLOCK = 128  # windows that networks read at a time where a window's digits must not hang on which others there are
CURVE_COLUMNS = ["seed", "stage", "step", "training_loss", "validation_loss"]


class CNNLSTMForecastModel(DirectModel):
    """Global CNN-LSTM. Setting `variant`: one of VARIANTS.

    `tuning_steps` is for the fine-tuned one, which takes as many as its series have months to learn from, at most so many; `without` is
    for benchmarks (`experience`). The other settings are for training from scratch: networks that are averaged, their size and how they
    are trained (`TrainingPlan`); `horizon`: months ahead that are forecast directly;
    `sequence`: months the network reads. `progress` shows bars while training.
    """

    name = "cnn_lstm"
    family = "cnn_lstm"
    title = "CNN-LSTM"
    what = "a neural network that reads the earlier months in order"
    parameters = (
        "cnn_lstm_variants",
        "cnn_lstm_tuning_steps",
        "cnn_lstm_networks",
        "cnn_lstm_steps",
        "cnn_lstm_hidden",
        "cnn_lstm_seed",
    )
    packages = ("torch", "tqdm")
    is_combined = True
    min_history = SEASON_LENGTH + 1
    window_size = 10 * SEASON_LENGTH
    refit_every = 6
    defaults: ClassVar[dict[str, Any]] = {
        "variant": FINE_TUNED, "tuning_steps": 400, "without": None,
        "networks": 3, "horizon": 24, "sequence": 24, "channels": 32, "hidden": 48, "dropout": 0.1,
        "steps": 600, "batch": 256, "learning_rate": 0.002, "seed": 1,
    }  # fmt: skip
    progress = False

    def __init__(self, **settings: Any) -> None:
        """See `Model`; a variant that there is not is a UserError."""
        super().__init__(**settings)
        if self.settings["variant"] not in VARIANTS:
            raise UserError(
                f"cnn_lstm: there is no variant {self.settings['variant']}. There are: {', '.join(VARIANTS)}."
            )
        self._forget()

    def _forget(self) -> None:
        """Return to what a model is before it has learned anything."""
        self.networks: list[Any] = []
        self.statistics: Any = None
        self.curve = pd.DataFrame(columns=CURVE_COLUMNS)

    def fit(self, train: pd.DataFrame) -> Self:
        """Take the pretrained network, tune it or train new ones on every window of `train`, as the variant says.

        Where there is no window nothing is learned: from scratch there is no network then, else the pretrained one as it is.
        """
        self._forget()
        if self.settings["variant"] == FROM_SCRATCH:
            self._train(train)
        else:
            self._take_over(train)
        return self

    def _take_over(self, train: pd.DataFrame) -> None:
        """Take the pretrained network, and tune it if that is the variant."""
        from forecasting.models.cnn_lstm.data_module import SalesDataModule
        from forecasting.models.cnn_lstm.experience import experience
        from forecasting.models.cnn_lstm.training import TUNING, TUNING_WINDOWS, tune

        network, self.statistics = experience(self.settings["without"])
        self.networks = [network]
        if self.settings["variant"] == ZERO_SHOT:
            return
        size = network.size
        data = SalesDataModule(train, size.horizon, size.sequence, self.min_history, self.statistics, TUNING_WINDOWS)
        if len(data):
            one_thread()
            plan = replace(TUNING, steps=min(self.settings["tuning_steps"], self._months_to_learn(train)))
            found = tune(network, data, plan, self.settings["seed"], self.progress)
            self.networks, self.curve = [found.network], found.curve

    def _months_to_learn(self, train: pd.DataFrame) -> int:
        """Return how many months a series has on average of which the network may learn what came: all series share their surprises."""
        return max(1, round(float(np.maximum(varying(train).lengths - self.min_history, 0).mean())))

    def _train(self, train: pd.DataFrame) -> None:
        """Train new networks, one per seed."""
        from forecasting.models.cnn_lstm.data_module import SalesDataModule
        from forecasting.models.cnn_lstm.training import TrainingPlan

        data = SalesDataModule(train, self.settings["horizon"], self.settings["sequence"], self.min_history)
        if not len(data):
            return
        plan = TrainingPlan(**{key: self.settings[key] for key in ("steps", "batch", "learning_rate")})
        one = partial(_train_one, data, self._size(data), plan, progress=self.progress)
        seeds = [self.settings["seed"] + number for number in range(self.settings["networks"])]
        found = list(engine.mapped(one, seeds))
        self.networks, self.statistics = [each.network for each in found], data.statistics
        self.curve = pd.concat([each.curve for each in found], ignore_index=True)

    def _size(self, data: Any) -> Any:
        """Return the size of networks that are trained from scratch."""
        from forecasting.models.cnn_lstm.data_module import CHANNELS, PATHS
        from forecasting.models.cnn_lstm.network import NetworkSize

        given = {key: self.settings[key] for key in ("horizon", "sequence", "channels", "hidden", "dropout")}
        return NetworkSize(channels_in=CHANNELS, paths=PATHS, features=data.inputs.features.shape[1], **given)

    def explanation(self) -> dict[str, Any]:
        """Say how the networks were trained: {"variant", "networks", "curve": rows of CURVE_COLUMNS, rounded, None where not measured}."""
        return {"variant": self.settings["variant"], "networks": len(self.networks), **self.state()}

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

        from forecasting.models.cnn_lstm.experience import shared

        super().save(directory)
        torch.save([network.state_dict() for network in self.networks], directory / CHECKPOINT)
        content = shared(self.networks[0].size, self.statistics) if self.networks else {}
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

        from forecasting.models.cnn_lstm.earlier import EarlierNetwork
        from forecasting.models.cnn_lstm.experience import statistics_of, taken_back
        from forecasting.models.cnn_lstm.network import CNNLSTM

        content = json.loads((directory / NORMALIZATION).read_text(encoding="utf-8"))
        states = torch.load(directory / CHECKPOINT, weights_only=True, map_location="cpu")
        if states and "size" in content:
            size, self.statistics = taken_back(content)
            self.networks = [CNNLSTM(size) for _ in states]
        elif states:
            self.statistics, self.settings["variant"] = statistics_of(content), FROM_SCRATCH  # there was no other
            self.networks = [EarlierNetwork(self.settings, self.statistics) for _ in states]
        for network, state in zip(self.networks, states, strict=True):
            network.load_state_dict(state)

    def block(self, known: Panel) -> np.ndarray:
        """See `DirectModel.block`."""
        from forecasting.models.cnn_lstm.training import CHUNK

        return self._block(known, CHUNK)

    def predict_each(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_each`: matrices are added up in an order that hangs on their sizes, so each window is one of its own."""
        return ahead(partial(self._block, chunk=1), known, horizon)

    def predict_apart(self, known: Panel, horizon: int) -> np.ndarray:
        """See `Model.predict_apart`: matrices of one size are added up in one order, so each block is filled up to the same number."""
        one_thread()
        n, missing = len(known.ids), -len(known.ids) % BLOCK
        place = np.concatenate([np.arange(n), np.zeros(missing, dtype=np.int64)])
        return ahead(partial(self._block, chunk=BLOCK), known.only(place), horizon)[:n]

    def _block(self, known: Panel, chunk: int) -> np.ndarray:
        """Return `block`, the networks reading so many windows at a time."""
        window, month = last_windows(known)
        if not self.networks:
            return np.full((len(known.ids), self.settings["horizon"], len(QUANTILE_COLUMNS)), np.nan)
        windows = normalised(window)
        found = np.mean(self._said(windows, month, chunk), axis=0, dtype=np.float64)
        return windows.forecasts(np.sort(found, axis=2))

    def _said(self, windows: Windows, month: np.ndarray, chunk: int) -> list[np.ndarray]:
        """Return what each network says of windows [n, horizon, 11], in spreads."""
        from forecasting.models.cnn_lstm.data_module import inputs
        from forecasting.models.cnn_lstm.earlier import EarlierNetwork
        from forecasting.models.cnn_lstm.training import quantiles

        if isinstance(self.networks[0], EarlierNetwork):
            return [network.quantiles(windows, month, chunk) for network in self.networks]
        size = self.networks[0].size
        seen = inputs(windows, month, size.sequence, size.horizon, self.statistics)
        return [quantiles(network, seen, chunk).numpy() for network in self.networks]


def _train_one(data: Any, size: Any, plan: Any, seed: int, progress: bool) -> "Trained":
    """Train one network on one thread, here or in a process of its own."""
    from forecasting.models.cnn_lstm.training import train

    one_thread()
    return train(data, size, plan, seed, progress)


def one_thread() -> None:
    """Let torch add up in one order."""
    import torch

    torch.set_num_threads(1)


MODELS = (CNNLSTMForecastModel,)
