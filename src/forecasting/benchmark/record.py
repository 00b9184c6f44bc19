"""The published record on the same sets, with the source of every figure.

Figures are copied as printed. A measure that a source does not give stays empty: papers on M3 quote sMAPE, those on tourism MAPE.
WQL of fev is comparable: its seasonal naive (.1485 on M3, .1042 on tourism) is a forecast of points whose quantiles are all
equal, and comes out here to the last decimal when it is scored as such (`reference`).
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
    FEV: "the Chronos zero-shot benchmark in autogluon/fev, 2024 and 2025",
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
    Published("m3_monthly", "Seasonal naive", FEV, mase=1.146, wql=0.1485),
    Published("m3_monthly", "AutoETS", FEV, mase=0.863, wql=0.0931),
    Published("m3_monthly", "Chronos-large", FEV, mase=0.853, wql=0.0946),
    Published("m3_monthly", "Chronos-Bolt-base", FEV, mase=0.851, wql=0.0927),
    Published("m3_monthly", "TimesFM-2.0", FEV, mase=0.832, wql=0.0887),
    Published("m3_monthly", "TiRex", FEV, mase=0.831, wql=0.0899),
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
    Published("tourism_monthly", "Seasonal naive", FEV, mase=1.631, wql=0.1042),
    Published("tourism_monthly", "AutoETS", FEV, mase=1.531, wql=0.1002),
    Published("tourism_monthly", "Chronos-Bolt-base", FEV, mase=1.528, wql=0.0903),
    Published("tourism_monthly", "TimesFM-2.0", FEV, mase=1.622, wql=0.0850),
    Published("tourism_monthly", "TiRex", FEV, mase=1.449, wql=0.0749),
)
M1 = (
    Published("m1_monthly", "Seasonal naive", FEV, mase=1.314, wql=0.1915),
    Published("m1_monthly", "AutoETS", FEV, mase=1.089, wql=0.1653),
    Published("m1_monthly", "Chronos-Bolt-base", FEV, mase=1.100, wql=0.1392),
    Published("m1_monthly", "TimesFM-2.0", FEV, mase=1.052, wql=0.1299),
    Published("m1_monthly", "TiRex", FEV, mase=1.060, wql=0.1323),
)


def published(dataset: str) -> pd.DataFrame:
    """Return the record on one set: RECORD_COLUMNS, one row per method and source; NaN where a source gives no figure."""
    rows = [vars(one) for one in (*M3, *TOURISM, *M1) if one.dataset == dataset]
    table = pd.DataFrame(rows, columns=RECORD_COLUMNS)
    return table.astype(dict.fromkeys(["smape", "mape", "mase", "wql"], "float64"))
