"""A network that was trained by others and is run beside ours: Fracast-0, 85,001 weights that its package brings along.

It is no zero-shot forecast of these sets: what it was trained on holds, by its own account, M1, M3 and tourism as a whole, the months
that are scored here among them. It knows the levels 0.1 to 0.9; wider bounds it does not state, and none are made up for it.

The package is not one of the project's (`requirements.lock`): who wants this row installs it.
"""

import time
from functools import partial
from importlib.util import find_spec

import numpy as np
import pandas as pd

from forecasting import engine
from forecasting.contracts import QUANTILE_COLUMNS, QUANTILES
from forecasting.errors import UserError
from forecasting.series import histories, month_start, panel

NAME = "fracast"
PACKAGE = "fracast==0.1.0"
BLOCK = 64  # series that are read at once; each takes 2,048 steps of memory, however short it is
STATED = [name for name, level in zip(QUANTILE_COLUMNS, QUANTILES, strict=True) if 0.1 <= level <= 0.9]


def is_installed() -> bool:
    """Say whether its package is here."""
    return find_spec(NAME) is not None


def forecast(train: pd.DataFrame, horizon: int) -> tuple[pd.DataFrame, float]:
    """Return its forecasts and the seconds that they took, loading it included.

    Parameters
    ----------
    train: one row per unique_id, ds with column y; at least eight months of each series.

    Returns
    -------
    One row per unique_id, horizon: unique_id, ds, horizon, model_name, q025 … q975, of which q025 and q975 are NaN; and wall time.

    Raises
    ------
    UserError
        If the package is not installed.
    """
    if not is_installed():
        raise UserError(
            f"The row «{NAME}» needs a package that is not part of the project: .venv/bin/python -m pip install {PACKAGE} (with "
            "safetensors and huggingface_hub, which it asks for; its weights are inside, nothing is downloaded when it runs)."
        )
    started = time.perf_counter()
    known = panel(train)
    past = [one.values for _, one in histories(known)]
    blocks = [past[first : first + BLOCK] for first in range(0, len(past), BLOCK)]
    quantiles = np.concatenate(list(engine.mapped(partial(read, horizon=horizon), blocks)))
    seconds = time.perf_counter() - started
    months = known.last[:, None] + np.arange(1, horizon + 1)
    rows = pd.DataFrame(
        {
            "unique_id": np.repeat(known.ids, horizon),
            "ds": month_start(months.ravel()),
            "horizon": np.tile(np.arange(1, horizon + 1), len(known.ids)),
            "model_name": NAME,
        }
    )
    rows[QUANTILE_COLUMNS] = np.nan
    rows[STATED] = np.sort(quantiles.reshape(len(rows), -1).astype(np.float64), axis=1)
    return rows, seconds


def read(past: list[np.ndarray], horizon: int) -> np.ndarray:
    """Return the network's quantiles after each of these histories [series, horizon, 9], on one thread."""
    import torch
    from fracast import FracastModel

    torch.set_num_threads(1)
    longest = max(map(len, past))
    aligned = np.stack([np.pad(values, (longest - len(values), 0), constant_values=np.nan) for values in past])
    return FracastModel.from_pretrained(weights="fp32").forecast_batch(aligned, horizon=horizon)
