"""The published record on the same sets, with the source of every figure.

Figures are copied as printed. A measure that a source does not give stays empty: papers on M3 quote sMAPE, those on tourism MAPE.
WQL of fev is comparable: its seasonal naive (.1485 on M3, .1042 on tourism) is a forecast of points whose quantiles are all
equal, and comes out here to the last decimal when it is scored as such (`reference`).

Chronos-2, TimesFM-2.5 and FlowState are absent because nobody has published a figure of theirs on these sets (`docs/architecture.md`).
"""

from dataclasses import dataclass

import pandas as pd

RECORD_COLUMNS = ["dataset", "method", "smape", "mape", "mase", "wql", "source"]

PAPER, MONASH, NIXTLA, FEV = "N-BEATS paper", "Monash archive", "Nixtla", "fev"
REFERENCES = {
    PAPER: "Oreshkin et al. 2020, N-BEATS: neural basis expansion analysis for interpretable time series forecasting; "
    "the other methods as quoted there",
    MONASH: "Godahewa et al. 2021, Monash time series forecasting archive",
    NIXTLA: "the experiment on M3 in statsforecast's repository, 2022",
    FEV: "the Chronos zero-shot benchmark in autogluon/fev, results of August 2026 (commit 1bc95fd); models that say of themselves that "
    "they were trained on these sets, as Moirai does, are left out",
}


@dataclass(frozen=True)
class Published:
    """One method on one set; sMAPE is 0 … 200, MAPE in %."""

    dataset: str
    method: str
    source: str
    smape: float | None = None
    mape: float | None = None
    mase: float | None = None
    wql: float | None = None


M3 = (
    Published("m3_monthly", "Naive2", PAPER, smape=16.91),
    Published("m3_monthly", "ForecastPro", PAPER, smape=13.86),
    Published("m3_monthly", "Theta", PAPER, smape=13.85),
    Published("m3_monthly", "DOTM", PAPER, smape=13.74),
    Published("m3_monthly", "N-BEATS, generic", PAPER, smape=13.19),
    Published("m3_monthly", "N-BEATS, interpretable", PAPER, smape=13.15),
    Published("m3_monthly", "N-BEATS, both", PAPER, smape=13.11),
    Published("m3_monthly", "ETS", MONASH, smape=14.14, mase=0.865),
    Published("m3_monthly", "ARIMA", MONASH, smape=14.24, mase=0.873),
    Published("m3_monthly", "TBATS", MONASH, smape=13.85, mase=0.861),
    Published("m3_monthly", "Pooled regression", MONASH, smape=15.17, mase=1.010),
    Published("m3_monthly", "DeepAR", MONASH, smape=15.74, mase=1.167),
    Published("m3_monthly", "SCUM", NIXTLA, smape=13.43, mase=0.826),
)
TOURISM = (
    Published("tourism_monthly", "Seasonal naive", PAPER, mape=22.56),
    Published("tourism_monthly", "Theta", PAPER, mape=22.11),
    Published("tourism_monthly", "ETS", PAPER, mape=21.15),
    Published("tourism_monthly", "ARIMA", PAPER, mape=21.13),
    Published("tourism_monthly", "ForePro", PAPER, mape=19.91),
    Published("tourism_monthly", "N-BEATS, generic", PAPER, mape=19.17),
    Published("tourism_monthly", "N-BEATS, interpretable", PAPER, mape=19.82),
    Published("tourism_monthly", "N-BEATS, both", PAPER, mape=19.29),
    Published("tourism_monthly", "ETS", MONASH, smape=19.02, mase=1.526),
    Published("tourism_monthly", "ARIMA", MONASH, smape=19.73, mase=1.589),
    Published("tourism_monthly", "DeepAR", MONASH, smape=18.35, mase=1.409),
)
FEV_SETS = ("m3_monthly", "tourism_monthly", "m1_monthly")
FEV_FIGURES = {  # MASE and WQL on each of these sets
    "TimeCopilot": ((0.8286, 0.0901), (1.4292, 0.0791), (1.0536, 0.1333)),
    "TiRex": ((0.8308, 0.0899), (1.4488, 0.0749), (1.0604, 0.1323)),
    "TimesFM-2.0": ((0.8321, 0.0887), (1.6224, 0.0850), (1.0519, 0.1299)),
    "Chronos-Bolt-base": ((0.8511, 0.0927), (1.5282, 0.0903), (1.0999, 0.1392)),
    "Chronos-Bolt-small": ((0.8685, 0.0940), (1.6104, 0.0937), (1.1280, 0.1336)),
    "Chronos-Bolt-mini": ((0.8757, 0.0949), (1.6493, 0.0979), (1.1478, 0.1327)),
    "Chronos-Bolt-tiny": ((0.8745, 0.0944), (1.7891, 0.1058), (1.1626, 0.1314)),
    "Chronos-T5-large": ((0.8527, 0.0946), (1.7640, 0.0953), (1.0935, 0.1302)),
    "Chronos-T5-base": ((0.8629, 0.0958), (1.8406, 0.1014), (1.1210, 0.1313)),
    "TTM-r2": ((1.5144, 0.1911), (2.4907, 0.1994), (1.5782, 0.2441)),
    "AutoTheta": ((0.8547, 0.0947), (1.6655, 0.0910), (1.0917, 0.1590)),
    "AutoETS": ((0.8634, 0.0931), (1.5310, 0.1002), (1.0890, 0.1653)),
    "AutoARIMA": ((0.8755, 0.0981), (1.4829, 0.0909), (1.1137, 0.1544)),
    "Seasonal naive": ((1.1462, 0.1485), (1.6309, 0.1042), (1.3145, 0.1915)),
}
ZERO_SHOT = tuple(
    Published(dataset, method, FEV, mase=mase, wql=wql)
    for method, figures in FEV_FIGURES.items()
    for dataset, (mase, wql) in zip(FEV_SETS, figures, strict=True)
)


def published(dataset: str) -> pd.DataFrame:
    """Return the record on one set: RECORD_COLUMNS, one row per method and source; NaN where a source gives no figure."""
    rows = [vars(one) for one in (*M3, *TOURISM, *ZERO_SHOT) if one.dataset == dataset]
    table = pd.DataFrame(rows, columns=RECORD_COLUMNS)
    return table.astype(dict.fromkeys(["smape", "mape", "mase", "wql"], "float64"))
